//! The second case: everything that goes wrong, judged by an oracle that reads the case's files, the delivered messages
//! and the ledger, and shares no code with the services.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;
use upswell::lists;
use upswell_proto::offers::v1::{
    Offer, approval, approval_service_client::ApprovalServiceClient,
    experiment_service_client::ExperimentServiceClient, offer, offer_service_client::OfferServiceClient, touch,
    touch_ledger_service_client::TouchLedgerServiceClient,
};

use crate::support::{self, Played, World};

/// Delivered messages as the spool holds them.
fn delivered(spool: &Path) -> Vec<Value> {
    let mut messages = Vec::new();
    for channel in fs::read_dir(spool).unwrap() {
        for message in fs::read_dir(channel.unwrap().path()).unwrap() {
            let path = message.unwrap().path();
            assert!(
                path.extension().is_some_and(|ending| ending == "json"),
                "half a message: {}",
                path.display()
            );
            messages.push(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap());
        }
    }
    messages
}

/// Monthly cents of a price in the import format, by the arithmetic of the specification.
fn monthly(price: &str, quantity: i64, period: &str) -> i64 {
    let units: f64 = price.strip_suffix(" USD").unwrap().parse().unwrap();
    let cents = (units * 100.0).round() as i64 * quantity;
    let divided = |by: i64| (cents * 2 + by) / (2 * by);
    match period {
        "month" => cents,
        "quarter" => divided(3),
        "year" => divided(12),
        other => panic!("the case has no {other}"),
    }
}

/// Monthly cents per account on a day, from the raw lines alone.
fn contracted(facts: &str, day: &str) -> BTreeMap<String, i64> {
    let mut latest: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for line in facts
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let terms = &line["subscription"];
        let effective = terms["effective"].as_str().unwrap_or("9999").to_owned();
        let known = terms["period"] != "fortnight" && effective.as_str() <= day;
        let name = terms["subscription_id"].as_str().unwrap_or_default().to_owned();
        if known && latest.get(&name).is_none_or(|(before, _)| *before <= effective) {
            latest.insert(name, (effective, line));
        }
    }
    let mut accounts = BTreeMap::new();
    for (_, line) in latest.values() {
        let terms = &line["subscription"];
        if terms["end"].as_str().is_none_or(|end| end > day) {
            let amount = monthly(
                terms["unit_price"].as_str().unwrap(),
                1,
                terms["period"].as_str().unwrap(),
            );
            *accounts
                .entry(line["account"].as_str().unwrap().to_owned())
                .or_insert(0) += amount;
        }
    }
    accounts
}

async fn offers(world: &World) -> Vec<Offer> {
    lists::offers(&mut OfferServiceClient::new(world.channel("offers")), &[])
        .await
        .unwrap()
}

fn of<'a>(offers: &'a [Offer], account: &'a str) -> impl Iterator<Item = &'a Offer> {
    offers.iter().filter(move |offer| offer.account_id == account)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_frontier_case_is_what_an_independent_oracle_finds() {
    let Played { world, case, report } = support::play("frontier").await;
    let offers = offers(&world).await;
    caps(&world, &report).await;
    money(&case, &report, &offers);
    holdout(&world, &offers).await;
    people(&world, &offers).await;
    bad_input(&report);
    support::golden(
        "frontier-report.json",
        &(serde_json::to_string_pretty(&report).unwrap() + "\n"),
    );
    world.cluster.stop().await.unwrap();
}

/// Limits as another pair of eyes reads them, and each touch of ours was delivered once.
async fn caps(world: &World, report: &upswell::demo::report::Report) {
    assert_eq!(report.checker.violations, Vec::<String>::new());
    assert_eq!(report.pressure.touches, report.checker.touches);
    let touches = lists::touches(&mut TouchLedgerServiceClient::new(world.channel("offers")))
        .await
        .unwrap();
    let made: BTreeSet<String> = touches
        .iter()
        .filter(|touch| touch.sender == "offers" && touch.state() == touch::State::Confirmed)
        .map(|touch| touch.touch_id.clone())
        .collect();
    let sent: Vec<String> = delivered(&world.data.spool())
        .iter()
        .map(|message| message["touch_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent.len(), made.len());
    assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), made);
    let observed = touches
        .iter()
        .filter(|touch| touch.state() == touch::State::Observed)
        .count();
    assert_eq!(observed, 2, "two touches by other tools");
}

/// MRR, NRR and GRR from the raw lines, the reactions and nothing else.
fn money(case: &upswell::demo::case::Case, report: &upswell::demo::report::Report, offers: &[Offer]) {
    let facts = fs::read_to_string(case.folder.join("facts.jsonl")).unwrap();
    // The start of a day is the state of the evening before.
    let start = contracted(&facts, "2026-03-01");
    let mut end = contracted(&facts, "2026-04-19");
    let mut gained = 0;
    for accepted in offers.iter().filter(|offer| offer.state() == offer::State::Accepted) {
        let price = if accepted.playbook == "premium-support" {
            4_900
        } else {
            4_000
        };
        *end.get_mut(&accepted.account_id).unwrap() += price;
        gained += price;
    }
    assert!(gained > 0, "somebody accepts in this case");
    let total = |mrr: &BTreeMap<String, i64>| mrr.values().sum::<i64>();
    let kept = |cap: bool| -> i64 {
        let now = |account: &String| end.get(account).copied().unwrap_or(0);
        start
            .iter()
            .map(|(account, mrr)| if cap { now(account).min(*mrr) } else { now(account) })
            .sum()
    };
    let money = &report.revenue;
    assert_eq!((money.mrr_start, money.mrr_end), (total(&start), total(&end)));
    assert_eq!((money.expansion_gross, money.expansion_attributed), (gained, gained));
    let ratio = |part: i64| part as f64 / total(&start) as f64;
    assert!((money.nrr.unwrap() - ratio(kept(false))).abs() < 1e-12);
    assert!((money.grr.unwrap() - ratio(kept(true))).abs() < 1e-12);
    assert!(money.grr.unwrap() < 1.0, "one account leaves and one gets by with less");
    assert_eq!(money.churned, 1);
}

/// C-12: the control group has its size and gets no commercial touch.
async fn holdout(world: &World, offers: &[Offer]) {
    let arms = lists::assignments(&mut ExperimentServiceClient::new(world.channel("offers")))
        .await
        .unwrap();
    assert_eq!(arms.len(), 40);
    let held: BTreeSet<&str> = arms
        .iter()
        .filter(|arm| arm.holdout)
        .map(|arm| arm.account_id.as_str())
        .collect();
    assert_eq!(held.len(), 5, "12.5 % of 40");
    for offer in offers.iter().filter(|offer| held.contains(offer.account_id.as_str())) {
        let commercial = offer.class() == upswell_proto::vocabulary::v1::TouchClass::Commercial;
        assert!(
            !commercial || offer.send_time.is_none(),
            "C-12: {} was sent to the control group",
            offer.offer_id
        );
    }
}

/// The accounts that the case is about.
async fn people(world: &World, offers: &[Offer]) {
    let approvals = lists::approvals(&mut ApprovalServiceClient::new(world.channel("offers")), &[])
        .await
        .unwrap();
    let state = |account: &str| {
        approvals
            .iter()
            .find(|asked| asked.account_id == account)
            .map(|asked| asked.state())
    };
    assert_eq!(state("f-03"), Some(approval::State::Rejected), "C-14: the CSM said no");
    assert_eq!(
        state("f-04"),
        Some(approval::State::Consumed),
        "C-14: the CSM said yes, and it went out"
    );
    assert_eq!(
        state("f-05"),
        Some(approval::State::Expired),
        "C-14: expiry means not sent"
    );
    for account in ["f-03", "f-05"] {
        let sold = of(offers, account).any(|offer| offer.terms.is_some() && offer.send_time.is_some());
        assert!(!sold, "{account}: what was not approved was not sent");
    }
    let closing = of(offers, "f-06").filter(|offer| offer.send_time.is_some()).count();
    assert!(closing <= 1, "C-3: one touch in the last 30 days, not {closing}");
    let solved = "2026-03-26T15:00:00Z".parse().unwrap();
    for offer in of(offers, "f-10").filter(|offer| offer.motion() == upswell_proto::vocabulary::v1::Motion::Capacity) {
        let sent = upswell::wire::instant(offer.send_time.as_ref());
        assert!(
            sent.is_none_or(|sent| sent > solved),
            "SC-9: f-10 was sold to while a critical ticket was open"
        );
    }
    for offer in of(offers, "f-13") {
        assert!(offer.terms.is_none(), "SG-3: a falling account gets help, not a price");
    }
    assert_eq!(of(offers, "f-24").count(), 0, "SG-5: two tickets are no cluster");
    assert!(
        of(offers, "f-17").any(|offer| offer.send_time.is_some()),
        "SG-6: the 60-day package went out"
    );
}

fn bad_input(report: &upswell::demo::report::Report) {
    assert_eq!(report.facts.conflicts, 1);
    let all: Vec<&String> = report.facts.rejected.iter().chain(&report.facts.broken).collect();
    assert_eq!(all.len(), 6, "{all:#?}");
    assert!(report.facts.sent > report.facts.distinct, "duplicates came in");
}
