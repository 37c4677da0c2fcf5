//! The way from a signal to money: how many, how long, and how much the accounts were touched.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    domain::{
        funnel::Way,
        lead_time::{LeadTime, Wait, approval_wait, lead_time, longest_waits},
        programme::Cut,
        rates::{Conversion, Pressure, Week},
        window::{WEEKS_MAX, Window},
    },
    error::MetricsError,
    store,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Lead times of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadTimes {
    /// From the signal's opening to the payment, in days (K-7).
    pub signal_to_payment: LeadTime,
    /// From the request to the decision, in hours (C-14).
    pub approval_wait: LeadTime,
    /// From the day on which an account came to its first goal, in days.
    pub onboarding: LeadTime,
    /// From the same day to its first expansion, in days.
    pub to_expansion: LeadTime,
    /// The longest waits for an approval.
    pub longest_waits: Vec<Wait>,
}

impl App {
    /// The funnel (K-9).
    #[tracing::instrument(name = "metrics.funnel", skip_all, fields(window.days = window.days()))]
    pub async fn funnel(&self, window: Window) -> Result<Way, Problem> {
        store::way_fetch(self.db.reader(), window).await
    }

    /// The weeks of the window of each slice, the oldest first (K-9); of all in one always. Errors: INVALID_ARGUMENT for
    /// too many weeks.
    #[tracing::instrument(name = "metrics.weekly_cut", skip_all, fields(window.days = window.days()))]
    pub async fn weekly_cut(&self, window: Window, cut: Cut) -> Result<BTreeMap<String, Vec<Week>>, MetricsError> {
        let weeks = window.weeks().len();
        if weeks > WEEKS_MAX {
            return Err(MetricsError::TooManyWeeks(weeks));
        }
        Ok(store::week_list(self.db.reader(), window, cut).await?)
    }

    /// Per motion, by its name: what became of the offers sent in the window (K-8).
    #[tracing::instrument(name = "metrics.motion_conversion", skip_all, fields(window.days = window.days()))]
    pub async fn motion_conversion(&self, window: Window) -> Result<Vec<Conversion>, Problem> {
        store::conversion_list(self.db.reader(), window).await
    }

    /// What the accounts felt (K-13).
    #[tracing::instrument(name = "metrics.pressure", skip_all, fields(window.days = window.days()))]
    pub async fn pressure(&self, window: Window) -> Result<Pressure, Problem> {
        store::pressure_fetch(self.db.reader(), window).await
    }

    /// How long the ways took that began in the window (K-7).
    #[tracing::instrument(name = "metrics.lead_times", skip_all, fields(window.days = window.days()))]
    pub async fn lead_times(&self, window: Window) -> Result<LeadTimes, Problem> {
        let now = self.clock.now();
        let (ways, opened) = store::lead_list(self.db.reader(), window).await?;
        let lasted = |since: &Timestamp| now.duration_since(*since).max(SignedDuration::ZERO);
        let open: Vec<SignedDuration> = opened.iter().map(lasted).collect();
        let approvals = store::approval_list(self.db.reader(), window).await?;
        let [onboarding, to_expansion] = self.first_steps(window).await?;
        Ok(LeadTimes {
            onboarding,
            to_expansion,
            signal_to_payment: lead_time(ways, &open, DAY),
            approval_wait: approval_wait(&approvals, now),
            longest_waits: longest_waits(approvals, now),
        })
    }
}
