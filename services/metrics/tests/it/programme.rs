//! The programme cut open, its return, targets and loyalty, over a real channel.

use tonic::Code;
use upswell_metrics::config::ProgrammeSettings;
use upswell_proto::{
    ingestion::v1::{
        Complaint, Fact, Goal, SurveyAnswer, VoiceHeard, fact::Body, subscription_terms::Kind, survey_answer::Survey,
    },
    metrics::v1::{
        GetLeadTimesRequest, GetLoyaltyRequest, GetProgrammeBreakdownRequest, GetProgrammeReturnRequest,
        GetTargetsRequest, ListProgrammeStepsRequest, LoyaltyVerdict, ProgrammeCut, ProgrammeSlice, ProgrammeStep,
        TargetState,
    },
    offers::v1::{ContactUnsubscribed, Offer, OfferChanged, Terms, offer::State as OfferState},
    scoring::v1::{Signal, SignalChanged},
    vocabulary::v1::{Channel, Motion, SignalKind},
};

use crate::world::{World, at, kzt, order, profile, subscription, window};

fn signal(account: &str, id: &str, kind: SignalKind, opened: &str) -> SignalChanged {
    SignalChanged {
        signal: Some(Signal {
            signal_id: id.to_owned(),
            account_id: account.to_owned(),
            kind: kind.into(),
            open_time: Some(at(opened)),
            ..Signal::default()
        }),
    }
}

/// An offer behind `signals`, sent on 6 January.
fn offer(
    account: &str,
    order: &str,
    (motion, channel): (Motion, Channel),
    signals: &[&str],
    state: OfferState,
) -> OfferChanged {
    let offer = Offer {
        offer_id: format!("offer-of-{order}"),
        account_id: account.to_owned(),
        playbook: "limit".to_owned(),
        motion: motion.into(),
        channel: channel.into(),
        signal_ids: signals.iter().map(|&id| id.to_owned()).collect(),
        state: state.into(),
        terms: Some(Terms::default()),
        send_time: Some(at("2026-01-06T10:00:00Z")),
        state_time: Some(at("2026-01-10T00:00:00Z")),
        signal_time: Some(at("2026-01-05T00:00:00Z")),
        ..Offer::default()
    };
    OfferChanged {
        offer: Some(offer),
        ..OfferChanged::default()
    }
}

/// `a` and `b` (small), `c` (large) pay 100 tenge each. `a` takes capacity for 31 a month out of two signals by e-mail,
/// `b` is asked the same by e-mail, `c` is asked for a tier by a task. A signal of `c` is taken up by nobody.
async fn played(settings: ProgrammeSettings) -> World {
    let world = World::start_with(settings).await;
    for (account, segment) in [("a", "small"), ("b", "small"), ("c", "large")] {
        world.tell("ingestion", account, &profile(account, segment)).await;
        let mut plan = subscription(account, "plan", "2025-01-01", 100, "");
        plan.terms.as_mut().unwrap().set_kind(Kind::Plan);
        world.tell("ingestion", account, &plan).await;
    }
    let capacity = (Motion::Capacity, Channel::Email);
    let tier = (Motion::Tier, Channel::CsmTask);
    // Offers may be told before the signals behind them.
    for (account, of, signals, state) in [
        ("a", capacity, ["s-a1", "s-a2"].as_slice(), OfferState::Accepted),
        ("b", capacity, ["s-b"].as_slice(), OfferState::Sent),
        ("c", tier, ["s-c1"].as_slice(), OfferState::Declined),
    ] {
        let told = offer(account, &format!("o-{account}"), of, signals, state);
        world.tell("offers", account, &told).await;
    }
    for (account, id, kind, opened) in [
        ("a", "s-a1", SignalKind::VolumeGrowth, "2026-01-04T00:00:00Z"),
        ("a", "s-a2", SignalKind::LimitApproach, "2026-01-05T00:00:00Z"),
        ("b", "s-b", SignalKind::LimitApproach, "2026-01-05T00:00:00Z"),
        ("c", "s-c1", SignalKind::VolumeGrowth, "2026-01-05T00:00:00Z"),
        ("c", "s-c2", SignalKind::VolumeGrowth, "2026-01-09T00:00:00Z"),
    ] {
        world.tell("scoring", account, &signal(account, id, kind, opened)).await;
    }
    let paid = order("a", "o-a", Some("2026-01-14T00:00:00Z"));
    world.tell("offers", "a", &paid).await;
    let more = subscription("a", "capacity", "2026-01-12", 31, "o-a");
    world.tell("ingestion", "a", &more).await;
    world
}

async fn cut(world: &World, cut: ProgrammeCut) -> Vec<ProgrammeSlice> {
    let request = GetProgrammeBreakdownRequest {
        window: window("2026-01-01", "2026-02-01"),
        cut: cut.into(),
    };
    let told = world.programme.clone().get_programme_breakdown(request).await;
    told.unwrap().into_inner().slices
}

/// Signals, sent, accepted, paid.
fn counts(slice: &ProgrammeSlice) -> (&str, [i64; 4]) {
    let of = |step| {
        let found = slice.steps.iter().find(|count| count.step() == step);
        found.unwrap().count.unwrap()
    };
    let steps = [
        ProgrammeStep::Signals,
        ProgrammeStep::OffersSent,
        ProgrammeStep::Accepted,
        ProgrammeStep::Paid,
    ];
    (slice.value.as_str(), steps.map(of))
}

#[tokio::test(flavor = "multi_thread")]
async fn k8_k9_the_way_to_money_by_everything_it_can_be_cut_by() {
    let world = played(ProgrammeSettings::default()).await;
    for (by, expected) in [
        (ProgrammeCut::Unspecified, vec![("", [5, 3, 1, 1])]),
        (
            ProgrammeCut::Segment,
            vec![("large", [2, 1, 0, 0]), ("small", [3, 2, 1, 1])],
        ),
        (ProgrammeCut::Cohort, vec![("2025-01", [5, 3, 1, 1])]),
        (
            ProgrammeCut::Motion,
            vec![("", [1, 0, 0, 0]), ("capacity", [3, 2, 1, 1]), ("tier", [1, 1, 0, 0])],
        ),
        (
            ProgrammeCut::Channel,
            vec![("", [1, 0, 0, 0]), ("csm_task", [1, 1, 0, 0]), ("email", [3, 2, 1, 1])],
        ),
        (
            ProgrammeCut::Playbook,
            vec![("", [1, 0, 0, 0]), ("limit", [4, 3, 1, 1])],
        ),
        (
            ProgrammeCut::Signal,
            vec![("limit_approach", [2, 2, 1, 1]), ("volume_growth", [3, 1, 0, 0])],
        ),
    ] {
        let slices = cut(&world, by).await;
        let told: Vec<_> = slices.iter().map(counts).collect();
        assert_eq!(told, expected, "{by:?}");
        let money: Vec<_> = slices.iter().flat_map(|slice| &slice.money).collect();
        assert_eq!(money.len(), 1, "{by:?}");
        assert_eq!(
            (money[0].expansion.clone(), money[0].orders),
            (Some(kzt(31)), 1),
            "{by:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn k8_conversion_three_ways_value_velocity_and_what_is_not_measured() {
    let world = played(ProgrammeSettings::default()).await;
    let small = cut(&world, ProgrammeCut::Segment).await.remove(1);
    assert_eq!(
        (small.customers, small.accounts_offered, small.accounts_accepted),
        (2, 2, 1)
    );
    assert_eq!(small.conversion_of_customers, Some(0.5));
    assert_eq!(small.conversion_of_offers, Some(0.5));
    assert!((small.conversion_a_year.unwrap() - 0.5 * 365.25 / 31.0).abs() < 1e-12);
    assert_eq!(small.attach_rate, Some(0.5), "one of two pays for an add-on");
    let [money] = &small.money[..] else {
        panic!("{:?}", small.money)
    };
    assert_eq!(money.average, Some(kzt(31)));
    // 31 a month in 31 days is 31 × 30.4375 / 31, and 20 days of it are earned.
    let minor = |amount: &Option<upswell_proto::gtype::Money>| {
        let amount = amount.as_ref().unwrap();
        amount.units * 100 + i64::from(amount.nanos / 10_000_000)
    };
    assert_eq!((minor(&money.velocity), minor(&money.earned)), (3_044, 2_037));
    for step in [ProgrammeStep::Delivered, ProgrammeStep::Opened, ProgrammeStep::Clicked] {
        let found = small.steps.iter().find(|count| count.step() == step).unwrap();
        assert_eq!((found.count, found.conversion), (None, None), "not measured is not 0");
    }
    assert_eq!(small.largest_loss_step, "accepted");
    let tier = cut(&world, ProgrammeCut::Motion).await.remove(2);
    assert_eq!(
        (tier.customers, tier.attach_rate),
        (3, None),
        "all customers may take a motion"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k9_every_number_opens_down_to_what_it_counts() {
    let world = played(ProgrammeSettings::default()).await;
    for by in 0..=8 {
        let by = ProgrammeCut::try_from(by).unwrap();
        for slice in cut(&world, by).await {
            for step in slice.steps.iter().filter(|step| step.count.is_some()) {
                let mut request = ListProgrammeStepsRequest {
                    window: window("2026-01-01", "2026-02-01"),
                    cut: by.into(),
                    value: slice.value.clone(),
                    step: step.step,
                    page_size: 2,
                    ..ListProgrammeStepsRequest::default()
                };
                let mut listed = Vec::new();
                loop {
                    let page = world.programme.clone().list_programme_steps(request.clone()).await;
                    let page = page.unwrap().into_inner();
                    listed.extend(page.steps);
                    request.page_token = page.next_page_token;
                    if request.page_token.is_empty() {
                        break;
                    }
                }
                assert_eq!(
                    Some(listed.len() as i64),
                    step.count,
                    "{by:?} {} {:?}",
                    slice.value,
                    step.step()
                );
                assert!(listed.is_sorted_by_key(|step| step.time.map(|time| time.seconds)));
                assert!(listed.iter().all(|step| !step.account_id.is_empty()));
            }
        }
    }
    let refused = ListProgrammeStepsRequest {
        value: "small".to_owned(),
        step: 99,
        page_size: -1,
        ..ListProgrammeStepsRequest::default()
    };
    let refused = world.programme.clone().list_programme_steps(refused).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    for field in ["window", "value", "step", "page_size"] {
        assert!(
            refused.message().contains(field) || format!("{refused:?}").contains(field),
            "{field}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn k8_the_return_on_what_the_programme_costs() {
    let ask = |world: &World| {
        let (mut client, window) = (world.programme.clone(), window("2026-01-01", "2026-02-01"));
        async move {
            let told = client.get_programme_return(GetProgrammeReturnRequest { window }).await;
            told.unwrap().into_inner()
        }
    };
    let free = ask(&played(ProgrammeSettings::default()).await).await;
    assert_eq!(
        (free.currency_code.as_str(), free.cost, free.return_on_investment),
        ("KZT", None, None)
    );
    let settings = ProgrammeSettings {
        currency: "KZT".to_owned(),
        monthly_cost_minor: 1_000,
        ..ProgrammeSettings::default()
    };
    let told = ask(&played(settings).await).await;
    // 20.37 earned; 31 days of 10 a month are 10.18.
    assert!(
        (told.return_on_investment.unwrap() - (2_037.0 - 1_018.0) / 1_018.0).abs() < 1e-9,
        "{told:?}"
    );
    assert!(
        (told.payback_days.unwrap() - 1_018.0 / 3_100.0 * 30.4375).abs() < 1e-9,
        "{told:?}"
    );
}

fn voice(account: &str, id: &str, when: &str, body: Body, superseded: bool) -> VoiceHeard {
    VoiceHeard {
        account_id: account.to_owned(),
        fact: Some(Fact {
            source: "survey".to_owned(),
            external_id: id.to_owned(),
            account_id: account.to_owned(),
            occur_time: Some(at(when)),
            body: Some(body),
            ..Fact::default()
        }),
        superseded,
    }
}

fn nps(score: i32) -> Body {
    let survey = Survey::Nps.into();
    Body::Survey(SurveyAnswer {
        survey,
        score,
        ..SurveyAnswer::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn k12_loyalty_of_each_segment_before_and_after() {
    let world = played(ProgrammeSettings::default()).await;
    for index in 0..20 {
        let before = voice("a", &format!("b{index}"), "2025-12-20T00:00:00Z", nps(10), false);
        let after = voice("a", &format!("a{index}"), "2026-01-20T00:00:00Z", nps(index % 5), false);
        world.tell("ingestion", "a", &before).await;
        world.tell("ingestion", "a", &after).await;
    }
    let taken_back = voice("c", "wrong", "2026-01-20T00:00:00Z", nps(0), true);
    world.tell("ingestion", "c", &taken_back).await;
    let complaint = Body::Complaint(Complaint::default());
    let complaint = voice("c", "enough", "2026-01-21T00:00:00Z", complaint, false);
    world.tell("ingestion", "c", &complaint).await;
    // Two people, one of them on two channels; telling again changes nothing.
    for (person, channel, when) in [
        ("ana", Channel::Email, "2026-01-22T00:00:00Z"),
        ("ana", Channel::Sms, "2026-01-22T00:00:00Z"),
        ("ben", Channel::Email, "2025-12-22T00:00:00Z"),
        ("ana", Channel::Email, "2026-01-22T00:00:00Z"),
    ] {
        let enough = ContactUnsubscribed {
            account_id: "c".to_owned(),
            contact_id: person.to_owned(),
            channel: channel.into(),
            unsubscribe_time: Some(at(when)),
        };
        world.tell("offers", "c", &enough).await;
    }
    let request = GetLoyaltyRequest {
        window: window("2026-01-01", "2026-02-01"),
        before: None,
    };
    let told = world
        .programme
        .clone()
        .get_loyalty(request)
        .await
        .unwrap()
        .into_inner()
        .segments;
    let names: Vec<_> = told.iter().map(|one| one.segment.as_str()).collect();
    assert_eq!(names, ["", "large", "small"]);
    let small = &told[2];
    assert_eq!(
        (small.before.unwrap().nps, small.after.unwrap().nps),
        (Some(100.0), Some(-100.0))
    );
    assert!(small.nps_change.is_some_and(|change| change.difference == -200.0));
    let large = &told[1];
    let after = large.after.unwrap();
    assert_eq!(
        (after.nps_answers, after.complaints, after.accounts),
        (0, 1, 1),
        "a corrected answer does not count"
    );
    assert_eq!((large.before.unwrap().unsubscribes, after.unsubscribes), (1, 2));
    assert_eq!(
        (told[0].after.unwrap().unsubscribes, small.after.unwrap().unsubscribes),
        (2, 0)
    );
    let rate = after.unsubscribes_per_hundred.unwrap();
    assert!((rate - 200.0 * 30.4375 / 31.0).abs() < 1e-9, "{rate}");
    assert_eq!(large.unsubscribes_change.unwrap().verdict(), LoyaltyVerdict::Undecided);
    assert_eq!(large.nps_change, None);
    assert_eq!(told[0].complaints_change.unwrap().verdict(), LoyaltyVerdict::Undecided);
}

#[tokio::test(flavor = "multi_thread")]
async fn k7_first_steps_with_those_who_have_not_come_so_far() {
    let world = World::start().await;
    for (account, came) in [
        ("a", "2026-01-01"),
        ("b", "2026-01-11"),
        ("c", "2026-01-11"),
        ("old", "2025-01-01"),
    ] {
        world.tell("ingestion", account, &profile(account, "small")).await;
        let plan = subscription(account, "plan", came, 100, "");
        world.tell("ingestion", account, &plan).await;
    }
    let goal = |reached: Option<&str>| {
        Body::Goal(Goal {
            goal_id: "first".to_owned(),
            title: "first delivery".to_owned(),
            target_date: None,
            reach_date: reached.map(crate::world::wire_day),
        })
    };
    let told = voice("a", "g1", "2026-01-02T00:00:00Z", goal(None), false);
    world.tell("ingestion", "a", &told).await;
    let told = voice("a", "g2", "2026-01-10T00:00:00Z", goal(Some("2026-01-09")), false);
    world.tell("ingestion", "a", &told).await;
    let more = subscription("b", "more", "2026-01-21", 10, "");
    world.tell("ingestion", "b", &more).await;
    let mut left = subscription("c", "plan", "2026-01-11", 100, "");
    left.terms.as_mut().unwrap().end_date = Some(crate::world::wire_day("2026-01-25"));
    world.tell("ingestion", "c", &left).await;
    let request = GetLeadTimesRequest {
        window: window("2026-01-01", "2026-02-01"),
    };
    let times = world
        .metrics
        .clone()
        .get_lead_times(request)
        .await
        .unwrap()
        .into_inner();
    let onboarding = times.onboarding_ttv_days.unwrap();
    assert_eq!(
        (onboarding.complete, onboarding.open, onboarding.mean),
        (1, 2, Some(8.0))
    );
    let expansion = times.time_to_expansion_days.unwrap();
    assert_eq!((expansion.complete, expansion.open, expansion.mean), (1, 2, Some(10.0)));
    assert_eq!(expansion.median_with_open, None, "too many are still open to say");
}

#[tokio::test(flavor = "multi_thread")]
async fn k14_targets_against_the_time_before_the_launch() {
    let settings = ProgrammeSettings {
        launched_on: "2026-01-01".to_owned(),
        ..ProgrammeSettings::default()
    };
    let world = played(settings).await;
    let request = GetTargetsRequest {
        window: window("2026-01-01", "2026-02-01"),
    };
    let told = world.programme.clone().get_targets(request).await.unwrap().into_inner();
    assert_eq!(told.baseline_start_date, Some(crate::world::wire_day("2025-10-03")));
    let of = |name: &str| told.targets.iter().find(|target| target.name == name).unwrap();
    let nrr = of("nrr");
    assert!((nrr.value.unwrap() - 331.0 / 300.0).abs() < 1e-12);
    assert_eq!((nrr.baseline, nrr.state()), (Some(1.0), TargetState::Met));
    assert_eq!(of("expansion_share").state(), TargetState::Missed);
    assert_eq!(
        (of("signal_to_payment_days").value, of("signal_to_payment_days").at_most),
        (Some(9.0), true)
    );
    assert_eq!(of("ltv_to_cac").state(), TargetState::Unspecified);
    assert_eq!(of("ltv_to_cac").reason, "no cost of acquisition is configured");
    assert_eq!(of("nps").reason, "no answers in the window");
}
