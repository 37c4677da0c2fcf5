//! Takes what other services tell. Nothing is decided here: the subscriptions concerned become due, and the job settles
//! them when the whole batch of events is there, so that an imported history does not live through its past.

use jiff::{civil::Date, tz::TimeZone};
use upswell_runtime::{db::Tx, problem::Problem, telemetry::TraceContext};

use super::App;
use crate::{
    domain::{
        account::Account,
        contract::{AddOn, Version},
        risk::ChurnRisk,
    },
    store,
};

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The account's calendar and who is in charge.
    Profile {
        /// In which its days begin.
        time_zone: TimeZone,
        /// The customer success manager; empty when nobody is.
        owner_id: String,
        /// Country code.
        country: String,
        /// Segment.
        segment: String,
        /// When it became a customer.
        customer_since: Option<Date>,
    },
    /// How the account stands.
    Score {
        /// How likely it is to leave.
        risk: ChurnRisk,
        /// Health, 0 to 100.
        health: Option<i32>,
        /// Critical tickets that are open.
        open_critical: i32,
    },
    /// A version of the terms of an add-on.
    AddOn(AddOn),
    /// A version of the terms of a subscription of kind plan.
    Terms {
        /// The subscription.
        subscription_id: String,
        /// The version.
        version: Version,
    },
    /// Nothing that concerns renewals.
    Nothing,
}

impl App {
    /// Keeps what an event says about the account; `trace` is the work that told it.
    pub async fn record(&self, tx: &Tx, account_id: &str, fact: Fact, trace: &TraceContext) -> Result<(), Problem> {
        // First, in the order in which everybody locks: subscriptions, then accounts.
        let comes = match &fact {
            Fact::Terms { subscription_id, .. } => subscription_id,
            _ => "",
        };
        store::account_subscriptions_lock(tx, account_id, comes).await?;
        match fact {
            Fact::Profile {
                time_zone,
                owner_id,
                country,
                segment,
                customer_since,
            } => {
                self.account(tx, account_id, trace, |known| Account {
                    time_zone,
                    owner_id,
                    country,
                    segment,
                    customer_since,
                    ..known
                })
                .await
            }
            Fact::Score {
                risk,
                health,
                open_critical,
            } => {
                self.account(tx, account_id, trace, |known| Account {
                    churn_risk: Some(risk),
                    health,
                    open_critical,
                    ..known
                })
                .await
            }
            Fact::Terms {
                subscription_id,
                version,
            } => {
                store::version_save(tx, &subscription_id, &version).await?;
                store::subscription_due(tx, &subscription_id, account_id, trace).await
            }
            Fact::AddOn(version) => {
                store::add_on_save(tx, account_id, &version).await?;
                store::subscriptions_due(tx, account_id, trace).await
            }
            Fact::Nothing => Ok(()),
        }
    }

    async fn account(
        &self,
        tx: &Tx,
        account_id: &str,
        trace: &TraceContext,
        change: impl FnOnce(Account) -> Account,
    ) -> Result<(), Problem> {
        let known = store::account_lock(tx, account_id).await?;
        let account = change(known.clone());
        if account != known {
            store::account_save(tx, account_id, &account).await?;
            store::subscriptions_due(tx, account_id, trace).await?;
        }
        Ok(())
    }
}
