//! Uplift and tests of variants over a real channel.

use tonic::Code;
use upswell_proto::{
    metrics::v1::{GetUpliftRequest, GetUpliftResponse, GetVariantResultsRequest, uplift_effect::Verdict},
    offers::v1::{
        Assignment, HoldoutAssigned, Offer, OfferChanged, Terms, VariantAssigned, offer::State as OfferState,
    },
    vocabulary::v1::Motion,
};

use crate::world::{World, at, subscription};

fn arm(account: &str, holdout: bool, assigned: &str) -> HoldoutAssigned {
    HoldoutAssigned {
        assignment: Some(Assignment {
            account_id: account.to_owned(),
            holdout,
            stratum: "mid-market/base".to_owned(),
            epoch: 1,
            assign_time: Some(at(assigned)),
        }),
    }
}

fn offer(account: &str, state: OfferState) -> OfferChanged {
    let offer = Offer {
        offer_id: format!("offer-{account}"),
        account_id: account.to_owned(),
        motion: Motion::Capacity.into(),
        state: state.into(),
        terms: Some(Terms::default()),
        send_time: Some(at("2025-12-20T10:00:00Z")),
        state_time: Some(at("2025-12-22T10:00:00Z")),
        signal_time: Some(at("2025-12-19T10:00:00Z")),
        ..Offer::default()
    };
    OfferChanged {
        offer: Some(offer),
        ..OfferChanged::default()
    }
}

async fn asked(world: &World) -> GetUpliftResponse {
    let answer = world.metrics.clone().get_uplift(GetUpliftRequest::default()).await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn k10_without_data_the_answer_is_what_is_lacking() {
    let world = World::start().await;
    let nothing = asked(&world).await;
    assert_eq!(nothing.insufficient[0].reason, "no_holdout");
    assert_eq!((nothing.reading, nothing.reading_date), (0, None));
    world.tell("offers", "a", &arm("a", true, "2026-01-15T12:00:00Z")).await;
    let early = asked(&world).await;
    assert_eq!(early.insufficient[0].reason, "too_early");
    assert_eq!(early.insufficient[0].detail, "the first reading is on 2026-02-14");
    assert_eq!(early.reading_date.unwrap().day, 14);
    let bad = GetUpliftRequest {
        currency_code: "money".to_owned(),
        epoch: -1,
        segment: String::new(),
    };
    let refused = world.metrics.clone().get_uplift(bad).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

/// 48 accounts at 100 tenge a month, 6 held out; the treated grow by 40 on 24 December. One arm came too late to count,
/// one held-out account got an offer.
#[tokio::test(flavor = "multi_thread")]
async fn k10_treatment_against_holdout_by_intention_to_treat() {
    let world = World::start().await;
    for index in 0..48 {
        let (account, holdout) = (format!("acct-{index:02}"), index % 8 == 0);
        let own = 100 + index % 5;
        world
            .tell(
                "ingestion",
                &account,
                &subscription(&account, "plan", "2025-01-01", own, ""),
            )
            .await;
        world
            .tell("offers", &account, &arm(&account, holdout, "2025-12-15T12:00:00Z"))
            .await;
        if !holdout {
            let more = subscription(&account, "more", "2025-12-24", 40 + index % 3, "");
            world.tell("ingestion", &account, &more).await;
        }
        if !holdout || index == 0 {
            world.tell("offers", &account, &offer(&account, OfferState::Sent)).await;
        }
    }
    world
        .tell("offers", "late", &arm("late", true, "2026-01-20T00:00:00Z"))
        .await;
    let told = asked(&world).await;
    assert_eq!((told.currency_code.as_str(), told.epoch, told.reading), ("KZT", 1, 3));
    assert_eq!(told.reading_date.unwrap().day, 28, "thirty days, then two weeks");
    let (holdout, treatment) = (told.holdout.unwrap(), told.treatment.unwrap());
    assert_eq!((holdout.accounts, holdout.offered, treatment.accounts), (6, 1, 42));
    assert!(told.sample_ratio_p.unwrap() > 0.9 && told.insufficient.is_empty());
    let names: Vec<_> = told.measures.iter().map(|measure| measure.measure.as_str()).collect();
    assert_eq!(names, ["arpa", "nrr", "conversion"]);
    for measure in &told.measures {
        let effect = measure.effect.as_ref().unwrap();
        assert_eq!(effect.verdict(), Verdict::Better, "{measure:?}");
        assert_eq!(effect.method, "permutation");
    }
    let [arpa, nrr, conversion] = [0, 1, 2].map(|index| told.measures[index].effect.as_ref().unwrap());
    assert!(
        (arpa.difference - 41.0).abs() < 1.5,
        "in units of the currency: {arpa:?}"
    );
    assert!((nrr.difference - 0.4).abs() < 0.03, "{nrr:?}");
    assert_eq!((conversion.holdout, conversion.treatment), (0.0, 1.0));
    assert_eq!(asked(&world).await, told, "asking again changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn k11_an_account_keeps_its_first_variant() {
    let world = World::start().await;
    let assigned = |account: &str, variant: &str| VariantAssigned {
        account_id: account.to_owned(),
        experiment: "subject".to_owned(),
        variant: variant.to_owned(),
        control: variant == "plain",
        weight: 1.0,
        assign_time: Some(at("2025-12-15T12:00:00Z")),
    };
    for index in 0..60 {
        let account = format!("acct-{index:02}");
        let variant = if index % 2 == 0 { "plain" } else { "warm" };
        world.tell("offers", &account, &assigned(&account, variant)).await;
        world.tell("offers", &account, &assigned(&account, "other")).await;
        let state = if index % 2 == 1 {
            OfferState::Accepted
        } else {
            OfferState::Sent
        };
        world.tell("offers", &account, &offer(&account, state)).await;
    }
    let ask = |experiment: &str| GetVariantResultsRequest {
        experiment: experiment.to_owned(),
    };
    let told = world
        .metrics
        .clone()
        .get_variant_results(ask("subject"))
        .await
        .unwrap()
        .into_inner();
    let arms: Vec<_> = told
        .variants
        .iter()
        .map(|v| (v.variant.as_str(), v.accounts, v.accepted))
        .collect();
    assert_eq!(arms, [("plain", 30, 0), ("warm", 30, 30)]);
    assert_eq!(told.control, "plain");
    let warm = &told.variants[1];
    assert_eq!((warm.difference, warm.verdict()), (Some(1.0), Verdict::Better));
    assert!(warm.always_valid_interval.unwrap().low.unwrap() > 0.0);
    let unknown = world
        .metrics
        .clone()
        .get_variant_results(ask("nothing"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let empty = world.metrics.clone().get_variant_results(ask("")).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
}
