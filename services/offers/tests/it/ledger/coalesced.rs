//! Decided together is decided one by one: the same grants, refusals and faults.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use jiff::SignedDuration;
use sea_orm::ConnectionTrait as _;
use upswell_offers::{
    app::ledger::{Ledger, Question},
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

/// Calls of two replicas over the same accounts, in other orders; the accounts 0 and 1, 2 and 3, … count together.
async fn replicas_reserve(world: &World, accounts: u64, rounds: u64) -> BTreeMap<u64, usize> {
    let replicas = [(); 2].map(|()| Ledger::new(world.store.db.clone(), Arc::clone(&world.ctx), world.clock.clone()));
    let calls = (0..rounds).flat_map(|round| (0..accounts).map(move |number| (round, number)));
    let calls = calls.map(|(round, number)| {
        // The second replica comes from the other end.
        let (replica, number) = if round % 2 == 0 {
            (0, number)
        } else {
            (1, accounts - 1 - number)
        };
        let command = Reserve {
            account_id: format!("acct-{number:03}"),
            ..commercial(&format!("{round}/{number}"), 0)
        };
        let ledger = replicas[replica].clone();
        tokio::spawn(async move { (number, ledger.reserve(&command).await.unwrap()) })
    });
    let mut granted: BTreeMap<u64, usize> = BTreeMap::new();
    for answer in join_all(calls.collect::<Vec<_>>()).await {
        let (number, answer) = answer.unwrap();
        *granted.entry(number / 2).or_default() += usize::from(answer.is_ok());
    }
    granted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c1_groups_of_two_replicas_never_grant_one_too_many() {
    let world = World::new().await;
    for number in 0..60 {
        world.account(&format!("acct-{number:03}"), "UTC", None).await;
    }
    for number in 0..30 {
        let [account, part] = [2 * number, 2 * number + 1].map(|number| format!("acct-{number:03}"));
        world.merge(&account, &part).await;
    }
    let granted = replicas_reserve(&world, 60, 8).await;
    let once: BTreeMap<u64, usize> = (0..30).map(|family| (family, 1)).collect();
    assert_eq!(
        granted, once,
        "one commercial touch a week for both parts of an account"
    );
}

#[tokio::test]
async fn c6_a_bad_call_fails_alone_and_not_its_group() {
    let world = World::new().await;
    for number in 0..10 {
        world.account(&format!("acct-{number}"), "UTC", None).await;
    }
    let command = |number: usize| Reserve {
        account_id: format!("acct-{number}"),
        ..commercial(&format!("key-{number}"), 0)
    };
    // One that nobody knows, one whose key was used for another touch, one in the past.
    world.granted(&command(9)).await;
    let reused = Reserve {
        idempotency_key: "key-9".to_owned(),
        ..command(8)
    };
    let past = commercial("past", -2);
    let mut commands: Vec<Reserve> = (0..8).map(command).collect();
    commands.extend([
        command(77),
        reused,
        Reserve {
            account_id: "acct-8".to_owned(),
            ..past
        },
    ]);
    let answers: Vec<Answer> = world
        .ledger
        .reserve_all(&commands)
        .await
        .into_iter()
        .map(told)
        .collect();
    assert!(
        answers[..8].iter().all(|answer| matches!(answer, Ok(Ok(_)))),
        "{answers:?}"
    );
    let faults: Vec<_> = answers[8..].iter().map(|answer| answer.clone().unwrap_err()).collect();
    assert_eq!(faults, ["ACCOUNT_NOT_FOUND", "REQUEST_ID_REUSED", "INVALID_ARGUMENT"]);
    // What fails closed in the store has the group go one by one: the others are granted all the same.
    let tx = world.store.db.begin().await.unwrap();
    let id = if world.store.is_postgres() {
        "CAST('00000000-0000-0000-0000-000000000001' AS uuid)"
    } else {
        "x'00000000000000000000000000000001'"
    };
    let spoiled = format!(
        "INSERT INTO touches SELECT {id}, account_id, class, proposes_expansion, channel, sender, 'spoiled', content, contact_id, \
         offer_id, 'released', planned_at, actual_at, counts_at, recorded_at, expires_at, renewal_on, policy_version, \
         release_reason FROM touches WHERE account_id = 'acct-9'"
    );
    tx.execute_unprepared(&spoiled).await.unwrap();
    tx.commit().await.unwrap();
    let later = |number: usize, key: &str| Reserve {
        account_id: format!("acct-{number}"),
        ..commercial(key, 24 * 8)
    };
    let commands = [later(0, "later-0"), later(1, "spoiled"), later(2, "later-2")];
    let answers: Vec<Answer> = world
        .ledger
        .reserve_all(&commands)
        .await
        .into_iter()
        .map(told)
        .collect();
    let granted: Vec<bool> = answers.iter().map(|answer| matches!(answer, Ok(Ok(_)))).collect();
    assert_eq!(granted, [true, false, true], "{answers:?}");
    assert_eq!(answers[1].clone().unwrap_err(), "CONCURRENT_CHANGE");
}
