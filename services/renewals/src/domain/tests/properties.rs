//! What holds whatever contracts, days and people do.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::deal::{RenewalTerms, StageMove};

#[derive(Clone, Debug)]
enum Step {
    Wait(i32),
    Learn {
        id: u8,
        effective: i32,
        term: i32,
        end: Option<i32>,
        superseded: bool,
    },
    Advance(usize),
    Close,
    Finish(prop::sample::Index),
    Move(i32),
    Terms(bool, i32, i32),
    Notice,
    Country(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let learn = (
        0_u8..6,
        -400_i32..400,
        1_i32..500,
        prop::option::weighted(0.2, 0_i32..600),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(id, effective, term, end, superseded)| Step::Learn {
            id,
            effective,
            term,
            end,
            superseded,
        });
    prop_oneof![
        4 => (0_i32..50).prop_map(Step::Wait),
        3 => learn,
        1 => (1_usize..6).prop_map(Step::Advance),
        1 => Just(Step::Close),
        1 => any::<prop::sample::Index>().prop_map(Step::Finish),
        1 => (0_i32..100).prop_map(Step::Move),
        1 => (any::<bool>(), 0_i32..120, 0_i32..25).prop_map(|(auto, notice, months)| Step::Terms(auto, notice, months)),
        1 => Just(Step::Notice),
        1 => any::<bool>().prop_map(Step::Country),
    ]
}

/// Does what a step says, if it may be done; contract facts wait for the next settling.
fn act(world: &mut World, step: &Step, today: &mut Date) {
    let now = noon(&today.to_string());
    let key = world.renewal.open_deal().map(|deal| (deal.deal_id, deal.etag()));
    let decision = match (step, key) {
        (Step::Wait(days), _) => return *today = days_before(*today, -days),
        (
            Step::Learn {
                id,
                effective,
                term,
                end,
                superseded,
            },
            _,
        ) => {
            let effective_on = days_before(*today, -effective);
            let renewal_on = days_before(effective_on, -term);
            let end_on = end.map(|end| days_before(effective_on, -end));
            let known = version(&format!("v{id}"), &effective_on.to_string(), &renewal_on.to_string());
            world.learn(Version {
                end_on,
                superseded: *superseded,
                ..known
            });
            return;
        }
        (Step::Country(kazakh), _) => {
            world.account.country = if *kazakh { "KZ" } else { "DE" }.to_owned();
            return;
        }
        (Step::Move(days), Some((id, etag))) => {
            let negotiated_on = days_before(world.last().renewal_on, *days);
            let moved = StageMove {
                negotiated_on,
                reason: "they are away".to_owned(),
            };
            world
                .renewal
                .stages_moved((id, &etag), Some(moved), &world.account, &world.policy, now)
        }
        (Step::Terms(auto_renew, notice_days, term_months), Some((id, etag))) => {
            let terms = RenewalTerms {
                auto_renew: *auto_renew,
                notice_days: *notice_days,
                term_months: *term_months,
            };
            world
                .renewal
                .terms_set((id, &etag), terms, &world.account, &world.policy, now)
        }
        (Step::Notice, Some((id, etag))) => {
            world
                .renewal
                .notice_given((id, &etag), *today, &world.account, &world.policy, now)
        }
        (Step::Advance(stage), Some((id, etag))) => world.renewal.advanced(
            (id, &etag),
            Stage::ALL[*stage],
            "anna",
            &world.account,
            &world.policy,
            now,
        ),
        (Step::Close, Some((id, etag))) => {
            world
                .renewal
                .closed((id, &etag), None, "anna", &world.account, &world.policy, now)
        }
        (Step::Finish(at), _) if !world.renewal.tasks.is_empty() => {
            let task = at.get(&world.renewal.tasks);
            let key = (task.task_id, task.etag());
            world
                .renewal
                .task_done((key.0, &key.1), &world.account, &world.policy, now)
        }
        _ => return,
    };
    if let Ok(decision) = decision {
        world.take(decision);
    }
}

fn check(world: &World, before: &Renewal, today: Date) {
    let renewal = &world.renewal;
    let open = renewal.deals.iter().filter(|deal| deal.is_open()).count();
    assert!(open <= 1, "a subscription has at most one open deal");
    for (index, deal) in renewal.deals.iter().enumerate() {
        assert_eq!(usize::try_from(deal.number).unwrap(), index + 1);
        let by_date = deal.schedule().stage_on(today);
        assert!(
            !deal.is_open() || deal.stage >= by_date,
            "an open deal is never behind its date"
        );
        assert_eq!(deal.history.last().map(|entry| entry.stage), Some(deal.stage));
        let old = before.deals.iter().find(|old| old.deal_id == deal.deal_id);
        if let Some(old) = old.filter(|old| old.is_open() && old.is_planned_like(deal)) {
            assert!(deal.stage >= old.stage, "nothing moves back while the date stands");
        }
    }
    for task in renewal.tasks.iter().filter(|task| task.is_live()) {
        let deal = renewal
            .deals
            .iter()
            .find(|deal| deal.deal_id == task.subject_id)
            .unwrap();
        assert!(deal.is_open() && task.kind.stage() <= Some(deal.stage));
    }
    let ids: BTreeSet<_> = renewal.tasks.iter().map(|task| task.task_id).collect();
    assert_eq!(ids.len(), renewal.tasks.len());
    let marks: BTreeSet<_> = renewal
        .marks
        .iter()
        .map(|m| (m.deal_id, m.renewal_on, m.mark_days))
        .collect();
    assert_eq!(
        marks.len(),
        renewal.marks.len(),
        "a mark is told once per deal, date and mark"
    );
    assert!(
        world.check_on.is_none_or(|day| day > today),
        "a settled renewal is due later"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn rn1_sg6_whatever_happens_the_pipeline_holds(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new([]);
        let mut today = day("2026-10-12");
        for step in steps {
            act(&mut world, &step, &mut today);
            let before = world.renewal.clone();
            world.settle(&today.to_string());
            check(&world, &before, today);
            let settled = world.renewal.clone();
            world.settle(&today.to_string());
            prop_assert_eq!(&world.renewal, &settled, "settling twice changes nothing");
            prop_assert!(world.news.is_empty());
        }
    }

    #[test]
    fn rn1_nothing_changes_before_the_day_that_was_promised(
        term in 1_i32..400, end in prop::option::of(1_i32..450), days in 1_i32..460,
    ) {
        let start = day("2026-10-12");
        let known = version("v1", "2026-10-01", &days_before(start, -term).to_string());
        let mut world = World::new([Version { end_on: end.map(|end| days_before(start, -end)), ..known }]);
        world.settle(&start.to_string());
        for ahead in 1..=days {
            let today = days_before(start, -ahead);
            let (before, promised) = (world.renewal.clone(), world.check_on);
            world.settle(&today.to_string());
            if promised.is_none_or(|day| today < day) {
                prop_assert_eq!(&world.renewal, &before, "{} was not promised", today);
                // A look that was not due must not put off the one that is.
                prop_assert_eq!(world.check_on, promised);
            }
        }
    }

    /// Which day, amount and stage stand, and which work the stage brings, does not depend on the order in which facts came.
    /// Work that an earlier stage brought stays to be done, and a stage that never was has brought none.
    #[test]
    fn rn1_facts_alone_give_the_same_state_in_any_order(
        facts in prop::collection::vec((0_u8..5, -400_i32..100, 30_i32..500, prop::bool::weighted(0.2)), 1..7),
        order in Just((0_usize..7).collect::<Vec<_>>()).prop_shuffle(),
        kazakh in any::<bool>(),
    ) {
        let today = day("2026-10-12");
        let mut known: Vec<Version> = Vec::new();
        for (id, effective, term, superseded) in facts {
            let effective_on = days_before(today, -effective);
            let renewal_on = days_before(effective_on, -term);
            let made = version(&format!("v{id}"), &effective_on.to_string(), &renewal_on.to_string());
            if !known.iter().any(|version| version.version_id == made.version_id) {
                known.push(Version { superseded, ..made });
            }
        }
        let play = |versions: Vec<&Version>| {
            let mut world = World::new([]);
            if kazakh {
                world.account.country = "KZ".to_owned();
            }
            for version in versions {
                // First without its correction, and then twice.
                world.learn(Version { superseded: false, ..version.clone() }).settle("2026-10-12");
                world.learn(version.clone()).settle("2026-10-12");
                world.learn(version.clone()).settle("2026-10-12");
            }
            standing(&world)
        };
        let shuffled = order.iter().filter_map(|at| known.get(*at)).collect();
        prop_assert_eq!(play(known.iter().collect()), play(shuffled));
    }
}

/// The open deal and the open work of its stage.
fn standing(world: &World) -> String {
    let Some(deal) = world.renewal.open_deal() else {
        return "nothing is open".to_owned();
    };
    let live = world.renewal.tasks.iter().filter(|task| task.is_live());
    let live = live.filter(|task| task.kind.stage() == Some(deal.stage));
    let tasks: BTreeSet<_> = live
        .map(|task| format!("{} {} {}", task.kind, task.due_on, task.state))
        .collect();
    format!(
        "{} from {} at {:?} {:?} {} {tasks:?}",
        deal.renewal_on,
        deal.term_from,
        deal.mrr,
        deal.schedule(),
        deal.stage
    )
}
