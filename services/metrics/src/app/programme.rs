//! What the programme did, returned and did to loyalty; and the dashboard against its targets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Span, civil::Date, tz::TimeZone};
use upswell_runtime::{
    db::epoch_day,
    money::{Currency, Money},
    problem::Problem,
};

use super::{App, Asked};
use crate::{
    domain::{
        lead_time::{LeadTime, lead_time},
        lifetime::{Costs, lifetime},
        loyalty::{Change, Heard, complaints_change, csat_change, nps_change, unsubscribes_change},
        payoff::{Payoff, ProgrammeCost, payoff},
        programme::{Cut, Slice, SliceMoney},
        revenue::{Revenue, RevenueFault, share},
        targets::{Measured, Standing, standings},
        window::Window,
    },
    error::MetricsError,
    store::{self, CountedStep, StepFilter, StepKey},
};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const NOTHING_HEARD: &str = "no answers in the window";

/// How loyal a segment stayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Loyalty {
    /// The segment; empty for all.
    pub segment: String,
    /// Before and after.
    pub heard: [Heard; 2],
    /// Change of NPS, CSAT, complaints and unsubscribes.
    pub changes: [Option<Change>; 4],
}

/// The dashboard against its targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// One entry per target.
    pub standings: Vec<Standing>,
    /// The time before the launch.
    pub baseline: Option<Window>,
}

impl App {
    /// The programme by slice (K-8, K-9); only slices with something in them, but the whole always.
    #[tracing::instrument(name = "metrics.programme", skip_all, fields(window.days = window.days()))]
    pub async fn programme(&self, window: Window, cut: Cut) -> Result<Vec<Slice>, Problem> {
        let mut slices = store::programme_fetch(self.db.reader(), window, cut).await?;
        slices.retain(|slice| slice.is_active() || (cut == Cut::All && slice.customers > 0));
        Ok(slices)
    }

    /// At most `size` things that a step counts after the key, and the key of the last one when more follow.
    pub async fn counted_steps(
        &self,
        filter: &StepFilter,
        after: Option<StepKey>,
        size: u32,
    ) -> Result<(Vec<CountedStep>, Option<StepKey>), Problem> {
        let mut steps = store::step_list(self.db.reader(), filter, after.as_ref(), size.saturating_add(1)).await?;
        let more = steps.len() > size as usize;
        steps.truncate(size as usize);
        let last = steps.last().filter(|_| more).map(|step| step.key.clone());
        Ok((steps, last))
    }

    /// What the programme returned (K-8); `None` without money, and with several currencies of which none is configured.
    #[tracing::instrument(name = "metrics.programme_return", skip_all, fields(window.days = window.days()))]
    pub async fn programme_return(&self, window: Window) -> Result<Option<Payoff>, MetricsError> {
        let slices = store::programme_fetch(self.db.reader(), window, Cut::All).await?;
        let money = slices.into_iter().next().map(|slice| slice.money).unwrap_or_default();
        let only = (money.len() == 1).then(|| money[0].expansion.currency);
        let Some(currency) = self.programme.own_currency().or(only) else {
            return Ok(None);
        };
        let own = money.iter().find(|part| part.expansion.currency == currency);
        let zero = Money::zero(currency);
        let earned = own.map_or(Ok(zero), SliceMoney::earned).map_err(RevenueFault::Money)?;
        let expansion = own.map_or(zero, |part| part.expansion);
        let touches = store::pressure_fetch(self.db.reader(), window).await?.touches;
        let cost = ProgrammeCost {
            a_month: Money::new(self.programme.monthly_cost_minor, currency),
            a_touch: Money::new(self.programme.touch_cost_minor, currency),
        };
        let margin = self.revenue.gross_margin();
        let found = payoff(window, (earned, expansion), touches, cost, margin);
        Ok(Some(found.map_err(RevenueFault::Money)?))
    }

    /// The first steps of the accounts that came in the window: days to the first goal and to the first expansion (K-7).
    pub async fn first_steps(&self, window: Window) -> Result<[LeadTime; 2], Problem> {
        let today = epoch_day(self.clock.now().to_zoned(TimeZone::UTC).date());
        let steps = store::first_step_list(self.db.reader(), window).await?;
        let days = |from: i32, to: i32| DAY * to.saturating_sub(from).max(0);
        let of = |done: fn(&store::FirstSteps) -> Option<i32>, leaves: bool| {
            let (mut ways, mut open) = (Vec::new(), Vec::new());
            for step in &steps {
                let gone = step.gone_on.filter(|gone| leaves && *gone < today);
                match done(step).filter(|day| *day <= today) {
                    Some(day) => ways.push(days(step.came_on, day)),
                    None => open.push(days(step.came_on, gone.unwrap_or(today))),
                }
            }
            lead_time(ways, &open, DAY)
        };
        Ok([of(|step| step.reached_on, false), of(|step| step.expanded_on, true)])
    }

    /// Loyalty of each segment, the whole first (K-12).
    #[tracing::instrument(name = "metrics.loyalty", skip_all)]
    pub async fn loyalty(&self, before: Window, after: Window) -> Result<Vec<Loyalty>, Problem> {
        let (first, last) = (
            store::heard_fetch(self.db.reader(), before).await?,
            store::heard_fetch(self.db.reader(), after).await?,
        );
        let margins = self.programme.margins();
        let told = |segment: String, heard: [Heard; 2]| Loyalty {
            segment,
            changes: [
                nps_change(&heard[0], &heard[1], margins),
                csat_change(&heard[0], &heard[1], margins),
                complaints_change(&heard[0], &heard[1], margins),
                unsubscribes_change(&heard[0], &heard[1], margins),
            ],
            heard,
        };
        let whole = told(String::new(), [sum(&first, before), sum(&last, after)]);
        let names: BTreeSet<&String> = first
            .keys()
            .chain(last.keys())
            .filter(|name| !name.is_empty())
            .collect();
        let of = |heard: &BTreeMap<String, Heard>, name: &String, window| {
            heard.get(name).copied().unwrap_or_else(|| Heard::nothing(window))
        };
        let segments = names
            .into_iter()
            .map(|name| told(name.clone(), [of(&first, name, before), of(&last, name, after)]));
        Ok(std::iter::once(whole).chain(segments).collect())
    }

    /// The dashboard of the window against its targets and the time before the launch (K-14).
    #[tracing::instrument(name = "metrics.targets", skip_all, fields(window.days = window.days()))]
    pub async fn dashboard(&self, window: Window) -> Result<Dashboard, MetricsError> {
        let baseline = self.programme.launch().and_then(|launch| {
            let start = launch
                .checked_sub(Span::new().days(self.programme.baseline_days))
                .ok()?;
            Window::new(start, launch).ok()
        });
        let now = self.measured(window).await?;
        let before = match baseline {
            Some(baseline) => Some(self.measured(baseline).await?),
            None => None,
        };
        Ok(Dashboard {
            standings: standings(&self.targets, &now, before.as_ref()),
            baseline,
        })
    }

    async fn measured(&self, window: Window) -> Result<Measured, MetricsError> {
        let revenues = self.revenue_of(window, &Asked::all()).await?;
        let revenue = self.own(&revenues);
        let of = |pick: fn(&Revenue) -> Option<f64>| revenue.and_then(|one| pick(one).ok_or("no MRR in the window"));
        let times = self.lead_times(window).await?;
        let [onboarding, _] = self.first_steps(window).await?;
        let heard = sum(&store::heard_fetch(self.db.reader(), window).await?, window);
        Ok(Measured {
            values: [
                of(|one| one.nrr),
                of(|one| one.grr),
                of(|one| share(one.expansion_gross.minor, one.mrr_end.minor)),
                times.signal_to_payment.mean.ok_or("nothing was paid yet"),
                onboarding.median_with_open.ok_or("too few accounts reached a goal"),
                self.ltv_to_cac(window, revenue)?,
                heard.score().ok_or(NOTHING_HEARD),
            ],
        })
    }

    /// The revenue that targets are about.
    fn own<'a>(&self, revenues: &'a [Revenue]) -> Result<&'a Revenue, &'static str> {
        let configured: Option<Currency> = self.programme.own_currency();
        match (configured, revenues) {
            (Some(currency), _) => {
                let own = revenues.iter().find(|one| one.mrr_end.currency == currency);
                own.ok_or("no MRR in the configured currency")
            }
            (None, [one]) => Ok(one),
            (None, []) => Err("no MRR in the window"),
            (None, _) => Err("there are several currencies and none is configured"),
        }
    }

    fn ltv_to_cac(
        &self,
        window: Window,
        revenue: Result<&Revenue, &'static str>,
    ) -> Result<Result<f64, &'static str>, MetricsError> {
        let (revenue, cost) = match (revenue, self.programme.acquisition_cost_minor) {
            (Err(reason), _) => return Ok(Err(reason)),
            (_, 0) => return Ok(Err("no cost of acquisition is configured")),
            (Ok(revenue), cost) => (revenue, cost),
        };
        let costs = Costs {
            gross_margin: self.revenue.gross_margin(),
            acquisition: Some(Money::new(cost, revenue.mrr_end.currency)),
        };
        let lifetime = lifetime(revenue, window, self.revenue.rules(), costs).map_err(RevenueFault::Money)?;
        Ok(lifetime.to_cac.ok_or("nobody left, so that there is no lifetime"))
    }
}

fn sum(segments: &BTreeMap<String, Heard>, window: Window) -> Heard {
    segments.values().fold(Heard::nothing(window), Heard::plus)
}

/// As many days right before `window`.
pub fn right_before(window: Window) -> Option<Window> {
    let start: Date = window.start().checked_sub(Span::new().days(window.days())).ok()?;
    Window::new(start, window.start()).ok()
}
