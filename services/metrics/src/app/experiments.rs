//! What the programme changed, and what its variants did.

use jiff::{Span, tz::TimeZone};
use upswell_runtime::money::Currency;

use super::App;
use crate::{
    domain::{
        uplift::{Lack, Uplift, judge, reading},
        variants::{Results, results},
    },
    error::MetricsError,
    store::{self, MemberFilter},
};

/// Error rate over all looks at a test of variants.
const VARIANT_ALPHA: f64 = 0.05;

/// The uplift of an epoch in a currency.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochUplift {
    /// The epoch; 0 without a holdout.
    pub epoch: i32,
    /// The currency of all amounts; `None` when no account with an arm ever paid.
    pub currency: Option<Currency>,
    /// What the last reading says.
    pub uplift: Uplift,
}

impl App {
    /// The last reading of the uplift against the holdout (K-10). No epoch means the latest, no currency the usual one
    /// of its accounts, an empty segment all accounts.
    #[tracing::instrument(name = "metrics.uplift", skip_all)]
    pub async fn uplift(
        &self,
        epoch: Option<i32>,
        currency: Option<Currency>,
        segment: String,
    ) -> Result<EpochUplift, MetricsError> {
        let (reader, policy) = (self.db.reader(), self.uplift);
        let Some(epoch) = store::epoch_fetch(reader, epoch).await? else {
            return Ok(EpochUplift {
                epoch: 0,
                currency,
                uplift: Uplift::withheld(Lack::NoHoldout),
            });
        };
        let day = |time: jiff::Timestamp| time.to_zoned(TimeZone::UTC).date();
        let found = reading(day(epoch.started_at), day(self.clock.now()), &policy);
        let usual = store::currency_fetch(reader, epoch.number).await?;
        let currency = currency.or_else(|| usual.and_then(|code| code.parse().ok()));
        let uplift = match found {
            Err(first) => Uplift::withheld(Lack::TooEarly(first)),
            Ok(reading) => {
                let filter = MemberFilter {
                    epoch: epoch.number,
                    currency: currency.map(|currency| currency.to_string()).unwrap_or_default(),
                    segment,
                    assigned_until: reading.on.saturating_sub(Span::new().days(policy.first_day)),
                    on: reading.on,
                };
                let members = store::member_list(reader, &filter).await?;
                let seed = u64::from(reading.number) << 32 | u64::from(epoch.number.unsigned_abs());
                judge(&members, reading, &policy, seed)
            }
        };
        Ok(EpochUplift {
            epoch: epoch.number,
            currency,
            uplift,
        })
    }

    /// The results of a test of variants (K-11). Errors: NOT_FOUND `EXPERIMENT_NOT_FOUND`.
    #[tracing::instrument(name = "metrics.variant_results", skip_all)]
    pub async fn variant_results(&self, experiment: &str) -> Result<Results, MetricsError> {
        let variants = store::variant_list(self.db.reader(), experiment).await?;
        if variants.is_empty() {
            return Err(MetricsError::UnknownExperiment(experiment.to_owned()));
        }
        Ok(results(variants, VARIANT_ALPHA))
    }
}
