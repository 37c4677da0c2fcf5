use jiff::{Timestamp, civil::date, tz::TimeZone};
use upswell_renewals::{
    Migrator, Settings,
    domain::{
        account::Account,
        contract::{StatedTerms, Version},
        renewal::Policy,
        risk::ChurnRisk,
    },
    store::{self, DealFilter, Settled, TaskFilter},
};
use upswell_runtime::{money::Money, problem::Violations, telemetry::TraceContext, testing::TempDb};

use crate::world::{noon, settings};

fn policy() -> Policy {
    settings().pipeline.policy(&mut Violations::new()).unwrap()
}

fn version(id: &str, currency: &str, minor: i64) -> Version {
    Version {
        version_id: id.to_owned(),
        effective_on: date(2026, 1, 1),
        end_on: Some(date(2028, 1, 1)),
        renewal_on: date(2027, 1, 1),
        mrr: Money::new(minor, currency.parse().unwrap()),
        stated: StatedTerms {
            auto_renew: Some(false),
            notice_days: None,
            term_months: Some(24),
        },
        occurred_at: Timestamp::UNIX_EPOCH,
        superseded: false,
    }
}

async fn learn(db: &TempDb, subscription: &str, version: &Version) {
    let tx = db.db.begin().await.unwrap();
    store::version_save(&tx, subscription, version).await.unwrap();
    store::subscription_due(&tx, subscription, "acme", &TraceContext::default())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Settles what is due at `now`; how many were.
async fn settle(db: &TempDb, now: Timestamp) -> usize {
    let tx = db.db.begin().await.unwrap();
    let due = store::subscriptions_due_fetch(&*tx, now, 1_000).await.unwrap();
    store::subscriptions_lock(&tx, &due).await.unwrap();
    let mut settled = Vec::new();
    for picture in store::pictures_load(&*tx, &due).await.unwrap() {
        let decision = picture.renewal.settled(&picture.account, &policy(), now);
        let check_at = decision.check_on.and_then(|day| picture.account.start_of(day));
        settled.push(Settled {
            before: picture.renewal,
            after: decision.renewal,
            check_at,
        });
    }
    store::settled_save(&tx, &settled).await.unwrap();
    tx.commit().await.unwrap();
    due.len()
}

#[tokio::test]
async fn what_is_saved_is_read_again() {
    let db = TempDb::open::<Migrator>().await.unwrap();
    assert!(
        db.db.migrate::<Migrator>().await.unwrap().is_empty(),
        "migrating again does nothing"
    );
    let account = Account {
        time_zone: TimeZone::get("Asia/Almaty").unwrap(),
        owner_id: "csm-1".into(),
        churn_risk: ChurnRisk::from_fraction(0.25),
        country: "KZ".into(),
        segment: "mid-market".into(),
        customer_since: Some(date(2024, 5, 1)),
        health: Some(70),
        open_critical: 1,
    };
    let tx = db.db.begin().await.unwrap();
    assert_eq!(store::account_fetch(&*tx, "acme").await.unwrap(), Account::unknown());
    store::account_save(&tx, "acme", &account).await.unwrap();
    tx.commit().await.unwrap();
    learn(&db, "sub-1", &version("v1", "KZT", 24_000_000)).await;
    // 60 days before: a stage with tasks, and a mark.
    let now = noon("2026-11-02");
    assert_eq!(settle(&db, now).await, 1);
    let ids = ["sub-1".to_owned(), "nobody".to_owned()];
    let pictures = store::pictures_load(db.db.reader(), &ids).await.unwrap();
    let [picture] = pictures.as_slice() else {
        panic!("one renewal: {pictures:?}")
    };
    assert_eq!(picture.account, account);
    let (deal, renewal) = (&picture.renewal.deals[0], &picture.renewal);
    assert_eq!(
        (renewal.deals.len(), renewal.tasks.len(), renewal.marks.len()),
        (1, 2, 1)
    );
    assert_eq!(deal.at_risk.minor, 9_000_000);
    assert_eq!(
        renewal.settled(&account, &policy(), now).renewal,
        *renewal,
        "nothing was lost on the way"
    );
    let deal_id = deal.deal_id.to_string();
    assert_eq!(
        store::deal_subscription_fetch(db.db.reader(), &deal_id)
            .await
            .unwrap()
            .as_deref(),
        Some("sub-1")
    );
    let task_id = renewal.tasks[0].task_id.to_string();
    assert_eq!(
        store::task_subject_fetch(db.db.reader(), &task_id).await.unwrap(),
        Some(deal_id.clone())
    );
    assert_eq!(store::task_subject_fetch(db.db.reader(), &deal_id).await.unwrap(), None);
}

#[tokio::test]
async fn only_what_is_due_is_found() {
    let db = TempDb::open::<Migrator>().await.unwrap();
    learn(&db, "sub-1", &version("v1", "KZT", 1)).await;
    learn(&db, "sub-2", &version("v2", "KZT", 1)).await;
    assert_eq!(settle(&db, noon("2026-05-01")).await, 2);
    assert_eq!(settle(&db, noon("2026-09-02")).await, 0, "121 days before");
    assert_eq!(settle(&db, noon("2026-09-03")).await, 2);
    let tx = db.db.begin().await.unwrap();
    store::subscriptions_due(&tx, "acme", &TraceContext::default())
        .await
        .unwrap();
    store::subscriptions_due(&tx, "other", &TraceContext::default())
        .await
        .unwrap();
    let due = store::subscriptions_due_fetch(&*tx, noon("2026-09-03"), 1)
        .await
        .unwrap();
    assert_eq!(due, ["sub-1"]);
}

#[tokio::test]
async fn rn3_pages_follow_each_other_without_gap_or_overlap() {
    let db = TempDb::open::<Migrator>().await.unwrap();
    let amounts = [
        ("KZT", 500),
        ("USD", 100),
        ("KZT", 900),
        ("KZT", 500),
        ("USD", 700),
        ("KZT", 500),
    ];
    for (index, (currency, minor)) in amounts.iter().enumerate() {
        learn(
            &db,
            &format!("sub-{index}"),
            &version(&format!("v{index}"), currency, minor * 100),
        )
        .await;
    }
    settle(&db, noon("2026-11-02")).await;
    let filter = DealFilter {
        account_id: Some("acme".into()),
        include_closed: false,
    };
    let all = store::deal_list(db.db.reader(), &filter, None, 100).await.unwrap();
    let order: Vec<_> = all
        .iter()
        .map(|(_, item)| (item.deal.mrr.currency.to_string(), item.deal.mrr.minor))
        .collect();
    let expected = [
        ("KZT", 900),
        ("KZT", 500),
        ("KZT", 500),
        ("KZT", 500),
        ("USD", 700),
        ("USD", 100),
    ];
    assert_eq!(
        order,
        expected.map(|(currency, minor)| (currency.to_owned(), minor * 100))
    );
    let (mut paged, mut after) = (Vec::new(), None);
    while let Some((key, item)) = store::deal_list(db.db.reader(), &filter, after.as_ref(), 1)
        .await
        .unwrap()
        .pop()
    {
        paged.push((key.clone(), item));
        after = Some(key);
    }
    assert_eq!(paged, all);
    let filter = TaskFilter {
        assignee_id: None,
        deal_id: None,
        account_id: None,
        include_closed: false,
    };
    let all = store::task_list(db.db.reader(), &filter, None, 100).await.unwrap();
    assert_eq!(all.len(), 12);
    let (mut paged, mut after) = (Vec::new(), None);
    while let Some((key, item)) = store::task_list(db.db.reader(), &filter, after.as_ref(), 1)
        .await
        .unwrap()
        .pop()
    {
        paged.push((key.clone(), item));
        after = Some(key);
    }
    assert_eq!(paged, all);
}

#[test]
fn every_setting_that_cannot_be_used_is_told() {
    let mut violations = Violations::new();
    settings().validate(&mut violations);
    assert!(violations.is_empty(), "the defaults are fine");
    let mut wrong: Settings = settings();
    wrong.pipeline.marks = vec![(120, 120), (120, 0), (7, 7)];
    wrong.pipeline.grace_days = -1;
    wrong.pipeline.unknown_churn_risk = f64::NAN;
    wrong.pipeline.calendars = vec!["no/such/file.toml".into()];
    wrong.duty.lead_id = "The Lead".into();
    wrong.care.review_minutes = 90;
    wrong.losses.signal_share = 0.0;
    wrong.validate(&mut violations);
    let fields: Vec<_> = violations.into_vec().into_iter().map(|fault| fault.field).collect();
    assert_eq!(
        fields,
        [
            "pipeline.marks[1]",
            "pipeline.marks[1]",
            "pipeline.marks[2]",
            "pipeline.grace_days",
            "pipeline.unknown_churn_risk",
            "pipeline.calendars[0]",
            "duty.lead_id",
            "care.review_minutes",
            "losses.signal_share",
        ]
    );
}
