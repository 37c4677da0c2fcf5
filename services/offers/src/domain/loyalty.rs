//! Whether a playbook harms the accounts that it talks to (C-15).
//!
//! A message did harm when a complaint, a wish for no more messages, a refusal for being written to, or a bad answer to a
//! survey (NPS 0–6, CSAT 1–2) followed it. The share of a playbook's messages of the last weeks that did harm is compared
//! with its baseline: what it did before, what all other playbooks did in the same weeks, and the share that is expected
//! anyway, which counts as so many messages. Where so much harm would be that improbable by chance, the playbook is paused.

use statrs::function::beta::beta_reg;

use super::vocabulary::words;

#[cfg(test)]
mod tests;

words! {
    /// What followed a message and tells of harm.
    ReactionKind, "reaction" {
        /// Somebody complained.
        Complaint = "complaint",
        /// Somebody wanted no more of it.
        Unsubscribe = "unsubscribe",
        /// NPS 0 to 6.
        Detractor = "detractor",
        /// CSAT 1 or 2.
        Dissatisfied = "dissatisfied",
    }
}

/// Messages, and how many of them did harm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sent.
    pub sent: u32,
    /// Did harm; at most `sent`.
    pub harmed: u32,
}

/// A playbook's messages to one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The playbook.
    pub playbook: String,
    /// The segment.
    pub segment: String,
    /// In the last weeks.
    pub recent: Tally,
    /// Before.
    pub before: Tally,
}

/// What counts as harm. The defaults are in the settings, `[loyalty]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardRules {
    /// The share that is expected anyway.
    pub expected: f64,
    /// As how many messages that counts.
    pub weight: f64,
    /// Largest probability of being paused by chance, of one playbook at one look.
    pub error: f64,
    /// Fewest messages that did harm.
    pub least: u32,
}

/// A playbook that does harm.
#[derive(Debug, Clone, PartialEq)]
pub struct Harm {
    /// The playbook.
    pub playbook: String,
    /// In which segment; none for all together.
    pub segment: Option<String>,
    /// Its last weeks.
    pub recent: Tally,
    /// The share that would have been no surprise.
    pub baseline: f64,
    /// How probable so much harm is by chance.
    pub chance: f64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            harmed: self.harmed.saturating_add(other.harmed),
        }
    }

    /// The share that did harm, from `expected` with the weight of `weight` messages.
    fn share(self, expected: f64, weight: f64) -> f64 {
        expected.mul_add(weight, f64::from(self.harmed)) / (weight + f64::from(self.sent))
    }

    /// The probability of as much harm or more by chance, if each message does harm with probability `share`: the upper tail
    /// of the binomial distribution.
    fn chance(self, share: f64) -> f64 {
        if self.harmed == 0 {
            return 1.0;
        }
        let rest = self.sent.saturating_sub(self.harmed);
        beta_reg(f64::from(self.harmed), f64::from(rest) + 1.0, share.clamp(0.0, 1.0))
    }
}

/// The playbooks that do harm, by key: in a segment, or in all together. Each is looked at as often as it has segments and
/// once more, so each look gets its share of the error.
pub fn harmful(watched: &[Watched], rules: &GuardRules) -> Vec<Harm> {
    let mut keys: Vec<&str> = watched.iter().map(|one| one.playbook.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter_map(|key| harm_of(key, watched, rules))
        .collect()
}

/// What speaks most against a playbook, if it is enough.
fn harm_of(playbook: &str, watched: &[Watched], rules: &GuardRules) -> Option<Harm> {
    let own: Vec<&Watched> = watched.iter().filter(|one| one.playbook == playbook).collect();
    let together = own.iter().fold(Tally::default(), |sum, one| sum.plus(one.recent));
    let mut looks: Vec<(Option<&str>, Tally)> = vec![(None, together)];
    if own.len() > 1 {
        looks.extend(own.iter().map(|one| (Some(one.segment.as_str()), one.recent)));
    }
    let error = rules.error / f64::from(u32::try_from(looks.len()).unwrap_or(u32::MAX));
    let judged = looks.into_iter().map(|(segment, recent)| {
        let of_segment = |one: &&Watched| segment.is_none_or(|segment| one.segment == segment);
        let usual = watched.iter().filter(of_segment).map(|one| {
            if one.playbook == playbook {
                one.before
            } else {
                one.recent
            }
        });
        let usual = usual.fold(Tally::default(), Tally::plus);
        let baseline = usual.share(rules.expected, rules.weight);
        Harm {
            playbook: playbook.to_owned(),
            segment: segment.map(str::to_owned),
            recent,
            baseline,
            chance: recent.chance(baseline),
        }
    });
    judged
        .filter(|harm| harm.recent.harmed >= rules.least && harm.chance < error)
        .min_by(|a, b| a.chance.total_cmp(&b.chance))
}

impl Harm {
    /// For a person.
    pub fn told(&self) -> String {
        let Tally { sent, harmed } = self.recent;
        let whom = self.segment.as_deref().unwrap_or("all segments");
        format!(
            "{harmed} of {sent} messages did harm ({whom}), where {:.1}% are usual; by chance that is {:.2e} probable",
            self.baseline * 100.0,
            self.chance
        )
    }
}
