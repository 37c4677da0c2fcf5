//! What the programme learns from its offers: acceptance (M-1), harm (C-15).

use std::path::Path;

use tempfile::TempDir;
use tonic::Code;
use upswell_proto::{
    ingestion::v1::{self as ingestion, complaint, fact::Body, survey_answer::Survey},
    offers::v1::{
        self as pb, conversion::Drift, decline_offer_request::Reason, gate_verdict::Verdict, offer::State,
        playbook_service_client::PlaybookServiceClient,
    },
    scoring::v1::signal,
    vocabulary::v1::Motion,
};

use super::world::{SLOT, World, acting, at, request_id, wire};

type Playbooks = PlaybookServiceClient<tonic::transport::Channel>;

impl World {
    fn playbooks(&self) -> Playbooks {
        Playbooks::new(self.channel.clone())
    }

    /// So many accounts with a capacity offer that was sent at the slot; the offers in their order.
    async fn sent_to(&mut self, count: usize) -> Vec<pb::Offer> {
        for number in 0..count {
            self.account = format!("acme-{number}");
            self.known().await;
            self.limit_signal(signal::State::Open).await;
        }
        self.run_to(SLOT).await;
        let mut offers = self.all_offers().await;
        offers.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        assert!(offers.iter().all(|offer| offer.state() == State::Sent), "{offers:#?}");
        assert_eq!(offers.len(), count);
        offers
    }

    /// An account said something.
    async fn voice(&mut self, account: &str, id: &str, body: Body, superseded: bool) {
        let fact = ingestion::Fact {
            source: "helpdesk".into(),
            external_id: id.into(),
            occur_time: Some(wire(self.clock.now())),
            body: Some(body),
            ..ingestion::Fact::default()
        };
        let event = ingestion::VoiceHeard {
            account_id: account.into(),
            fact: Some(fact),
            superseded,
        };
        self.tell("ingestion", account, &event).await;
    }

    async fn declined(&self, offer: &pb::Offer, reason: Reason) {
        let request = pb::DeclineOfferRequest {
            offer_id: offer.offer_id.clone(),
            reason: reason.into(),
            comment: String::new(),
            request_id: request_id(&format!("decline-{}", offer.offer_id)),
        };
        self.offers().decline_offer(request).await.unwrap();
    }

    async fn pauses(&self) -> Vec<pb::PlaybookPause> {
        let request = pb::ListPlaybookPausesRequest {
            active_only: true,
            ..pb::ListPlaybookPausesRequest::default()
        };
        let found = self.playbooks().list_playbook_pauses(request).await.unwrap();
        found.into_inner().pauses
    }

    async fn conversions(&self) -> Vec<pb::Conversion> {
        let found = self.playbooks().get_conversions(pb::GetConversionsRequest {}).await;
        found.unwrap().into_inner().conversions
    }

    /// What the log says about playbooks and motions, the newest first.
    async fn notes(&self) -> Vec<String> {
        let all = self
            .decisions()
            .list_decisions(pb::ListDecisionsRequest::default())
            .await;
        let all = all.unwrap().into_inner().decisions.into_iter();
        all.map(|decision| decision.note)
            .filter(|note| !note.is_empty())
            .collect()
    }

    async fn gate_of(&self, account: &str, gate: &str) -> pb::GateVerdict {
        let request = pb::ExplainDecisionRequest {
            account_id: account.into(),
            time: None,
        };
        let decision = self.decisions().explain_decision(request).await.unwrap().into_inner();
        let candidates = decision.decision.unwrap().candidates;
        let gates = candidates[0].gates.iter();
        gates.clone().find(|found| found.gate == gate).cloned().unwrap()
    }
}

fn pressed() -> Body {
    Body::Complaint(ingestion::Complaint {
        kind: complaint::Kind::Pressure.into(),
        ..ingestion::Complaint::default()
    })
}

fn survey(survey: Survey, score: i32) -> Body {
    Body::Survey(ingestion::SurveyAnswer {
        survey: survey.into(),
        score,
        contact_id: String::new(),
    })
}

#[tokio::test]
async fn c15_a_playbook_that_harms_is_paused_until_a_person_lets_it_go_on() {
    let mut world = World::new().await;
    let offers = world.sent_to(5).await;
    world.clock.set(at("2026-10-13T09:00:00Z"));
    world.voice("acme-0", "c-1", pressed(), false).await;
    world.voice("acme-1", "n-1", survey(Survey::Nps, 4), false).await;
    // Praise and a neutral answer are no harm; what was corrected was never said.
    world.voice("acme-3", "n-2", survey(Survey::Nps, 9), false).await;
    world.voice("acme-4", "s-1", survey(Survey::Csat, 3), false).await;
    world.voice("acme-4", "s-2", survey(Survey::Csat, 1), true).await;
    world.run().await;
    assert_eq!(world.pauses().await, [], "two are too few");
    world.declined(&offers[2], Reason::Unwanted).await;
    world.run_to("2026-10-13T11:00:00Z").await;
    let pauses = world.pauses().await;
    assert_eq!(pauses.len(), 1, "{pauses:#?}");
    assert_eq!(
        (pauses[0].playbook.as_str(), pauses[0].paused_by.as_str()),
        ("capacity-growth", "loyalty-guard")
    );
    assert!(pauses[0].reason.contains("3 of 5"), "{}", pauses[0].reason);
    // Once, however often it looks.
    world.run_to("2026-10-13T13:00:00Z").await;
    assert_eq!(world.pauses().await, pauses);

    world.account = "next".into();
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to("2026-10-14T05:00:00Z").await;
    let gate = world.gate_of("next", "loyalty").await;
    assert_eq!((gate.rule_id.as_str(), gate.verdict()), ("C-15", Verdict::Defer));
    let deferred = |offers: Vec<pb::Offer>| offers.into_iter().find(|offer| offer.account_id == "next").unwrap();
    assert_eq!(deferred(world.all_offers().await).state(), State::Deferred);

    let resume = pb::ResumePlaybookRequest {
        playbook: "capacity-growth".into(),
        comment: "new words since today".into(),
        request_id: request_id("resume"),
    };
    let anonymous = world.playbooks().resume_playbook(resume.clone()).await.unwrap_err();
    assert_eq!(anonymous.code(), Code::Unauthenticated);
    let ended = world.playbooks().resume_playbook(acting(resume, "lead")).await.unwrap();
    assert_eq!(ended.into_inner().pause.unwrap().resumed_by, "lead");
    // It is watched anew: what it did before is answered.
    world.run_to("2026-10-15T05:00:00Z").await;
    assert_eq!(world.pauses().await, []);
    assert_eq!(deferred(world.all_offers().await).state(), State::Sent);
    let notes = world.notes().await;
    assert_eq!(notes.len(), 2, "{notes:#?}");
    assert!(
        notes[0].contains("goes on, says lead") && notes[1].contains("paused by loyalty-guard"),
        "{notes:#?}"
    );
    let verified = world
        .decisions()
        .verify_decisions(pb::VerifyDecisionsRequest::default())
        .await
        .unwrap();
    assert!(verified.into_inner().intact);
}

#[tokio::test]
async fn c15_a_person_pauses_and_what_has_its_place_is_not_sent() {
    let mut world = World::new().await;
    world.known().await;
    world.profile(true, "csm-1").await;
    world.limit_signal(signal::State::Open).await;
    world.run_to(SLOT).await;
    let asked = world.approval().await;
    let pause = pb::PausePlaybookRequest {
        playbook: "capacity-growth".into(),
        reason: "the price list changes".into(),
        request_id: request_id("pause"),
    };
    let paused = world
        .playbooks()
        .pause_playbook(acting(pause.clone(), "lead"))
        .await
        .unwrap()
        .into_inner();
    let again = pb::PausePlaybookRequest {
        request_id: request_id("again"),
        ..pause
    };
    let again = world.playbooks().pause_playbook(acting(again, "lead")).await.unwrap();
    assert_eq!(again.into_inner(), paused);
    let request = super::approvals::approve(&asked);
    world.approvals().approve_offer(acting(request, "csm-1")).await.unwrap();
    world.run().await;
    assert_eq!(world.spool_count(), 0);
    world.offer(Motion::Capacity, State::Deferred).await;

    for (playbook, code) in [("no-such", Code::NotFound), ("", Code::InvalidArgument)] {
        let request = pb::PausePlaybookRequest {
            playbook: playbook.into(),
            reason: "why".into(),
            request_id: request_id(&format!("pause-{playbook}")),
        };
        let refused = world
            .playbooks()
            .pause_playbook(acting(request, "lead"))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), code, "{playbook}");
    }
    let nothing = pb::ResumePlaybookRequest {
        playbook: "plan-upgrade".into(),
        comment: "why".into(),
        request_id: request_id("nothing"),
    };
    let refused = world
        .playbooks()
        .resume_playbook(acting(nothing, "lead"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn m1_outcomes_move_what_is_believed_and_decisions_still_replay() {
    let mut world = World::new().await;
    let offers = world.sent_to(4).await;
    for offer in &offers[..3] {
        let request = pb::AcceptOfferRequest {
            offer_id: offer.offer_id.clone(),
            request_id: request_id(&offer.offer_id),
        };
        world.offers().accept_offer(request).await.unwrap();
    }
    world.declined(&offers[3], Reason::Price).await;
    // Who takes an offer does so soon: nothing counts as long as others of its time could still be silent.
    world.run_to("2026-10-24T05:00:00Z").await;
    assert_eq!(world.conversions().await, []);
    world.run_to("2026-11-11T05:00:00Z").await;
    world.account = "next".into();
    world.known().await;
    world.limit_signal(signal::State::Open).await;
    world.run_to("2026-11-12T05:00:00Z").await;
    let found = world.conversions().await;
    let told: Vec<_> = found
        .iter()
        .map(|row| (row.segment.as_str(), row.accepted, row.refused, row.drift()))
        .collect();
    assert_eq!(
        told,
        [("", 3, 1, Drift::Within), ("mid-market", 3, 1, Drift::Unspecified)]
    );
    let all = world
        .decisions()
        .list_decisions(pb::ListDecisionsRequest::default())
        .await;
    let all = all.unwrap().into_inner().decisions;
    let of = |account: &str| all.iter().rfind(|decision| decision.account_id == account).unwrap();
    let believed = |account: &str| of(account).candidates[0].acceptance_probability;
    assert!((believed("acme-0") - 0.25).abs() < 1e-12);
    // (0.25 × 50 + 3) / (50 + 4)
    assert!((believed("next") - 15.5 / 54.0).abs() < 1e-12, "{}", believed("next"));
    for decision in &all {
        let request = pb::ReplayDecisionRequest {
            decision_id: decision.decision_id.clone(),
        };
        let replayed = world.decisions().replay_decision(request).await.unwrap().into_inner();
        assert!(replayed.same, "{}", replayed.difference);
    }
}

/// A folder with the built-in policy after replacements in its catalogue.
pub(crate) fn policy(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("policy");
    std::fs::create_dir(folder.path().join("playbooks")).unwrap();
    for file in std::fs::read_dir(built_in.join("playbooks")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join("playbooks").join(file.file_name())).unwrap();
    }
    let mut catalogue = std::fs::read_to_string(built_in.join("catalogue.yaml")).unwrap();
    for (from, to) in changes {
        assert!(catalogue.contains(from), "{from:?}");
        catalogue = catalogue.replace(from, to);
    }
    std::fs::write(folder.path().join("catalogue.yaml"), catalogue).unwrap();
    folder
}

#[tokio::test]
async fn m1_a_motion_that_falls_below_its_band_is_told_once() {
    let folder = policy(&[
        ("conversion_weight: 50", "conversion_weight: 2"),
        ("drift_certainty: 0.9", "drift_certainty: 0.6"),
    ]);
    let mut world = World::with(&[("POLICY__DIR", &folder.path().display().to_string())]).await;
    let offers = world.sent_to(4).await;
    for offer in &offers {
        world.declined(offer, Reason::NoNeed).await;
    }
    for time in ["2026-10-12T07:00:00Z", "2026-10-27T07:00:00Z", "2026-10-27T09:00:00Z"] {
        world.run_to(time).await;
    }
    let whole = &world.conversions().await[0];
    assert_eq!(
        (whole.drift(), whole.drift_time),
        (Drift::Below, Some(wire(at("2026-10-27T07:00:00Z"))))
    );
    let notes = world.notes().await;
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(
        notes[0].contains("capacity is below its band: 0 accepted, 4 not"),
        "{notes:#?}"
    );
    // What counted is too old one day, and then nothing speaks against the motion.
    world.run_to("2027-10-20T07:00:00Z").await;
    let notes = world.notes().await;
    assert_eq!(notes.len(), 2, "{notes:#?}");
    assert!(
        notes[0].contains("capacity is within its band: 0 accepted, 0 not"),
        "{notes:#?}"
    );
}
