//! The rules by example, and what holds whatever happens.

mod care;
mod contacts;
mod contract;
mod marks;
mod outlook;
mod pipeline;
mod properties;
mod seasons;
mod tasks;
mod terms;

use jiff::{SignedDuration, Timestamp, civil::Date};
use upswell_runtime::money::Money;

use super::{
    account::{Account, days_before},
    contract::{StatedTerms, Version},
    country::{Countries, Country},
    deal::Deal,
    mark::MarkRule,
    renewal::{Decision, News, Policy, Renewal},
    risk::ChurnRisk,
    schedule::Schedule,
    stage::Stage,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Noon in UTC.
fn noon(text: &str) -> Timestamp {
    format!("{text}T12:00:00Z").parse().unwrap()
}

fn kzt(major: i64) -> Money {
    Money::new(major * 100, "KZT".parse().unwrap())
}

fn policy() -> Policy {
    let rule = |mark_days, days_before| MarkRule { mark_days, days_before };
    Policy {
        marks: vec![rule(120, 120), rule(60, 60), rule(30, 31)],
        grace_days: 30,
        unknown_churn_risk: ChurnRisk::from_fraction(0.1).unwrap(),
        countries: countries(),
    }
}

/// The shipped calendars.
fn countries() -> Countries {
    Countries::new(
        vec![kazakhstan()],
        toml::from_str(include_str!("../../calendars/default.toml")).unwrap(),
    )
}

fn kazakhstan() -> Country {
    toml::from_str(include_str!("../../calendars/kz.toml")).unwrap()
}

/// The stage that the date alone asks for.
fn by_date(days_left: i32) -> Stage {
    let renewal_on = day("2027-01-01");
    Schedule::plain(renewal_on).stage_on(days_before(renewal_on, days_left))
}

fn version(id: &str, effective: &str, renewal: &str) -> Version {
    Version {
        version_id: id.to_owned(),
        effective_on: day(effective),
        end_on: None,
        renewal_on: day(renewal),
        mrr: kzt(240_000),
        stated: StatedTerms::default(),
        occurred_at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(id.bytes().map(i64::from).sum()),
        superseded: false,
    }
}

/// A renewal that is driven by hand.
struct World {
    account: Account,
    policy: Policy,
    renewal: Renewal,
    /// What was told since the last look.
    news: Vec<News>,
    check_on: Option<Date>,
}

impl World {
    fn new(versions: impl IntoIterator<Item = Version>) -> Self {
        let account = Account {
            owner_id: "csm-1".to_owned(),
            ..Account::unknown()
        };
        let mut renewal = Renewal::new("sub-1", "acme");
        renewal.versions.extend(versions);
        Self {
            account,
            policy: policy(),
            renewal,
            news: Vec::new(),
            check_on: None,
        }
    }

    fn take(&mut self, decision: Decision) {
        self.renewal = decision.renewal;
        self.news = decision.news;
        self.check_on = decision.check_on;
    }

    fn settle(&mut self, on: &str) -> &mut Self {
        self.settle_at(noon(on))
    }

    fn settle_at(&mut self, now: Timestamp) -> &mut Self {
        let decision = self.renewal.settled(&self.account, &self.policy, now);
        self.take(decision);
        self
    }

    fn learn(&mut self, version: Version) -> &mut Self {
        self.renewal
            .versions
            .retain(|other| other.version_id != version.version_id);
        self.renewal.versions.push(version);
        self
    }

    fn advance(&mut self, stage: Stage, on: &str) -> &mut Self {
        let (id, etag) = self.last_key();
        let decision = self
            .renewal
            .advanced((id, &etag), stage, "anna", &self.account, &self.policy, noon(on));
        self.take(decision.unwrap());
        self
    }

    fn renew(&mut self, on: &str) -> &mut Self {
        let (id, etag) = self.last_key();
        let decision = self
            .renewal
            .closed((id, &etag), None, "anna", &self.account, &self.policy, noon(on));
        self.take(decision.unwrap());
        self
    }

    fn last_key(&self) -> (uuid::Uuid, String) {
        let deal = self.last();
        (deal.deal_id, deal.etag())
    }

    fn last(&self) -> &Deal {
        self.renewal.deals.last().unwrap()
    }

    fn stage(&self) -> Stage {
        self.last().stage
    }

    fn stages(&self) -> Vec<Stage> {
        self.renewal.deals.iter().map(|deal| deal.stage).collect()
    }

    /// Days of the marks that were told since the last look.
    fn marks(&self) -> Vec<i32> {
        let marks = self.news.iter().filter_map(|news| match news {
            News::Mark(mark) => Some(mark.mark_days),
            News::Deal { .. } => None,
        });
        marks.collect()
    }

    /// The date before, of each deal that was told of since the last look.
    fn moves(&self) -> Vec<Option<Date>> {
        let moves = self.news.iter().filter_map(|news| match news {
            News::Mark(_) => None,
            News::Deal {
                previous_renewal_on, ..
            } => Some(*previous_renewal_on),
        });
        moves.collect()
    }
}
