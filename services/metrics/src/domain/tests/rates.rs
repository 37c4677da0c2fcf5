//! K-13 and windows.

use super::*;
use crate::domain::{rates::Pressure, window::WindowFault};

#[test]
fn k13_touches_per_active_account_and_week() {
    let mut pressure = Pressure {
        touches: 34,
        accounts: 30,
        weeks: 6.0,
        busiest: None,
    };
    assert_eq!(pressure.per_account_week(), Some(34.0 / 180.0));
    pressure.accounts = 0;
    assert_eq!(pressure.per_account_week(), None);
}

#[test]
fn windows_have_whole_days_and_a_limit() {
    let refused = |start, end| Window::new(day(start), day(end)).unwrap_err();
    assert_eq!(refused("2026-01-01", "2026-01-01"), WindowFault::Empty);
    assert_eq!(refused("2026-01-01", "2025-12-31"), WindowFault::Empty);
    assert_eq!(refused("2000-01-01", "2026-01-01"), WindowFault::TooLong(9_497));
    let window = window("2026-02-20", "2026-03-08");
    assert_eq!(window.weeks(), ["2026-02-20", "2026-02-27", "2026-03-06"].map(day));
    assert_eq!((window.days(), window.start_time()), (16, time("2026-02-20T00:00:00Z")));
    assert_eq!(window.end_time(), time("2026-03-08T00:00:00Z"));
}
