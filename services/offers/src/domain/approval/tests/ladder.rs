//! Who is asked, and who next.

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn stands_in(person: &str, delegate: &str, kind: DelegationKind, from: &str, to: Option<&str>) -> Delegation {
    Delegation {
        id: Uuid::nil(),
        person_id: person.into(),
        delegate_id: delegate.into(),
        kind,
        start_on: day(from),
        end_on: to.map(day),
        author: "lead".into(),
        created_at: at(NOW),
        ended_at: None,
    }
}

/// Everybody who is asked in turn, as long as nobody decides.
fn climb(csm: Option<&str>, author: &str, delegations: &[Delegation], today: &str) -> Vec<String> {
    let ladder = Ladder {
        csm_id: csm,
        lead_id: "lead",
        delegations,
        today: day(today),
        lead_only: false,
    };
    let mut asked: Vec<Asked> = Vec::new();
    while let Some(approver_id) = ladder.next(author, &asked) {
        asked.push(Asked {
            approver_id,
            asked_at: at(NOW),
            until: at(NOW),
        });
    }
    asked.into_iter().map(|asked| asked.approver_id).collect()
}

#[test]
fn c14_the_csm_then_the_deputy_then_the_lead() {
    use DelegationKind::{Absence, Deputy};
    let deputy = [stands_in("csm-1", "csm-2", Deputy, "2026-01-01", None)];
    let away = [stands_in("csm-1", "csm-3", Absence, "2026-10-12", Some("2026-10-16"))];
    let both = [deputy[0].clone(), away[0].clone()];
    let csm = Some("csm-1");
    for (csm, author, delegations, today, asked) in [
        (csm, AUTOPILOT, &[][..], "2026-10-12", vec!["csm-1", "lead"]),
        (
            csm,
            AUTOPILOT,
            &deputy[..],
            "2026-10-12",
            vec!["csm-1", "csm-2", "lead"],
        ),
        // Away: who stands in is asked at once, on the first and on the last day.
        (csm, AUTOPILOT, &away[..], "2026-10-12", vec!["csm-3", "lead"]),
        (csm, AUTOPILOT, &away[..], "2026-10-16", vec!["csm-3", "lead"]),
        (csm, AUTOPILOT, &away[..], "2026-10-17", vec!["csm-1", "lead"]),
        (csm, AUTOPILOT, &away[..], "2026-10-11", vec!["csm-1", "lead"]),
        (csm, AUTOPILOT, &both[..], "2026-10-12", vec!["csm-3", "csm-2", "lead"]),
        // No CSM: the lead.
        (None, AUTOPILOT, &both[..], "2026-10-12", vec!["lead"]),
        // Four eyes: who asks is passed over.
        (csm, "csm-1", &deputy[..], "2026-10-12", vec!["csm-2", "lead"]),
        (csm, "lead", &[][..], "2026-10-12", vec!["csm-1"]),
        (None, "lead", &[][..], "2026-10-12", vec![]),
    ] {
        assert_eq!(
            climb(csm, author, delegations, today),
            asked,
            "{csm:?} {author} {today}"
        );
    }
}

#[test]
fn c14_who_stands_in_may_be_away_too_and_circles_end() {
    let chain = [
        stands_in("csm-1", "csm-2", DelegationKind::Absence, "2026-10-12", None),
        stands_in("csm-2", "csm-3", DelegationKind::Absence, "2026-10-12", None),
    ];
    assert_eq!(
        climb(Some("csm-1"), AUTOPILOT, &chain, "2026-10-12"),
        ["csm-3", "csm-2", "lead"]
    );
    let circle = [
        stands_in("csm-1", "csm-2", DelegationKind::Absence, "2026-10-12", None),
        stands_in("csm-2", "csm-1", DelegationKind::Absence, "2026-10-12", None),
    ];
    assert_eq!(
        climb(Some("csm-1"), AUTOPILOT, &circle, "2026-10-12"),
        ["csm-1", "csm-2", "lead"]
    );
    let ended = [Delegation {
        ended_at: Some(at(NOW)),
        ..chain[0].clone()
    }];
    assert_eq!(climb(Some("csm-1"), AUTOPILOT, &ended, "2026-10-12"), ["csm-1", "lead"]);
}

#[test]
fn c14_who_is_passed_over_is_kept_with_the_time_it_took() {
    let mut request = request(AUTOPILOT);
    let later = at("2026-10-14T05:00:00Z");
    request.escalate("lead".into(), later, at("2026-10-16T05:00:00Z"));
    assert_eq!(
        (request.approver_id.as_str(), request.state),
        ("lead", ApprovalState::Pending)
    );
    let passed = &request.passed_over[0];
    assert_eq!(
        (passed.approver_id.as_str(), passed.asked_at, passed.until),
        ("csm-1", at(NOW), later)
    );
    let hash = request.content_hash.clone();
    let refused = request.approve("csm-1", &hash, "", later).unwrap_err();
    assert_eq!(refused, ApprovalFault::NotTheApprover("lead".into()));
    assert_eq!(request.waited(), None);
    request.approve("lead", &hash, "", at("2026-10-15T05:00:00Z")).unwrap();
    assert_eq!(request.waited(), Some(SignedDuration::from_hours(72)));
}

#[test]
fn m5_what_is_beyond_the_csm_is_asked_of_the_lead_alone() {
    let ladder = Ladder {
        csm_id: Some("csm"),
        lead_id: "lead",
        delegations: &[],
        today: day("2026-10-12"),
        lead_only: true,
    };
    assert_eq!(ladder.first("autopilot"), "lead");
    let asked = Asked {
        approver_id: "lead".to_owned(),
        asked_at: at(NOW),
        until: at(NOW),
    };
    assert_eq!(ladder.next("autopilot", &[asked]), None);
}
