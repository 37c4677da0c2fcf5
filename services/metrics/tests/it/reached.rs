//! How far offers came at the person: what a channel cannot tell is not measured, and never 0 (K-9).

use upswell_proto::{
    metrics::v1::{
        GetFunnelRequest, GetLeadTimesRequest, GetProgrammeBreakdownRequest, GetWeeklyBreakdownRequest,
        GetWeeklyCutRequest, ListProgrammeStepsRequest, ProgrammeCut, ProgrammeStep, StepCount,
    },
    offers::v1::{
        Offer, OfferChanged, Order, OrderChanged, Terms, offer::State as OfferState, order::State as OrderState,
    },
    scoring::v1::{Signal, SignalChanged},
    vocabulary::v1::{Channel, Motion},
};

use crate::world::{World, at, kzt, order, profile, subscription, window};

/// An offer sent on 6 January, and when it was delivered, opened and clicked.
fn offer(account: &str, channel: Channel, state: OfferState, reached: [Option<&str>; 3]) -> OfferChanged {
    let [delivered, opened, clicked] = reached.map(|time| time.map(at));
    OfferChanged {
        offer: Some(Offer {
            offer_id: format!("offer-of-o-{account}"),
            account_id: account.to_owned(),
            motion: Motion::Capacity.into(),
            channel: channel.into(),
            signal_ids: vec![format!("s-{account}")],
            state: state.into(),
            terms: Some(Terms::default()),
            send_time: Some(at("2026-01-06T10:00:00Z")),
            state_time: Some(at("2026-01-10T00:00:00Z")),
            signal_time: Some(at("2026-01-05T00:00:00Z")),
            deliver_time: delivered,
            open_time: opened,
            click_time: clicked,
            ..Offer::default()
        }),
        ..OfferChanged::default()
    }
}

const DAY_7: Option<&str> = Some("2026-01-07T09:00:00Z");
const DAY_8: Option<&str> = Some("2026-01-08T09:00:00Z");
const DAY_9: Option<&str> = Some("2026-01-09T09:00:00Z");

/// The product tells of every step, the telephone of delivery, mail of clicks alone, a task of nothing.
async fn played() -> World {
    let world = World::start().await;
    for (account, segment, channel, state, reached) in [
        (
            "a",
            "small",
            Channel::InApp,
            OfferState::Accepted,
            [DAY_7, DAY_8, DAY_9],
        ),
        ("b", "small", Channel::InApp, OfferState::Sent, [DAY_7, None, None]),
        ("c", "large", Channel::InApp, OfferState::Sent, [None, None, None]),
        ("d", "large", Channel::Sms, OfferState::Sent, [DAY_8, None, None]),
        ("e", "large", Channel::Sms, OfferState::Expired, [None, None, None]),
        ("f", "large", Channel::Email, OfferState::Sent, [DAY_9, DAY_9, DAY_9]),
        ("g", "large", Channel::CsmTask, OfferState::Sent, [None, None, None]),
    ] {
        world.tell("ingestion", account, &profile(account, segment)).await;
        let plan = subscription(account, "plan", "2025-01-01", 100, "");
        world.tell("ingestion", account, &plan).await;
        let signal = Signal {
            signal_id: format!("s-{account}"),
            account_id: account.to_owned(),
            open_time: Some(at("2026-01-05T00:00:00Z")),
            ..Signal::default()
        };
        let opened = SignalChanged { signal: Some(signal) };
        world.tell("scoring", account, &opened).await;
        // The sending first; what the channel tells comes later, and may come after the answer.
        let sent = offer(account, channel, OfferState::Sent, [None; 3]);
        world.tell("offers", account, &sent).await;
        world
            .tell("offers", account, &offer(account, channel, state, reached))
            .await;
    }
    let paid = order("a", "o-a", Some("2026-01-14T00:00:00Z"));
    world.tell("offers", "a", &paid).await;
    let more = subscription("a", "capacity", "2026-01-12", 30, "o-a");
    world.tell("ingestion", "a", &more).await;
    world
}

fn counts(steps: &[StepCount]) -> Vec<Option<i64>> {
    steps.iter().map(|step| step.count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn k9_what_a_channel_cannot_tell_is_not_measured() {
    let world = played().await;
    let request = GetProgrammeBreakdownRequest {
        window: window("2026-01-01", "2026-02-01"),
        cut: ProgrammeCut::Channel.into(),
    };
    let slices = world.programme.clone().get_programme_breakdown(request).await;
    let slices = slices.unwrap().into_inner().slices;
    let told: Vec<_> = slices
        .iter()
        .map(|slice| (slice.value.as_str(), counts(&slice.steps)))
        .collect();
    let some = |numbers: [i64; 2]| numbers.map(Some);
    let row =
        |first: [i64; 2], reached: [Option<i64>; 3], last: [i64; 2]| [&some(first)[..], &reached, &some(last)].concat();
    assert_eq!(
        told,
        [
            ("csm_task", row([1, 1], [None; 3], [0, 0])),
            ("email", row([1, 1], [None, None, Some(1)], [0, 0])),
            ("in_app", row([3, 3], [Some(2), Some(1), Some(1)], [1, 1])),
            ("sms", row([2, 2], [Some(1), None, None], [0, 0])),
        ]
    );
    let in_app: Vec<_> = slices[2].steps.iter().map(|step| step.conversion).collect();
    let half = Some(0.5);
    assert_eq!(in_app[2..], [Some(2.0 / 3.0), half, Some(1.0), Some(1.0), Some(1.0)]);
    assert_eq!(slices[2].largest_loss_step, "opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn k9_the_funnel_names_what_is_not_measured() {
    let world = played().await;
    let ask = |from: &str, to: &str| {
        let (mut client, window) = (world.metrics.clone(), window(from, to));
        async move {
            client
                .get_funnel(GetFunnelRequest { window })
                .await
                .unwrap()
                .into_inner()
        }
    };
    let funnel = ask("2026-01-01", "2026-02-01").await;
    let told: Vec<_> = funnel
        .steps
        .iter()
        .map(|step| (step.step.as_str(), step.count))
        .collect();
    let expected = [
        ("signals", 7),
        ("offers_sent", 7),
        ("delivered", 3),
        ("opened", 1),
        ("clicked", 2),
        ("accepted", 1),
        ("paid", 1),
    ];
    assert_eq!(told, expected);
    // Three of the five that the product and the telephone sent; one of two that the product delivered; two of the four
    // that the product and mail sent, because mail does not tell who read; one of all seven.
    let shares: Vec<_> = funnel.steps.iter().map(|step| step.conversion).collect();
    assert_eq!(
        shares,
        [
            None,
            Some(1.0),
            Some(0.6),
            Some(0.5),
            Some(0.5),
            Some(1.0 / 7.0),
            Some(1.0)
        ]
    );
    assert!(funnel.unmeasured_steps.is_empty());
    let quiet = ask("2025-01-01", "2025-02-01").await;
    assert_eq!(quiet.unmeasured_steps, ["delivered", "opened", "clicked"]);
    assert_eq!(quiet.steps.len(), 4, "not 0, but not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn k9_every_step_opens_down_to_its_offers() {
    let world = played().await;
    for (by, value, step, offers) in [
        (ProgrammeCut::Unspecified, "", ProgrammeStep::Delivered, "abd"),
        (ProgrammeCut::Segment, "large", ProgrammeStep::Delivered, "d"),
        (ProgrammeCut::Segment, "small", ProgrammeStep::Opened, "a"),
        (ProgrammeCut::Channel, "email", ProgrammeStep::Opened, ""),
        (ProgrammeCut::Unspecified, "", ProgrammeStep::Clicked, "af"),
    ] {
        let request = ListProgrammeStepsRequest {
            window: window("2026-01-01", "2026-02-01"),
            cut: by.into(),
            value: value.to_owned(),
            step: step.into(),
            ..ListProgrammeStepsRequest::default()
        };
        let listed = world.programme.clone().list_programme_steps(request).await.unwrap();
        let listed: String = listed
            .into_inner()
            .steps
            .into_iter()
            .map(|step| step.account_id)
            .collect();
        assert_eq!(listed, offers, "{by:?} {value} {step:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn k9_the_weekly_cut_by_slice_adds_up_to_the_whole() {
    let world = played().await;
    let asked = window("2026-01-01", "2026-01-18");
    let whole = world
        .metrics
        .clone()
        .get_weekly_cut(GetWeeklyCutRequest { window: asked })
        .await
        .unwrap()
        .into_inner()
        .weeks;
    let seen: Vec<_> = whole
        .iter()
        .map(|week| (week.delivered, week.opened, week.clicked))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(2), Some(0), Some(0)),
            (Some(1), Some(1), Some(2)),
            (None, None, None)
        ],
        "the last week has no offers, so that there is nothing to measure"
    );
    for by in 0..=8 {
        let request = GetWeeklyBreakdownRequest { window: asked, cut: by };
        let slices = world.programme.clone().get_weekly_breakdown(request).await.unwrap();
        let slices = slices.into_inner().slices;
        for (index, week) in whole.iter().enumerate() {
            let of = |step: ProgrammeStep| -> i64 {
                let weeks = slices.iter().map(|slice| &slice.weeks[index]);
                weeks
                    .flat_map(|week| &week.steps)
                    .filter(|count| count.step() == step)
                    .filter_map(|count| count.count)
                    .sum()
            };
            assert_eq!(of(ProgrammeStep::Signals), week.signals, "{by}");
            assert_eq!(of(ProgrammeStep::OffersSent), week.offers_sent, "{by}");
            assert_eq!(of(ProgrammeStep::Delivered), week.delivered.unwrap_or_default(), "{by}");
            assert_eq!(of(ProgrammeStep::Clicked), week.clicked.unwrap_or_default(), "{by}");
            assert_eq!(of(ProgrammeStep::Accepted), week.accepted, "{by}");
            assert_eq!(of(ProgrammeStep::Paid), week.paid, "{by}");
            let earned: Vec<_> = slices
                .iter()
                .flat_map(|slice| &slice.weeks[index].expansion)
                .cloned()
                .collect();
            assert_eq!(earned, week.expansion, "{by}");
            let is_of_accounts = by < 5;
            assert!(
                slices
                    .iter()
                    .all(|slice| slice.weeks[index].touches.is_some() == is_of_accounts),
                "{by}"
            );
        }
    }
    let segments = GetWeeklyBreakdownRequest {
        window: asked,
        cut: ProgrammeCut::Segment.into(),
    };
    let segments = world.programme.clone().get_weekly_breakdown(segments).await.unwrap();
    let segments = segments.into_inner().slices;
    let names: Vec<_> = segments.iter().map(|slice| slice.value.as_str()).collect();
    assert_eq!(names, ["large", "small"]);
    assert_eq!(segments[1].weeks[1].expansion, [kzt(30)]);
    assert_eq!(
        segments[1].weeks[0].largest_loss_step, "opened",
        "nobody opened within the week"
    );
    let long = GetWeeklyBreakdownRequest {
        window: window("2020-01-01", "2026-01-01"),
        cut: 99,
    };
    let refused = world.programme.clone().get_weekly_breakdown(long).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn k7_an_order_that_was_taken_back_was_never_placed() {
    let world = played().await;
    let open = || {
        let mut client = world.metrics.clone();
        let window = window("2026-01-01", "2026-02-01");
        async move {
            let times = client.get_lead_times(GetLeadTimesRequest { window }).await.unwrap();
            let payment = times.into_inner().signal_to_payment_days.unwrap();
            (payment.complete, payment.open)
        }
    };
    let before = open().await;
    assert_eq!(before, (1, 5), "five offers may still be accepted, one expired");
    // `b` accepts: the order is open instead of the offer.
    let accepted = offer("b", Channel::InApp, OfferState::Accepted, [DAY_7, DAY_8, DAY_9]);
    world.tell("offers", "b", &accepted).await;
    let placed = order("b", "o-b", None);
    world.tell("offers", "b", &placed).await;
    let more = subscription("b", "capacity", "2026-01-12", 30, "o-b");
    world.tell("ingestion", "b", &more).await;
    assert_eq!(open().await, (1, 5));
    // The answer was corrected: the offer lapses, and nobody waits for a payment.
    let lapsed = offer("b", Channel::InApp, OfferState::Expired, [DAY_7, DAY_8, DAY_9]);
    world.tell("offers", "b", &lapsed).await;
    let cancelled = OrderChanged {
        order: Some(Order {
            state: OrderState::Cancelled.into(),
            ..placed.order.clone().unwrap()
        }),
    };
    world.tell("offers", "b", &cancelled).await;
    assert_eq!(open().await, (1, 4));
    let request = GetProgrammeBreakdownRequest {
        window: window("2026-01-01", "2026-02-01"),
        cut: ProgrammeCut::Unspecified.into(),
    };
    let slices = world.programme.clone().get_programme_breakdown(request).await;
    let all = slices.unwrap().into_inner().slices.remove(0);
    let money: Vec<_> = all
        .money
        .iter()
        .map(|part| (part.expansion.clone(), part.orders))
        .collect();
    assert_eq!(
        money,
        [(Some(kzt(30)), 1)],
        "what it raised is no work of the programme"
    );
    assert_eq!(counts(&all.steps)[5..], [Some(1), Some(1)]);
    // Accepted once more, it is an order again.
    world.tell("offers", "b", &accepted).await;
    world
        .tell("offers", "b", &order("b", "o-b", Some("2026-01-20T00:00:00Z")))
        .await;
    assert_eq!(open().await, (2, 4));
}
