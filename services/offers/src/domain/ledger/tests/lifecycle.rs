//! The steps of one touch, by name.

use super::*;

fn granted(class: TouchClass, planned_at: Timestamp) -> Touch {
    let calendar = standing(AccountCalendar::utc());
    reserve("k", class, planned_at)
        .decide(&CapPolicy::default(), &calendar, &[], at(MONDAY))
        .unwrap()
}

fn begin(touch: &Touch, rows: &[Row], now: Timestamp) -> Result<Option<Touch>, TouchFault> {
    let moved = touch.begin(&CapPolicy::default(), &standing(AccountCalendar::utc()), rows, now)?;
    Ok(moved.map(|moved| moved.touch))
}

fn confirm(
    touch: &Touch,
    rows: &[Row],
    made_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Moved>, TouchFault> {
    touch.confirm(&CapPolicy::default(), &AccountCalendar::utc(), rows, made_at, now)
}

#[test]
fn c6_a_reservation_expires_after_its_planned_time_and_a_begun_touch_never() {
    let planned = at(MONDAY) + hours(100);
    let touch = granted(TouchClass::Commercial, planned);
    assert_eq!(touch.expires_at, Some(planned + hours(24)));
    assert_eq!(touch.expire(planned + hours(24) - SignedDuration::from_micros(1)), None);
    assert_eq!(touch.expire(planned + hours(24)).unwrap().state, TouchState::Expired);
    assert_eq!(begin(&touch, &[], planned + hours(24)), Err(TouchFault::Expired));
    let begun = begin(&touch, &[], planned).unwrap().unwrap();
    assert_eq!((begun.state, begun.actual_at), (TouchState::Sending, Some(planned)));
    assert_eq!(begun.expire(planned + hours(9999)), None);
    assert_eq!(
        begin(&begun, &[], planned + hours(9999)),
        Ok(None),
        "calling it again is harmless"
    );
}

#[test]
fn c6_sending_begins_not_before_its_time() {
    let planned = at(MONDAY) + hours(1);
    let due = planned - SignedDuration::from_mins(5);
    let touch = granted(TouchClass::Commercial, planned);
    assert_eq!(
        begin(&touch, &[], due - SignedDuration::from_micros(1)),
        Err(TouchFault::NotDue(due))
    );
    assert_eq!(begin(&touch, &[], due).unwrap().unwrap().counts_at(), due);
}

#[test]
fn c6_c9_before_a_late_beginning_reservations_make_way_and_sent_touches_do_not() {
    let planned = at(MONDAY);
    let touch = granted(TouchClass::Commercial, planned);
    // The earliest place behind it, as `Reserve` offers it.
    let next = row(2, TouchClass::Commercial, planned + hours(168));
    let begun_at = |now, next: &Row| {
        let rows = [touch.row(), next.clone()];
        touch.begin(&CapPolicy::default(), &standing(AccountCalendar::utc()), &rows, now)
    };
    let late = planned + SignedDuration::from_micros(1);
    assert_eq!(begun_at(planned, &next).unwrap().unwrap().displaced, Vec::<Uuid>::new());
    let moved = begun_at(late, &next).unwrap().unwrap();
    assert_eq!((moved.touch.counts_at(), moved.displaced), (late, vec![next.touch_id]));
    for state in [TouchState::Sending, TouchState::Confirmed, TouchState::Observed] {
        let sent = Row { state, ..next.clone() };
        begun_at(planned, &sent).unwrap().unwrap();
        let Err(TouchFault::Blocked(judgement)) = begun_at(late, &sent) else {
            panic!("the {state} one would be less than 168 h away");
        };
        assert_eq!(judgement.blocking[0].rule, "C-1");
    }
}

#[test]
fn c8_a_late_beginning_moves_only_what_it_stands_against() {
    let planned = at(MONDAY);
    let touch = granted(TouchClass::Commercial, planned);
    let rows = [
        touch.row(),
        row(2, TouchClass::Renewal, planned + hours(1)),
        row(3, TouchClass::Educational, planned + hours(2)),
        row(4, TouchClass::Commercial, planned + hours(168)),
        row(5, TouchClass::Commercial, planned + hours(336)),
    ];
    let standing = standing(AccountCalendar::utc());
    let moved = touch.begin(&CapPolicy::default(), &standing, &rows, planned + hours(1));
    assert_eq!(moved.unwrap().unwrap().displaced, [rows[3].touch_id]);
}

#[test]
fn c6_an_observed_touch_counts_when_sending_begins() {
    let touch = granted(TouchClass::Commercial, at(MONDAY) + hours(24));
    let seen = Row {
        state: TouchState::Observed,
        ..row(2, TouchClass::Commercial, at(MONDAY))
    };
    assert!(matches!(
        begin(&touch, &[touch.row(), seen], at(MONDAY) + hours(24)),
        Err(TouchFault::Blocked(_))
    ));
}

#[test]
fn c6_confirm_counts_at_the_actual_instant_and_reservations_make_way() {
    let touch = begin(&granted(TouchClass::Commercial, at(MONDAY)), &[], at(MONDAY))
        .unwrap()
        .unwrap();
    let made = at(MONDAY) + hours(3);
    let reserved = row(2, TouchClass::Commercial, at(MONDAY) + hours(168));
    let rows = [touch.row(), reserved.clone()];
    let confirmation = confirm(&touch, &rows, Some(made), made + hours(1)).unwrap().unwrap();
    assert_eq!(
        (confirmation.touch.counts_at(), confirmation.displaced),
        (made, vec![reserved.touch_id])
    );
    // Where the other one was sent meanwhile, the instant by which it was judged stays.
    let sent = Row {
        state: TouchState::Sending,
        ..reserved
    };
    let confirmation = confirm(&touch, &[touch.row(), sent], Some(made), made + hours(200))
        .unwrap()
        .unwrap();
    assert_eq!(
        (confirmation.touch.counts_at(), confirmation.displaced),
        (at(MONDAY), vec![])
    );
    assert_eq!(
        confirm(&confirmation.touch, &rows, None, made),
        Ok(None),
        "calling it again is harmless"
    );
}

#[test]
fn c5_a_bounce_gives_the_place_back_at_any_time_and_other_reasons_only_before() {
    let reserved = granted(TouchClass::Commercial, at(MONDAY));
    let sending = begin(&reserved, &[], at(MONDAY)).unwrap().unwrap();
    let confirmed = confirm(&sending, &[], None, at(MONDAY)).unwrap().unwrap().touch;
    let [cancelled, not_sent, bounced] = [ReleaseReason::Cancelled, ReleaseReason::NotSent, ReleaseReason::Bounced];
    for (touch, reason, fault) in [
        (&reserved, cancelled, None),
        (&reserved, not_sent, None),
        (&sending, cancelled, Some(TouchFault::Sending)),
        (&sending, not_sent, None),
        (&sending, bounced, None),
        (&confirmed, cancelled, Some(TouchFault::Confirmed)),
        (&confirmed, not_sent, Some(TouchFault::Confirmed)),
        (&confirmed, bounced, None),
    ] {
        let outcome = touch.release(reason);
        assert_eq!(outcome.clone().err(), fault, "{} {reason:?}", touch.state);
        if let Ok(released) = outcome {
            let released = released.unwrap();
            assert_eq!(
                (released.state, released.release_reason.as_str()),
                (TouchState::Released, reason.as_str())
            );
            assert_eq!(released.release(reason), Ok(None), "calling it again is harmless");
            assert!(matches!(
                begin(&released, &[], at(MONDAY)),
                Err(TouchFault::Released(_))
            ));
            assert!(matches!(
                confirm(&released, &[], None, at(MONDAY)),
                Err(TouchFault::NotSending(_))
            ));
        }
    }
    assert!(matches!(
        confirm(&reserved, &[], None, at(MONDAY)),
        Err(TouchFault::NotSending(_))
    ));
}

#[test]
fn c6_a_grant_records_policy_and_renewal_date() {
    let standing = standing(renewing("UTC", "2027-01-01"));
    let command = reserve("k", TouchClass::Commercial, at(MONDAY));
    let touch = command
        .decide(&CapPolicy::default(), &standing, &[], at(MONDAY))
        .unwrap();
    assert_eq!(touch.renewal_on, Some("2027-01-01".parse().unwrap()));
    assert_eq!(touch.policy_version, CapPolicy::default().version);
    assert_eq!(touch.id, command.touch_id());
    assert_ne!(reserve("k2", TouchClass::Commercial, at(MONDAY)).touch_id(), touch.id);
    let other = Reserve {
        offer_id: "o".to_owned(),
        ..command.clone()
    };
    assert_ne!(other.content(), command.content());
}
