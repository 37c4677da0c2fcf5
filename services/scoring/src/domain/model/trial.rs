//! Scores on trial (SC-6): how well they told, 60 and 90 days before, what happened; and how much of the full lift the
//! least input keeps (I-2). Models on trial learnt only from rows whose outcome was known when the judged quarter began.

use serde::{Deserialize, Serialize};

use super::{
    challenge::{TooLittle, split},
    evaluate::{Report, evaluate},
    frame::Dataset,
    history::{Corpus, Day, History, Kind, outcome},
    train::{Cancelled, Options, Step, train},
};

/// Days from a score to the days of the outcome (SC-6).
pub const LEADS: [Day; 2] = [60, 90];
/// Days in which the outcome happens or does not.
const OUTCOME_DAYS: Day = 30;

/// Who gave a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The scores as they were told.
    Told,
    /// The rules, from the facts as they stood.
    Rules,
    /// A model that learnt from what was known before.
    Model,
    /// The same with the least input (I-2).
    LeastInput,
}

impl Source {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Rules => "rules",
            Self::Model => "model",
            Self::LeastInput => "least_input",
        }
    }
}

/// One source at one distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Who gave the scores.
    pub source: Source,
    /// Days from the score to the days of the outcome; 0 means within the horizon after the score.
    pub days_before: Day,
    /// What happened, beside what was said.
    pub report: Report,
}

/// How well scores told one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The outcome.
    pub kind: Kind,
    /// Accounts with rows.
    pub accounts: u32,
    /// First day of the judged rows.
    pub first_day: Option<Day>,
    /// Each source at each distance.
    pub judgements: Vec<Judgement>,
    /// Features of the least input.
    pub least_features: usize,
    /// Features of the full model.
    pub full_features: usize,
    /// Share of the full lift that the least input keeps.
    pub kept_lift: Option<f64>,
    /// Why there is no judgement; empty when there is one.
    pub refusal: String,
}

/// Risk and propensity, as numbers of a row; NaN where nothing was said.
pub type Pair = [f64; 2];

/// Rows with what was said and what followed.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    corpus: Corpus,
    accounts: Vec<String>,
    days: Vec<Day>,
    rules: Vec<Pair>,
    told: Vec<Pair>,
    /// By lead, then by kind.
    later: Vec<[[Option<bool>; 2]; 2]>,
}

impl Trial {
    /// Takes the rows of an account whose outcome in `horizon` days is known by the end of `until`; `rules` says what
    /// the rules said on a day.
    pub fn take(&mut self, history: &History, horizon: Day, until: Day, rules: impl Fn(Day) -> Pair) {
        for day in self.corpus.take(history, horizon, until) {
            self.accounts.push(history.account_id.clone());
            self.days.push(day);
            self.rules.push(rules(day));
            self.told.push([f64::NAN; 2]);
            let after =
                |lead: Day| Kind::ALL.map(|kind| outcome(history, kind, day.saturating_add(lead), OUTCOME_DAYS, until));
            self.later.push(LEADS.map(after));
        }
    }

    /// The rows to learn from.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// Accounts and days of the judged rows, in order, with the row's number.
    pub fn judged_rows(&self, gap: Day) -> Vec<(usize, &str, Day)> {
        let (_, later) = split(&self.corpus.dataset(Kind::Churn), gap);
        let row = |row: usize| (row, self.accounts[row].as_str(), self.days[row]);
        later.into_iter().map(row).collect()
    }

    /// Notes the score that stood when a row was made.
    pub fn tell(&mut self, row: usize, told: Pair) {
        if let Some(known) = self.told.get_mut(row) {
            *known = told;
        }
    }

    /// Judges what was said about `kind`. Errors: told to stop.
    pub fn judge(
        &self,
        kind: Kind,
        options: &Options,
        told: &mut dyn FnMut(Step) -> bool,
    ) -> Result<Judged, Cancelled> {
        let dataset = self.corpus.dataset(kind);
        let (earlier, later) = split(&dataset, options.gap_days);
        let mut judged = Judged {
            kind,
            accounts: self.corpus.accounts(),
            first_day: later.iter().map(|row| self.days[*row]).min(),
            judgements: Vec::new(),
            least_features: 0,
            full_features: dataset.frame.width(),
            kept_lift: None,
            refusal: String::new(),
        };
        let little = TooLittle::of(&dataset.select(&earlier), &dataset.select(&later));
        if let Some(too_little) = little {
            judged.refusal = too_little.to_string();
            return Ok(judged);
        }
        let least = least(&dataset);
        judged.least_features = least.frame.width();
        let full_model = learnt(&dataset, &earlier, &later, options, told)?;
        let least_model = learnt(&least, &earlier, &later, options, told)?;
        let place = Kind::ALL.iter().position(|known| *known == kind).unwrap_or(0);
        let said = |pairs: &[Pair]| later.iter().map(|row| pairs[*row][place]).collect::<Vec<f64>>();
        let sources = [
            (Source::Told, said(&self.told)),
            (Source::Rules, said(&self.rules)),
            (Source::Model, full_model),
            (Source::LeastInput, least_model),
        ];
        for (source, said) in &sources {
            for (lead, days_before) in [(None, 0), (Some(0), LEADS[0]), (Some(1), LEADS[1])] {
                let happened = |row: usize| match lead {
                    None => Some(dataset.labels[row]),
                    Some(lead) => self.later[row][lead][place],
                };
                let report = self.beside(&dataset, &later, said, happened, options.seed);
                judged.judgements.extend(report.map(|report| Judgement {
                    source: *source,
                    days_before,
                    report,
                }));
            }
        }
        judged.kept_lift = kept(&judged.judgements);
        Ok(judged)
    }

    /// What was said of the `later` rows beside what happened, where both are known; `None` without a row.
    fn beside(
        &self,
        dataset: &Dataset,
        later: &[usize],
        said: &[f64],
        happened: impl Fn(usize) -> Option<bool>,
        seed: u64,
    ) -> Option<Report> {
        let (mut labels, mut given, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (row, said) in later.iter().zip(said).filter(|(_, said)| !said.is_nan()) {
            if let Some(label) = happened(*row) {
                labels.push(label);
                given.push(*said);
                groups.push(dataset.groups[*row]);
            }
        }
        (!labels.is_empty()).then(|| evaluate(&labels, &given, &groups, seed))
    }
}

/// What a model says of the later rows that learnt from the earlier ones.
fn learnt(
    dataset: &Dataset,
    earlier: &[usize],
    later: &[usize],
    options: &Options,
    told: &mut dyn FnMut(Step) -> bool,
) -> Result<Vec<f64>, Cancelled> {
    let model = train(&dataset.select(earlier), options, told)?;
    Ok(model.probabilities(&dataset.select(later).frame))
}

/// The features that transactions, active users and renewal dates leave (I-2).
pub fn is_least_input(feature: &str) -> bool {
    const NAMES: [&str; 8] = [
        "mrr",
        "add_ons",
        "period_months",
        "days_to_renewal",
        "tenure_days",
        "days_since_mrr_up",
        "days_since_mrr_down",
        "active_users",
    ];
    const STEMS: [&str; 3] = ["mrr_change_", "invoices_", "active_users_"];
    NAMES.contains(&feature) || STEMS.iter().any(|stem| feature.starts_with(stem))
}

fn least(dataset: &Dataset) -> Dataset {
    let names = dataset.frame.names().iter().filter(|name| is_least_input(name));
    let names: Vec<String> = names.cloned().collect();
    Dataset {
        // The names are the frame's own, so that none is missing.
        frame: dataset.frame.pick(&names).unwrap_or_default(),
        ..dataset.clone()
    }
}

/// (lift − 1) / (full lift − 1) of the highest tenth.
fn kept(judgements: &[Judgement]) -> Option<f64> {
    let lift = |source: Source| {
        let found = judgements
            .iter()
            .find(|judgement| judgement.source == source && judgement.days_before == 0)?;
        found.report.lifts.first().copied()
    };
    let (full, least) = (lift(Source::Model)?, lift(Source::LeastInput)?);
    (full > 1.0).then(|| (least - 1.0) / (full - 1.0))
}
