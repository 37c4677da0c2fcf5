//! What stands beside a score: explanations, judgements, raised signals, classes, coverage, thresholds tried on history.

use tonic::{Code, Request};
use tonic_types::StatusExt as _;
use upswell_proto::{
    delivery::v1::event_result::Outcome,
    gtype,
    ingestion::v1::{AccountsMerged, ContactProfile, Fact, ProductAction, fact::Body, product_action},
    offers::v1::{Offer, OfferChanged, offer},
    scoring::v1::{
        BacktestThresholdRequest, ExplainScoreRequest, GetCoverageRequest, GetScoreRequest, ListOverridesRequest,
        ListRaisersRequest, Override, OverrideScoreRequest, RaiseSignalRequest, Raiser, ScoreChanged,
        r#override::Subject, raise_signal_request::Observation, score::Tier, signal::State,
    },
    vocabulary::v1::SignalKind,
};
use upswell_runtime::server::ACTOR_METADATA;

use crate::{
    double::only,
    wire::{account, day, nps, time},
    world::World,
};

const REQUEST: &str = "5f0c9f6e-6a53-4b5e-9d5e-0a6d6a7b8c9d";
const OTHER: &str = "6f0c9f6e-6a53-4b5e-9d5e-0a6d6a7b8c9d";

fn by<T>(actor: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(ACTOR_METADATA, actor.parse().unwrap());
    request
}

async fn scored() -> World {
    let mut world = World::new().await;
    world.double.knows(account("acme", 100, 118, 15));
    world.changed("acme").await;
    world.drain().await;
    world
}

fn judgement(value: f64, request_id: &str) -> OverrideScoreRequest {
    OverrideScoreRequest {
        account_id: "acme".into(),
        subject: Subject::Health.into(),
        value,
        reason: "spoke to them".into(),
        expire_time: Some(time("2026-10-25T12:00:00+05:00")),
        request_id: request_id.into(),
    }
}

async fn standing(world: &mut World) -> Vec<Override> {
    world.score("acme").await.overrides
}

#[tokio::test]
async fn sc11_a_judgement_stands_beside_the_score_until_it_expires() {
    let mut world = scored().await;
    for _ in 0..2 {
        let made = world
            .scoring
            .override_score(by("anna", judgement(30.0, REQUEST)))
            .await
            .unwrap();
        let made = made.into_inner().r#override.unwrap();
        assert_eq!(
            (made.value, made.computed_value, made.author.as_str()),
            (30.0, Some(65.0), "anna")
        );
    }
    assert_eq!(
        world.score("acme").await.health.unwrap().value,
        65,
        "what was computed stays"
    );
    assert_eq!(standing(&mut world).await.len(), 1);
    world.set("2026-10-21T12:00:00+05:00");
    world
        .scoring
        .override_score(by("berik", judgement(40.0, OTHER)))
        .await
        .unwrap();
    let now = standing(&mut world).await;
    assert_eq!((now.len(), now[0].value, now[0].author.as_str()), (1, 40.0, "berik"));
    let request = ListOverridesRequest {
        account_id: "acme".into(),
        ..ListOverridesRequest::default()
    };
    let all = world
        .scoring
        .list_overrides(request)
        .await
        .unwrap()
        .into_inner()
        .overrides;
    let kept: Vec<_> = all.iter().map(|made| (made.value, made.end_time.is_some())).collect();
    assert_eq!(kept, [(40.0, false), (30.0, true)], "the first is kept, and ended");
    world.set("2026-10-25T12:00:00+05:00");
    assert!(standing(&mut world).await.is_empty());
}

#[tokio::test]
async fn sc11_faults_of_a_judgement_are_all_told_and_it_needs_an_author() {
    let mut world = World::new().await;
    let wrong = OverrideScoreRequest {
        account_id: "a b".into(),
        subject: 0,
        reason: " ".into(),
        expire_time: None,
        request_id: "no".into(),
        ..judgement(30.0, REQUEST)
    };
    let status = world.scoring.override_score(by("anna", wrong)).await.unwrap_err();
    let fields: Vec<_> = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = fields.into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["account_id", "subject", "reason", "expire_time", "request_id"]);
    let status = world
        .scoring
        .override_score(by("anna", judgement(101.0, REQUEST)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let past = OverrideScoreRequest {
        expire_time: Some(time("2026-10-20T12:00:00+05:00")),
        ..judgement(30.0, REQUEST)
    };
    assert_eq!(
        world.scoring.override_score(by("anna", past)).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let nobody = world
        .scoring
        .override_score(judgement(30.0, REQUEST))
        .await
        .unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

fn raise(request_id: &str) -> RaiseSignalRequest {
    RaiseSignalRequest {
        account_id: "acme".into(),
        observation: Observation::ManualWork.into(),
        subject: "invoices".into(),
        note: "they copy numbers by hand".into(),
        request_id: request_id.into(),
    }
}

#[tokio::test]
async fn sg21_a_csm_raises_a_signal_and_the_hit_rate_is_measured() {
    let mut world = scored().await;
    for _ in 0..2 {
        world.scoring.raise_signal(by("anna", raise(REQUEST))).await.unwrap();
    }
    world.drain().await;
    let open = world.signals("acme", &[State::Open]).await;
    let raised: Vec<_> = open
        .iter()
        .filter(|signal| signal.kind() == SignalKind::CsmRaised)
        .collect();
    assert_eq!((raised.len(), raised[0].subject.as_str()), (1, "invoices"));
    let id = raised[0].signal_id.clone();
    let hit_rate = |raised, offered, accepted| Raiser {
        author: "anna".into(),
        raised,
        offered,
        accepted,
    };
    assert_eq!(raisers(&mut world).await, [hit_rate(1, 0, 0)]);
    for (state, expected) in [
        (offer::State::Sent, hit_rate(1, 1, 0)),
        (offer::State::Accepted, hit_rate(1, 1, 1)),
    ] {
        let event = OfferChanged {
            offer: Some(Offer {
                offer_id: "offer-1".into(),
                account_id: "acme".into(),
                state: state.into(),
                signal_ids: vec![id.clone()],
                ..Offer::default()
            }),
            ..OfferChanged::default()
        };
        assert_eq!(world.deliver("offers", "acme", &event).await, Outcome::Applied);
        assert_eq!(raisers(&mut world).await, [expected]);
    }
    let nobody = world.scoring.raise_signal(raise(OTHER)).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

async fn raisers(world: &mut World) -> Vec<Raiser> {
    world
        .scoring
        .list_raisers(ListRaisersRequest {})
        .await
        .unwrap()
        .into_inner()
        .raisers
}

#[tokio::test]
async fn sg11_sc8_moments_and_contacts_come_from_ingestion() {
    let mut world = World::new().await;
    let mut facts = account("acme", 100, 100, 15);
    facts.moments = vec![Fact {
        occur_time: Some(time("2026-10-18T09:00:00Z")),
        body: Some(Body::Action(ProductAction {
            kind: product_action::Kind::LockedAction.into(),
            subject: "routes".into(),
            ..ProductAction::default()
        })),
        ..Fact::default()
    }];
    facts.contacts = vec![ContactProfile {
        champion: true,
        ..ContactProfile::default()
    }];
    world.double.knows(facts);
    world.changed("acme").await;
    world.drain().await;
    let signals = world.signals("acme", &[State::Open]).await;
    assert_eq!(
        (signals[0].kind(), signals[0].subject.as_str()),
        (SignalKind::Interest, "routes")
    );
    let qualification = world.score("acme").await.qualification.unwrap();
    assert_eq!((qualification.aligned, qualification.able), (Some(true), Some(false)));
}

#[tokio::test]
async fn sc3_explains_what_moved_the_score_since_when() {
    let mut world = scored().await;
    let mut facts = account("acme", 100, 118, 15);
    facts.surveys = vec![nps(3, "2026-10-21T09:00:00Z")];
    world.double.knows(facts);
    world.set("2026-10-22T12:00:00+05:00");
    world.changed("acme").await;
    world.drain().await;
    let ask = |since: Option<&str>| ExplainScoreRequest {
        account_id: "acme".into(),
        since_time: since.map(time),
    };
    let explained = world.scoring.explain_score(ask(None)).await.unwrap().into_inner();
    let moved: Vec<_> = explained
        .movements
        .iter()
        .map(|m| (m.number.as_str(), m.component.as_str()))
        .collect();
    assert!(
        moved.contains(&("health", "nps")) && moved.contains(&("churn_risk", "nps_detractor")),
        "{moved:?}"
    );
    let nps = explained
        .movements
        .iter()
        .find(|moved| moved.component == "nps")
        .unwrap();
    assert_eq!((nps.before, nps.after), (Some(0.0), Some(-15.0)));
    assert_eq!(nps.move_time, Some(time("2026-10-22T12:00:00+05:00")));
    assert_eq!(explained.signals.len(), 1);
    // Nothing moved after it.
    let later = world
        .scoring
        .explain_score(ask(Some("2026-10-22T12:00:00+05:00")))
        .await
        .unwrap()
        .into_inner();
    assert!(later.movements.is_empty());
    let ghost = ExplainScoreRequest {
        account_id: "ghost".into(),
        since_time: None,
    };
    assert_eq!(
        world.scoring.explain_score(ghost).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn sc4_coverage_is_the_share_with_a_score_of_a_day() {
    let mut world = scored().await;
    world.double.set_down(true);
    world.changed("beta").await;
    let coverage = |world: &mut World| {
        let mut scoring = world.scoring.clone();
        async move { scoring.get_coverage(GetCoverageRequest {}).await.unwrap().into_inner() }
    };
    let half = coverage(&mut world).await;
    assert_eq!((half.accounts, half.fresh, half.percent), (2, 1, Some(50.0)));
    world.set("2026-10-21T12:00:01+05:00");
    let none = coverage(&mut world).await;
    assert_eq!(
        (none.fresh, none.oldest_score_time),
        (0, Some(time("2026-10-20T12:00:00+05:00")))
    );
}

#[tokio::test]
async fn sc7_classes_by_potential_once_a_week_and_others_hear_of_them() {
    let mut world = World::new().await;
    // Ten accounts; those with more people active stand healthier, and two have a need.
    for n in 0..10 {
        let name = format!("account-{n}");
        world
            .double
            .knows(account(&name, 100, if n < 2 { 120 } else { 100 }, 15));
        world.changed(&name).await;
    }
    world.drain().await;
    world.double.told();
    world.tick().await;
    world.drain().await;
    let told = only::<ScoreChanged>(&world.double.told());
    assert_eq!(told.len(), 20, "each account, to each of two receivers");
    let mut classes = Vec::new();
    for n in 0..10 {
        classes.push(world.score(&format!("account-{n}")).await.tier());
    }
    let expected = [[Tier::A; 2].as_slice(), &[Tier::B; 3], &[Tier::C; 5]].concat();
    assert_eq!(classes, expected);
    world.set("2026-10-26T12:00:00+05:00");
    world.tick().await;
    world.drain().await;
    world.double.told();
    world.set("2026-10-27T12:00:00+05:00");
    world.tick().await;
    world.drain().await;
    let again = only::<ScoreChanged>(&world.double.told());
    assert!(
        again
            .iter()
            .all(|event| event.score.as_ref().unwrap().tier() != Tier::Unspecified)
    );
}

fn history(threshold: &str, value: f64) -> BacktestThresholdRequest {
    BacktestThresholdRequest {
        kind: SignalKind::VolumeGrowth.into(),
        threshold: threshold.into(),
        value,
        start_day: Some(day("2026-10-01")),
        end_day: Some(day("2026-10-20")),
        step_days: 1,
        outcome_days: 5,
        page_size: 1,
        ..BacktestThresholdRequest::default()
    }
}

#[tokio::test]
async fn sgr5_a_threshold_is_tried_on_history_portion_by_portion() {
    let mut world = World::new().await;
    for (name, now) in [("one", 120), ("two", 112), ("three", 100)] {
        world.double.knows(account(name, 100, now, 15));
        world.changed(name).await;
    }
    world.drain().await;
    let mut request = history("volume_growth.percent", 10.0);
    let (mut present, mut changed, mut portions) = (0, 0, 0);
    loop {
        let answer = world
            .scoring
            .backtest_threshold(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.present_value, Some(15.0));
        present += answer.present.unwrap().fired;
        changed += answer.changed.unwrap().fired;
        portions += answer.accounts;
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    assert_eq!((present, changed, portions), (1, 2, 3));
    let bare = world
        .scoring
        .backtest_threshold(history("", 0.0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((bare.changed, bare.present_value), (None, None));
    for wrong in [
        history("volume_growth.per_cent", 10.0),
        history("ticket_cluster.count", 2.5),
        BacktestThresholdRequest {
            end_day: Some(gtype::Date::default()),
            ..history("", 0.0)
        },
        BacktestThresholdRequest {
            end_day: Some(day("2029-01-01")),
            ..history("", 0.0)
        },
        BacktestThresholdRequest {
            step_days: 29,
            ..history("", 0.0)
        },
    ] {
        let status = world.scoring.backtest_threshold(wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn i3_signals_of_an_account_that_was_merged_are_taken_back() {
    let mut world = scored().await;
    world.double.knows(account("beta", 100, 120, 15));
    world.double.forgets("acme");
    let merged = AccountsMerged {
        account_id: "beta".into(),
        merged_account_id: "acme".into(),
        merge_id: "merge-1".into(),
    };
    assert_eq!(world.deliver("ingestion", "beta", &merged).await, Outcome::Applied);
    world.drain().await;
    assert!(world.signals("acme", &[State::Open]).await.is_empty());
    assert_eq!(world.signals("acme", &[State::Withdrawn]).await.len(), 1);
    assert_eq!(world.signals("beta", &[State::Open]).await.len(), 1);
    let request = GetScoreRequest {
        account_id: "beta".into(),
    };
    assert!(world.scoring.get_score(request).await.is_ok());
}
