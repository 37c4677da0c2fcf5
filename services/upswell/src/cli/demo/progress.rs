//! The days of a case as they are played.

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, tz::TimeZone};

use crate::demo::{case::Case, driver::Observer};

const HOURS_A_DAY: u64 = 24;

/// A progress bar over the days; silent where standard error is no terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar that stands where the run goes on.
    pub(super) fn new(case: &Case, completed: Option<Timestamp>) -> Self {
        let bar = ProgressBar::new(case.header.days.into());
        let style = ProgressStyle::with_template("{msg}  {bar:40} day {pos} of {len}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let played = completed.map_or(0, |completed| completed.duration_since(case.start()).as_hours() / 24);
        bar.set_position(u64::try_from(played).unwrap_or_default());
        bar.reset_eta();
        Self(bar)
    }

    /// Makes place for the report.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Bar {
    fn played(&mut self, now: Timestamp, done: u64, _all: u64) {
        self.0.set_position(done / HOURS_A_DAY);
        self.0.set_message(now.to_zoned(TimeZone::UTC).date().to_string());
    }
}
