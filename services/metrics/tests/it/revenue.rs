//! Revenue opened up, over a real channel.

use tonic::Code;
use tonic_types::StatusExt as _;
use upswell_proto::{
    gtype,
    ingestion::v1::subscription_terms::Kind,
    metrics::v1::{
        ExchangeRate, GetCohortsRequest, GetLtvRequest, GetRevenueBreakdownRequest, GetRevenueMetricsRequest,
        ListAccountRevenueRequest, ListExchangeRatesRequest, MovementKind, RecordExchangeRatesRequest,
        RevenueDimension, RevenueMetrics,
    },
};

use crate::world::{World, kzt, profile, subscription, window, wire_day};

fn money(code: &str, units: i64) -> gtype::Money {
    gtype::Money {
        currency_code: code.to_owned(),
        ..kzt(units)
    }
}

fn rate(code: &str, on: &str, rate: &str) -> ExchangeRate {
    ExchangeRate {
        currency_code: code.to_owned(),
        quote_code: "KZT".to_owned(),
        date: Some(wire_day(on)),
        rate: rate.to_owned(),
        record_time: None,
    }
}

async fn record(world: &World, id: u8, rates: Vec<ExchangeRate>) -> Result<i32, tonic::Status> {
    let request = RecordExchangeRatesRequest {
        request_id: format!("00000000-0000-4000-8000-0000000000{id:02}"),
        rates,
    };
    let answer = world.revenue.clone().record_exchange_rates(request).await?;
    Ok(answer.into_inner().changed_count)
}

async fn revenue(world: &World, request: GetRevenueMetricsRequest) -> Vec<RevenueMetrics> {
    let answer = world.metrics.clone().get_revenue_metrics(request).await.unwrap();
    answer.into_inner().currencies
}

/// Four accounts in two segments and countries: one pays in dollars, one leaves in March, one grows, one comes.
async fn played() -> World {
    let world = World::start().await;
    for (account, segment, country, since) in [
        ("a-1", "small", "KZ", "2025-11-03"),
        ("a-2", "small", "KZ", "2025-11-20"),
        ("a-3", "large", "UA", "2025-11-20"),
        ("a-4", "large", "UA", "2026-02-02"),
    ] {
        let mut told = profile(account, segment);
        let of = told.profile.as_mut().unwrap();
        of.country_code = country.to_owned();
        of.customer_since = Some(wire_day(since));
        world.tell("ingestion", account, &told).await;
    }
    let line = |account: &str, from: &str, code: &str, mrr: i64, product: &str| {
        let mut told = subscription(account, "plan", from, mrr, "");
        told.mrr = Some(money(code, mrr));
        let terms = told.terms.as_mut().unwrap();
        terms.product = product.to_owned();
        terms.kind = Kind::Plan.into();
        terms.quantity = 1;
        told
    };
    world
        .tell("ingestion", "a-1", &line("a-1", "2025-11-10", "USD", 100, "basic"))
        .await;
    world
        .tell("ingestion", "a-2", &line("a-2", "2025-11-20", "KZT", 60_000, "basic"))
        .await;
    world
        .tell("ingestion", "a-2", &line("a-2", "2026-02-10", "KZT", 90_000, "pro"))
        .await;
    world
        .tell("ingestion", "a-3", &line("a-3", "2025-12-01", "KZT", 40_000, "basic"))
        .await;
    let mut left = line("a-3", "2026-03-01", "KZT", 40_000, "basic");
    left.terms.as_mut().unwrap().end_date = Some(wire_day("2026-03-15"));
    world.tell("ingestion", "a-3", &left).await;
    world
        .tell("ingestion", "a-4", &line("a-4", "2026-02-05", "KZT", 50_000, "basic"))
        .await;
    world
}

fn total(metrics: &RevenueMetrics, kind: MovementKind) -> i64 {
    let found = metrics.movements.iter().find(|total| total.kind() == kind);
    found.map_or(0, |total| total.amount.as_ref().unwrap().units)
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_k4_currencies_in_one_with_fx_as_its_own_movement() {
    let world = played().await;
    let in_tenge = |start: &str, end: &str| GetRevenueMetricsRequest {
        window: window(start, end),
        currency_code: "KZT".to_owned(),
        ..Default::default()
    };
    let missing = world
        .metrics
        .clone()
        .get_revenue_metrics(in_tenge("2026-01-01", "2026-04-01"))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::FailedPrecondition);
    assert_eq!(missing.get_error_details().error_info().unwrap().reason, "RATE_MISSING");
    assert!(
        missing.message().contains("USD to KZT is known for 2026-01-01"),
        "{missing}"
    );
    let known = vec![rate("USD", "2025-12-01", "450"), rate("USD", "2026-02-17", "500")];
    assert_eq!(record(&world, 1, known.clone()).await.unwrap(), 2);
    assert_eq!(record(&world, 1, known.clone()).await.unwrap(), 2, "the same request");
    assert_eq!(record(&world, 2, known).await.unwrap(), 0, "the same rates");
    let found = revenue(&world, in_tenge("2026-01-01", "2026-04-01")).await;
    let told = &found[0];
    assert_eq!(
        (told.mrr_start.clone(), told.mrr_end.clone()),
        (Some(kzt(145_000)), Some(kzt(190_000)))
    );
    let kinds = [
        MovementKind::New,
        MovementKind::Expansion,
        MovementKind::Churn,
        MovementKind::Fx,
    ];
    assert_eq!(kinds.map(|kind| total(told, kind)), [50_000, 30_000, -40_000, 5_000]);
    assert_eq!(
        (
            told.paying_accounts_start,
            told.paying_accounts_end,
            told.churned_accounts
        ),
        (3, 3, 1)
    );
    assert_eq!(
        (told.nrr, told.grr),
        (Some(135.0 / 145.0), Some(105.0 / 145.0)),
        "at the rate of the start"
    );
    let odd = revenue(&world, in_tenge("2026-01-05", "2026-03-29")).await;
    assert_eq!((odd[0].nrr, odd[0].mrr_end.clone()), (told.nrr, told.mrr_end.clone()));
    let one = revenue(
        &world,
        GetRevenueMetricsRequest {
            country_code: "KZ".to_owned(),
            ..in_tenge("2026-02-01", "2026-03-01")
        },
    )
    .await;
    assert_eq!(
        (
            total(&one[0], MovementKind::Fx),
            total(&one[0], MovementKind::Expansion)
        ),
        (5_000, 30_000)
    );
    let listed = world
        .revenue
        .clone()
        .list_exchange_rates(ListExchangeRatesRequest {
            page_size: 1,
            ..Default::default()
        })
        .await;
    let listed = listed.unwrap().into_inner();
    assert_eq!((listed.rates.len(), listed.rates[0].rate.as_str()), (1, "450"));
    assert!(!listed.next_page_token.is_empty());
    let bad = vec![
        rate("USD", "2026-01-01", "0"),
        rate("KZT", "2026-01-01", "1"),
        rate("XXX", "2026-01-01", "1"),
    ];
    let refused = record(&world, 3, bad).await.unwrap_err();
    let details = refused.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|v| v.field.clone())
        .collect();
    assert_eq!(
        fields,
        ["rates[0].rate", "rates[1].quote_code", "rates[2].currency_code"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k6_slices_add_up_to_the_whole_and_open_down_to_accounts() {
    let world = played().await;
    let of_window = window("2026-01-01", "2026-04-01");
    let whole = revenue(
        &world,
        GetRevenueMetricsRequest {
            window: of_window,
            ..Default::default()
        },
    )
    .await;
    for (dimension, expected) in [
        (RevenueDimension::Segment, vec!["large", "small"]),
        (RevenueDimension::Plan, vec!["basic", "pro"]),
        (RevenueDimension::Country, vec!["KZ", "UA"]),
        (RevenueDimension::Cohort, vec!["2025-11", "2026-02"]),
    ] {
        let request = GetRevenueBreakdownRequest {
            window: of_window,
            dimension: dimension.into(),
        };
        let slices = world
            .revenue
            .clone()
            .get_revenue_breakdown(request)
            .await
            .unwrap()
            .into_inner()
            .slices;
        let mut names: Vec<_> = slices.iter().map(|slice| slice.value.as_str()).collect();
        names.dedup();
        assert_eq!(names, expected);
        for metrics in &whole {
            let of_currency = || {
                slices
                    .iter()
                    .filter_map(|s| s.metrics.as_ref())
                    .filter(|m| m.currency_code == metrics.currency_code)
            };
            let end: i64 = of_currency().map(|m| m.mrr_end.as_ref().unwrap().units).sum();
            assert_eq!(end, metrics.mrr_end.as_ref().unwrap().units, "{dimension:?}");
            let retained: i64 = of_currency().map(|m| m.retained_gross.as_ref().unwrap().units).sum();
            assert_eq!(
                retained,
                metrics.retained_gross.as_ref().unwrap().units,
                "{dimension:?}"
            );
        }
    }
    let mut request = ListAccountRevenueRequest {
        window: of_window,
        page_size: 2,
        ..Default::default()
    };
    let mut told = Vec::new();
    loop {
        let page = world
            .revenue
            .clone()
            .list_account_revenue(request.clone())
            .await
            .unwrap()
            .into_inner();
        told.extend(page.accounts.into_iter().map(|share| {
            let units = |amount: Option<gtype::Money>| amount.unwrap().units;
            let moved: i64 = share
                .movements
                .iter()
                .map(|total| total.amount.as_ref().unwrap().units)
                .sum();
            let (start, end) = (units(share.mrr_start), units(share.mrr_end));
            assert_eq!(start + moved, end, "{}", share.account_id);
            (share.account_id, start, end)
        }));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let expected = [
        ("a-1", 100, 100),
        ("a-2", 60_000, 90_000),
        ("a-3", 40_000, 0),
        ("a-4", 0, 50_000),
    ];
    assert_eq!(told, expected.map(|(id, start, end)| (id.to_owned(), start, end)));
    let both = GetRevenueMetricsRequest {
        window: window("2026-01-01", "2026-02-01"),
        segment: "small".to_owned(),
        plan: "pro".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        world
            .metrics
            .clone()
            .get_revenue_metrics(both)
            .await
            .unwrap_err()
            .code(),
        Code::InvalidArgument
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k6_cohorts_and_lifetime_values() {
    let world = played().await;
    let request = GetCohortsRequest {
        start_month: Some(wire_day("2025-11-01")),
        end_month: Some(wire_day("2026-03-01")),
    };
    let cohorts = world
        .revenue
        .clone()
        .get_cohorts(request)
        .await
        .unwrap()
        .into_inner()
        .cohorts;
    let november = cohorts
        .iter()
        .find(|c| c.cohort == "2025-11" && c.currency_code == "KZT")
        .unwrap();
    assert_eq!((november.accounts, november.mrr_first.clone()), (3, Some(kzt(100_000))));
    let months: Vec<_> = november
        .months
        .iter()
        .map(|m| (m.paying_accounts, m.mrr.as_ref().unwrap().units))
        .collect();
    assert_eq!(
        months,
        [(2, 60_000), (3, 100_000), (3, 100_000), (3, 130_000), (2, 90_000)]
    );
    assert_eq!(november.months[4].mrr_retention, Some(0.9));
    assert_eq!(november.months[4].logo_retention, Some(2.0 / 3.0));
    let ask = |start: &str, end: &str| GetLtvRequest {
        window: window(start, end),
        gross_margin_bp: Some(8_000),
        acquisition_cost: Some(kzt(105_000)),
        ..Default::default()
    };
    let quiet = world
        .revenue
        .clone()
        .get_ltv(ask("2026-01-01", "2026-02-01"))
        .await
        .unwrap()
        .into_inner();
    let value = quiet
        .currencies
        .iter()
        .find(|value| value.currency_code == "KZT")
        .unwrap();
    assert_eq!(
        (value.revenue.clone(), value.lifetime_months, value.ltv_to_cac),
        (None, None, None),
        "nobody left"
    );
    let lossy = world
        .revenue
        .clone()
        .get_ltv(ask("2026-01-01", "2026-04-01"))
        .await
        .unwrap()
        .into_inner();
    let value = lossy
        .currencies
        .iter()
        .find(|value| value.currency_code == "KZT")
        .unwrap();
    // One of two left in 90 days; ARPA is 70,000: 70,000 × 2 × 90 / 30.4375 = 413,963.0390….
    assert_eq!(value.arpa, Some(kzt(70_000)));
    let expected = gtype::Money {
        nanos: 40_000_000,
        ..kzt(413_963)
    };
    assert_eq!(value.revenue, Some(expected));
    assert_eq!(value.margin.as_ref().unwrap().units, 331_170);
    assert!((value.ltv_to_cac.unwrap() - 3.154).abs() < 1e-3);
    assert_eq!(
        (value.revenue_before.clone(), value.revenue_change),
        (None, None),
        "nobody left before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn k8_the_change_of_ltv_against_the_time_before() {
    let world = World::start().await;
    // Ten pay 100; one leaves in January. In February two of the nine leave, and the others pay 130.
    for number in 0..10 {
        let account = format!("n{number}");
        let end = match number {
            0 => Some("2026-01-20"),
            1 | 2 => Some("2026-02-20"),
            _ => None,
        };
        let mut told = subscription(&account, "plan", "2025-01-01", 100, "");
        told.terms.as_mut().unwrap().end_date = end.map(wire_day);
        world.tell("ingestion", &account, &told).await;
        if number > 2 {
            let told = subscription(&account, "plan", "2026-02-10", 130, "");
            world.tell("ingestion", &account, &told).await;
        }
    }
    let ask = |before| {
        let mut client = world.revenue.clone();
        let request = GetLtvRequest {
            window: window("2026-02-01", "2026-03-04"),
            before,
            ..Default::default()
        };
        async move { client.get_ltv(request).await.map(|told| told.into_inner().currencies) }
    };
    // 31 days each: 100 × 10 × 31 / 30.4375 then, 130 × 9/2 × 31 / 30.4375 now.
    let told = ask(None).await.unwrap();
    let of = |amount: &Option<gtype::Money>| {
        let amount = amount.as_ref().unwrap();
        amount.units * 100 + i64::from(amount.nanos / 10_000_000)
    };
    assert_eq!((of(&told[0].revenue_before), of(&told[0].revenue)), (101_848, 59_581));
    let change = told[0].revenue_change.unwrap();
    assert!((change - (59_581.0 - 101_848.0) / 101_848.0).abs() < 1e-12, "{change}");
    // A window of one's own choice; nobody left in it, so that nothing is compared.
    let told = ask(window("2025-06-01", "2025-07-01")).await.unwrap();
    assert_eq!((told[0].revenue_before.clone(), told[0].revenue_change), (None, None));
    let wrong = ask(window("2025-07-01", "2025-06-01")).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
}
