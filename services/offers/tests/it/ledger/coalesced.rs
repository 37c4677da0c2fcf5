//! Decided together is decided one by one: the same grants, refusals and faults.

use futures::future::join_all;
use jiff::SignedDuration;
use upswell_offers::{
    app::ledger::Question,
    domain::{
        ledger::{Judgement, Reserve, Touch},
        vocabulary::{Channel, TouchClass},
    },
};
use upswell_runtime::problem::Problem;

use super::{World, commercial, senders::Dice};

type Answer = Result<Result<Touch, Judgement>, String>;

/// Renewals far away, in 45 and in 20 days, and an account that nobody knows.
const ACCOUNTS: [(&str, Option<&str>); 3] = [
    ("far", None),
    ("sixty", Some("2026-11-26")),
    ("thirty", Some("2026-11-01")),
];
const CASES: u64 = 40;
const COMMANDS: u64 = 24;

fn told(answer: Result<Result<Touch, Judgement>, Problem>) -> Answer {
    answer.map_err(|problem| problem.reason().to_owned())
}

fn ask(dice: &mut Dice, world: &World, case: u64) -> Reserve {
    use TouchClass::{Commercial, Contractual, Educational, Renewal};
    let class = dice.of(&[Commercial, Commercial, Renewal, Educational, Contractual]);
    let account = ["far", "sixty", "thirty", "nobody"][dice.below(13) as usize / 4];
    let ahead = SignedDuration::from_hours(dice.below(40) as i64 * 12 - 1);
    Reserve {
        account_id: format!("{account}-{case}"),
        class,
        proposes_expansion: class == Renewal && dice.below(2) == 0,
        channel: dice.of(Channel::ALL),
        sender: "crm".to_owned(),
        // Few keys, so that some are used twice, for the same touch or for another.
        idempotency_key: format!("{case}/{}", dice.below(COMMANDS)),
        planned_at: (dice.below(4) > 0).then(|| world.clock.now() + ahead),
        contact_id: String::new(),
        offer_id: String::new(),
    }
}

fn question(command: &Reserve) -> Question {
    Question {
        account_id: command.account_id.clone(),
        class: command.class,
        proposes_expansion: command.proposes_expansion,
        sender: command.sender.clone(),
        addressee: None,
        planned_at: command.planned_at,
    }
}

/// The answers one by one, in the order in which a group decides: what is refused or at fault before anything is
/// granted is answered first.
async fn one_by_one(world: &World, commands: &[Reserve]) -> Vec<Answer> {
    let mut refused = Vec::new();
    for command in commands {
        let judgement = world.ledger.allowance(&question(command)).await;
        refused.push(!judgement.is_ok_and(|judgement| judgement.allowed()));
    }
    let mut answers: Vec<Option<Answer>> = vec![None; commands.len()];
    for round in [true, false] {
        for (place, command) in commands
            .iter()
            .enumerate()
            .filter(|(place, _)| refused[*place] == round)
        {
            answers[place] = Some(told(world.ledger.reserve(command).await));
        }
    }
    answers.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn c6_decided_together_is_decided_one_by_one() {
    let (together, alone) = (World::new().await, World::new().await);
    let (mut granted, mut refused, mut faults) = (0, 0, 0);
    for case in 0..CASES {
        for world in [&together, &alone] {
            for (account, renewal) in ACCOUNTS {
                let renewal = renewal.map(|date| date.parse().unwrap());
                world
                    .account(&format!("{account}-{case}"), "Asia/Almaty", renewal)
                    .await;
            }
        }
        let mut dice = Dice(case);
        // The second group meets what the first one left.
        for _ in 0..2 {
            let commands: Vec<Reserve> = (0..COMMANDS).map(|_| ask(&mut dice, &together, case)).collect();
            let all: Vec<Answer> = together
                .ledger
                .reserve_all(&commands)
                .await
                .into_iter()
                .map(told)
                .collect();
            assert_eq!(all, one_by_one(&alone, &commands).await, "{commands:#?}");
            granted += all.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count();
            refused += all.iter().filter(|answer| matches!(answer, Ok(Err(_)))).count();
            faults += all.iter().filter(|answer| answer.is_err()).count();
        }
        for (account, _) in ACCOUNTS {
            let id = format!("{account}-{case}");
            assert_eq!(together.touches(&id).await, alone.touches(&id).await);
        }
    }
    assert_eq!(together.events().await, alone.events().await);
    assert!(
        granted > 200 && refused > 200 && faults > 50,
        "{granted} {refused} {faults}"
    );
}

#[tokio::test]
async fn c6_a_caller_that_gives_up_does_not_hold_up_the_others() {
    let world = World::with_acme().await;
    for round in 0..20 {
        let account = format!("acme-{round}");
        world.account(&account, "UTC", None).await;
        let command = |key: &str| Reserve {
            account_id: account.clone(),
            ..commercial(&format!("{round}/{key}"), 0)
        };
        let (first, second, third) = (command("a"), command("b"), command("c"));
        let mut abandoned = Box::pin(world.ledger.reserve(&first));
        // Polled once: it waits, or leads a group.
        let started = futures::poll!(&mut abandoned);
        assert!(started.is_pending());
        let others = join_all([world.ledger.reserve(&second), world.ledger.reserve(&third)]);
        drop(abandoned);
        let granted = others
            .await
            .into_iter()
            .filter(|answer| answer.as_ref().unwrap().is_ok())
            .count();
        assert!(granted <= 1);
        assert_eq!(
            world
                .touches(&account)
                .await
                .iter()
                .filter(|touch| touch.state.counts())
                .count(),
            1
        );
    }
}
