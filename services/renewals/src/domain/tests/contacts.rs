//! Late work and contacts with the customer (RN-2).

use super::*;
use crate::domain::{
    contact::{Contact, ContactFault, ContactKind, ContactState, Outcome, Place, Step},
    duty::{self, Absence, DutyRules, NoticeKind, Work},
};

const RULES: fn() -> DutyRules = || DutyRules {
    lead_id: "lead".into(),
    product_id: "product".into(),
    remind_after: 1,
    step: 2,
};

#[test]
fn rn2_late_work_reminds_then_goes_to_the_delegate_then_to_the_lead() {
    let away = |person: &str, from: &str, until: &str, delegate: &str| {
        Absence::new(person.into(), day(from), day(until), delegate.into())
    };
    let work = Work {
        task_id: "t",
        kind: "sign",
        account_id: "acme",
        assignee_id: "anna",
        due_on: day("2026-10-16"),
    };
    let alert = |today: &str, absences: &[Absence]| {
        duty::alert(work, absences, &RULES(), &kazakhstan(), day(today), noon(today))
            .map(|alert| (alert.notice.kind, alert.notice.person_id, alert.next_on))
    };
    let said = |kind, person: &str, next: Option<&str>| Some((kind, person.to_owned(), next.map(day)));
    assert_eq!(alert("2026-10-15", &[]), None);
    // Friday, Monday, Wednesday, Friday; the 25th of October is a Sunday, so that the 26th is free.
    assert_eq!(
        alert("2026-10-16", &[]),
        said(NoticeKind::Due, "anna", Some("2026-10-19"))
    );
    assert_eq!(
        alert("2026-10-20", &[]),
        said(NoticeKind::Late, "anna", Some("2026-10-21"))
    );
    assert_eq!(
        alert("2026-10-21", &[]),
        said(NoticeKind::Delegated, "lead", Some("2026-10-23"))
    );
    let boris = [away("anna", "2026-10-01", "2026-11-30", "boris")];
    assert_eq!(
        alert("2026-10-19", &boris),
        said(NoticeKind::Late, "boris", Some("2026-10-21"))
    );
    let later = [away("anna", "2026-12-01", "2026-12-10", "boris")];
    assert_eq!(
        alert("2026-10-21", &later),
        said(NoticeKind::Delegated, "boris", Some("2026-10-23"))
    );
    let both = [boris[0].clone(), away("boris", "2026-10-10", "2026-10-30", "")];
    assert_eq!(
        alert("2026-10-19", &both),
        said(NoticeKind::Late, "lead", Some("2026-10-21"))
    );
    let circle = [boris[0].clone(), away("boris", "2026-10-10", "2026-10-30", "anna")];
    assert_eq!(
        alert("2026-10-19", &circle),
        said(NoticeKind::Late, "lead", Some("2026-10-21"))
    );
    assert_eq!(alert("2026-11-20", &boris), said(NoticeKind::Escalated, "lead", None));
}

fn contact() -> Contact {
    Contact {
        contact_id: uuid::Uuid::nil(),
        deal_id: uuid::Uuid::nil(),
        account_id: "acme".into(),
        kind: ContactKind::Call,
        channel: 7,
        person_id: String::new(),
        proposes_expansion: false,
        planned_at: noon("2026-10-12"),
        state: ContactState::Planned,
        step: Some(Step::Reserve),
        next_at: Some(noon("2026-10-12")),
        attempt: 1,
        touch_id: String::new(),
        blocking: Vec::new(),
        actor: "anna".into(),
        version: 1,
    }
}

#[test]
fn rn2_a_refused_contact_waits_and_an_unknown_outcome_counts() {
    let mut waiting = contact();
    waiting.answered(Place::Refused(vec!["C-3".into()], Some(noon("2026-11-01"))));
    assert_eq!(
        (waiting.state, waiting.next_at),
        (ContactState::Deferred, Some(noon("2026-11-01")))
    );
    waiting.answered(Place::Granted("touch".into()));
    assert_eq!((waiting.state, waiting.begins("3")), (ContactState::Reserved, Ok(())));
    assert_eq!(waiting.begins("2"), Err(ContactFault::Changed));
    let key = waiting.key();
    let mut lost = waiting.clone();
    lost.displaced(Vec::new(), None, noon("2026-11-02"));
    assert_ne!(lost.key(), key, "a lost place is asked for anew");
    waiting.begun(noon("2026-11-01"), SignedDuration::from_hours(24));
    assert!(waiting.cancelled(&waiting.etag(), noon("2026-11-01")).is_err());
    let mut forgotten = waiting.clone();
    forgotten.forgotten();
    assert_eq!((forgotten.state, forgotten.is_closed()), (ContactState::Assumed, true));
    waiting
        .finished(&waiting.etag(), Outcome::Bounced, noon("2026-11-01"))
        .unwrap();
    assert_eq!(
        (waiting.state, waiting.step),
        (ContactState::NotMade, Some(Step::Bounced))
    );
}

#[test]
fn rn2_a_contact_given_up_takes_back_what_may_have_been_granted() {
    let now = noon("2026-10-12");
    let given_up = |contact: &Contact, now| {
        let mut contact = contact.clone();
        contact.cancelled(&contact.etag(), now).unwrap();
        assert_eq!(contact.state, ContactState::Cancelled);
        assert_eq!(contact.next_at.is_some(), contact.step.is_some());
        contact.step
    };
    let asked = contact();
    assert_eq!(given_up(&asked, now), Some(Step::TakeBack), "the answer is outstanding");
    let mut deferred = asked.clone();
    deferred.answered(Place::Refused(vec!["C-3".into()], Some(noon("2026-11-01"))));
    assert_eq!(
        given_up(&deferred, now),
        None,
        "it has no place, and asks for none before its time"
    );
    assert_eq!(given_up(&deferred, noon("2026-11-01")), Some(Step::TakeBack));
    deferred.again(noon("2026-11-02"));
    assert_eq!(
        given_up(&deferred, noon("2026-11-01")),
        Some(Step::TakeBack),
        "its answer was lost"
    );
    let mut reserved = asked;
    reserved.answered(Place::Granted("touch".into()));
    assert_eq!(given_up(&reserved, now), Some(Step::Cancel));
}

#[test]
fn rn2_what_the_ledger_will_never_take_ends_a_contact_without_place_and_leaves_one_that_began() {
    let mut waiting = contact();
    waiting.refused("INVALID_ARGUMENT");
    assert_eq!(
        (waiting.state, waiting.step, waiting.next_at),
        (ContactState::Refused, None, None)
    );
    assert_eq!(waiting.blocking, ["INVALID_ARGUMENT"]);
    let mut begun = contact();
    begun.answered(Place::Granted("touch".into()));
    begun.begun(noon("2026-10-12"), SignedDuration::from_hours(24));
    begun
        .finished(&begun.etag(), Outcome::Made, noon("2026-10-12"))
        .unwrap();
    begun.refused("TOUCH_NOT_SENDING");
    assert_eq!(
        (begun.state, begun.step, begun.next_at),
        (ContactState::Made, None, None)
    );
}
