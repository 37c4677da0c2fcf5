//! Funnel, weekly cut, conversion, pressure and lead times over a real channel.

use sea_orm::{ConnectionTrait, Statement};
use upswell_proto::{
    metrics::v1::{
        GetFunnelRequest, GetLeadTimesRequest, GetMotionConversionRequest, GetPressureRequest, GetWeeklyCutRequest,
        MotionDrift,
    },
    offers::v1::{
        Approval, ApprovalChanged, Assignment, HoldoutAssigned, Offer, OfferChanged, Terms, Touch, TouchChanged,
        approval::State as ApprovalState, offer::State as OfferState, touch::State as TouchState,
    },
    scoring::v1::{Signal, SignalChanged, signal::State as SignalState},
    vocabulary::v1::{Motion, TouchClass},
};

use crate::world::{World, at, kzt, order, subscription, window};

fn signal(account: &str, id: &str, opened: &str, state: SignalState) -> SignalChanged {
    SignalChanged {
        signal: Some(Signal {
            signal_id: id.to_owned(),
            account_id: account.to_owned(),
            state: state.into(),
            open_time: Some(at(opened)),
            ..Signal::default()
        }),
    }
}

/// A priced capacity offer whose signal opened on 2026-01-05, sent on the 6th unless it is deferred.
fn offer(account: &str, id: &str, state: OfferState) -> OfferChanged {
    let sent = (state != OfferState::Deferred).then(|| at("2026-01-06T10:00:00Z"));
    let offer = Offer {
        offer_id: id.to_owned(),
        account_id: account.to_owned(),
        motion: Motion::Capacity.into(),
        state: state.into(),
        terms: Some(Terms::default()),
        send_time: sent,
        state_time: Some(at("2026-01-10T00:00:00Z")),
        signal_time: Some(at("2026-01-05T00:00:00Z")),
        ..Offer::default()
    };
    OfferChanged {
        offer: Some(offer),
        ..OfferChanged::default()
    }
}

fn touch(account: &str, id: &str, class: TouchClass, state: TouchState, actual: Option<&str>) -> TouchChanged {
    TouchChanged {
        touch: Some(Touch {
            touch_id: id.to_owned(),
            account_id: account.to_owned(),
            class: class.into(),
            state: state.into(),
            planned_time: Some(at("2026-01-06T10:00:00Z")),
            actual_time: actual.map(at),
            ..Touch::default()
        }),
    }
}

fn approval(id: &str, state: ApprovalState, decided: Option<&str>) -> ApprovalChanged {
    ApprovalChanged {
        approval: Some(Approval {
            approval_id: id.to_owned(),
            account_id: "a".to_owned(),
            approver_id: "ana".to_owned(),
            state: state.into(),
            request_time: Some(at("2026-01-31T00:00:00Z")),
            expire_time: Some(at("2026-02-02T00:00:00Z")),
            decide_time: decided.map(at),
            ..Approval::default()
        }),
    }
}

/// Two accounts: `a` accepts and pays on the 14th, `b` is asked, answers nothing, and has a second offer waiting.
async fn played() -> World {
    let world = World::start().await;
    for account in ["a", "b"] {
        world
            .tell(
                "ingestion",
                account,
                &subscription(account, "plan", "2025-01-01", 100, ""),
            )
            .await;
        world
            .tell(
                "scoring",
                account,
                &signal(account, account, "2026-01-05T00:00:00Z", SignalState::Open),
            )
            .await;
        world
            .tell(
                "offers",
                account,
                &offer(account, &format!("offer-of-o-{account}"), OfferState::Reserved),
            )
            .await;
        world
            .tell(
                "offers",
                account,
                &offer(account, &format!("offer-of-o-{account}"), OfferState::Sent),
            )
            .await;
        let sent = Some("2026-01-06T10:00:00Z");
        world
            .tell(
                "offers",
                account,
                &touch(account, account, TouchClass::Commercial, TouchState::Sending, None),
            )
            .await;
        world
            .tell(
                "offers",
                account,
                &touch(account, account, TouchClass::Commercial, TouchState::Confirmed, sent),
            )
            .await;
    }
    world
        .tell(
            "scoring",
            "a",
            &signal("a", "never", "2026-01-06T00:00:00Z", SignalState::Withdrawn),
        )
        .await;
    world
        .tell(
            "scoring",
            "a",
            &signal("a", "old", "2025-12-31T23:59:59.999999Z", SignalState::Open),
        )
        .await;
    world
        .tell("offers", "a", &offer("a", "offer-of-o-a", OfferState::Accepted))
        .await;
    world.tell("offers", "a", &order("a", "o-a", None)).await;
    world
        .tell(
            "ingestion",
            "a",
            &subscription("a", "capacity", "2026-01-12", 30, "o-a"),
        )
        .await;
    world
        .tell("offers", "a", &order("a", "o-a", Some("2026-01-14T00:00:00Z")))
        .await;
    world
        .tell("offers", "b", &offer("b", "later", OfferState::Deferred))
        .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn k8_k9_from_signals_to_money() {
    let world = played().await;
    let mut metrics = world.metrics.clone();
    let window = window("2026-01-01", "2026-02-01");
    let steps = metrics
        .get_funnel(GetFunnelRequest { window })
        .await
        .unwrap()
        .into_inner()
        .steps;
    let told: Vec<_> = steps.iter().map(|s| (s.step.as_str(), s.count, s.conversion)).collect();
    assert_eq!(
        told,
        [
            ("signals", 2, None),
            ("offers_sent", 2, Some(1.0)),
            ("accepted", 1, Some(0.5)),
            ("paid", 1, Some(1.0))
        ]
    );
    let motions = metrics
        .get_motion_conversion(GetMotionConversionRequest { window })
        .await
        .unwrap()
        .into_inner()
        .motions;
    assert_eq!(motions.len(), 1);
    let capacity = &motions[0];
    assert_eq!(
        (capacity.motion(), capacity.sent, capacity.accepted, capacity.paid),
        (Motion::Capacity, 2, 1, 1)
    );
    assert_eq!((capacity.accounts, capacity.expansion.clone()), (2, vec![kzt(30)]));
    assert_eq!((capacity.settled, capacity.drift()), (1, MotionDrift::Within));
    assert_eq!((capacity.band_low, capacity.band_high), (Some(0.20), Some(0.30)));
}

#[tokio::test(flavor = "multi_thread")]
async fn k9_weeks_count_from_the_first_day() {
    let world = played().await;
    let request = GetWeeklyCutRequest {
        window: window("2026-01-01", "2026-01-18"),
    };
    let weeks = world
        .metrics
        .clone()
        .get_weekly_cut(request)
        .await
        .unwrap()
        .into_inner()
        .weeks;
    let told: Vec<_> = weeks
        .iter()
        .map(|w| (w.signals, w.offers_sent, w.accepted, w.paid, w.touches))
        .collect();
    assert_eq!(told, [(2, 2, 0, 0, 2), (0, 0, 1, 1, 0), (0, 0, 0, 0, 0)]);
    let money: Vec<_> = weeks.iter().map(|w| w.expansion.clone()).collect();
    assert_eq!(money, [vec![], vec![kzt(30)], vec![]]);
    assert_eq!(weeks[2].start_date.unwrap().day, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn k13_pressure_counts_made_touches_that_are_not_contractual() {
    let world = played().await;
    let noon = Some("2026-01-20T12:00:00Z");
    let touches = [
        touch("b", "seen", TouchClass::Educational, TouchState::Observed, noon),
        touch("b", "sign", TouchClass::Contractual, TouchState::Confirmed, noon),
        touch("b", "back", TouchClass::Commercial, TouchState::Released, None),
        touch("b", "soon", TouchClass::Renewal, TouchState::Reserved, None),
        touch(
            "b",
            "past",
            TouchClass::Renewal,
            TouchState::Confirmed,
            Some("2026-01-29T00:00:00Z"),
        ),
    ];
    for touch in &touches {
        world.tell("offers", "b", touch).await;
    }
    world
        .tell(
            "ingestion",
            "gone",
            &subscription("gone", "plan", "2026-01-29", 100, ""),
        )
        .await;
    let request = GetPressureRequest {
        window: window("2026-01-01", "2026-01-29"),
    };
    let pressure = world.metrics.clone().get_pressure(request).await.unwrap().into_inner();
    assert_eq!((pressure.touches, pressure.accounts, pressure.weeks), (3, 2, 4.0));
    assert_eq!(pressure.touches_per_account_week, Some(3.0 / 8.0));
    assert_eq!(
        (pressure.busiest_account_id.as_str(), pressure.busiest_touches),
        ("b", 2)
    );
    let quiet = GetPressureRequest {
        window: window("2020-01-01", "2020-02-01"),
    };
    let quiet = world.metrics.clone().get_pressure(quiet).await.unwrap().into_inner();
    assert_eq!(
        (
            quiet.touches,
            quiet.touches_per_account_week,
            quiet.busiest_account_id.as_str()
        ),
        (0, None, "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k7_lead_times_and_the_longest_waits() {
    let world = played().await;
    for change in [
        approval("quick", ApprovalState::Pending, None),
        approval("quick", ApprovalState::Consumed, Some("2026-01-31T06:00:00Z")),
        approval("open", ApprovalState::Pending, None),
    ] {
        world.tell("offers", "a", &change).await;
    }
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
    let payment = times.signal_to_payment_days.unwrap();
    assert_eq!(
        (payment.complete, payment.mean, payment.median, payment.p90),
        (1, Some(9.0), Some(9.0), Some(9.0))
    );
    assert_eq!(payment.open, 2, "the offer without an answer and the deferred one");
    assert_eq!(
        payment.median_with_open, None,
        "two of three are open for longer than the one took"
    );
    let wait = times.approval_wait_hours.unwrap();
    assert_eq!((wait.complete, wait.open, wait.mean), (1, 1, Some(6.0)));
    let told: Vec<_> = times
        .longest_waits
        .iter()
        .map(|w| (w.approval_id.as_str(), w.hours, w.state.as_str()))
        .collect();
    assert_eq!(told, [("open", 24.0, "pending"), ("quick", 6.0, "consumed")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn c12_the_arm_of_an_account_is_kept() {
    let world = World::start().await;
    let assignment = Assignment {
        account_id: "a".to_owned(),
        holdout: true,
        stratum: "mid-market/base/q2/2027-q1".to_owned(),
        epoch: 1,
        assign_time: Some(at("2026-01-01T00:00:00Z")),
    };
    world
        .tell(
            "offers",
            "a",
            &HoldoutAssigned {
                assignment: Some(assignment),
            },
        )
        .await;
    let query = "SELECT account_id FROM holdout_arms WHERE holdout AND epoch = 1 AND stratum LIKE 'mid-market/%'";
    let kept = world
        .db
        .reader()
        .query_all_raw(Statement::from_string(world.db.backend(), query))
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
}
