//! How the people of a case answer: `reactions.yaml`.
//!
//! Rules are keyed by account and motion, never by order; `*` stands for any. The most exact rule decides: account and
//! motion, then account, then motion, then `*`.
//!
//! ```yaml
//! customers:
//!   - {account: acct-01, motion: capacity, answer: accept, after_days: 3, through: reply, pays_after_days: 3}
//!   - {account: "*", motion: "*", answer: silent}
//! csms:
//!   - {account: "*", motion: "*", answer: approve, after_hours: 4}
//! ```

use serde::Deserialize;

/// `reactions.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reactions {
    /// What customers do with an offer that reached them.
    pub customers: Vec<CustomerRule>,
    /// What CSMs do with a request for approval.
    #[serde(default)]
    pub csms: Vec<CsmRule>,
}

/// What customers do with an offer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerRule {
    /// The account, or `*`.
    pub account: String,
    /// The offer's motion in snake case, or `*`.
    pub motion: String,
    /// What they do.
    pub answer: CustomerAnswer,
    /// Days from delivery to the answer.
    #[serde(default)]
    pub after_days: u32,
    /// The way the answer takes.
    #[serde(default)]
    pub through: Way,
    /// Days from acceptance to payment; without it nobody pays.
    pub pays_after_days: Option<u32>,
    /// The words of a complaint or a decline.
    #[serde(default)]
    pub words: String,
}

/// What a customer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerAnswer {
    /// Takes the offer.
    Accept,
    /// Says no.
    Decline,
    /// Says nothing.
    Silent,
    /// Writes back in anger; not an answer to the offer.
    Complain,
}

/// The way an answer takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A reply of a single "+", ingested like any reply.
    #[default]
    Reply,
    /// The API, as a button in the product would call it.
    Api,
    /// The CSM, after the call.
    Csm,
}

/// What a CSM does with a request for approval.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsmRule {
    /// The account, or `*`.
    pub account: String,
    /// The offer's motion in snake case, or `*`.
    pub motion: String,
    /// What they do.
    pub answer: CsmAnswer,
    /// Hours from the request to the answer.
    #[serde(default)]
    pub after_hours: u32,
    /// What they write.
    #[serde(default)]
    pub comment: String,
}

/// What a CSM does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CsmAnswer {
    /// Lets it go out.
    Approve,
    /// Keeps it back.
    Reject,
    /// Says nothing, so that the request expires.
    Silent,
}

impl Reactions {
    /// The rule for a customer's offer.
    pub fn customer(&self, account: &str, motion: &str) -> Option<&CustomerRule> {
        best(&self.customers, account, motion, |rule| (&rule.account, &rule.motion))
    }

    /// The rule for a CSM's approval.
    pub fn csm(&self, account: &str, motion: &str) -> Option<&CsmRule> {
        best(&self.csms, account, motion, |rule| (&rule.account, &rule.motion))
    }

    /// Names every rule that cannot be meant.
    pub fn check(&self, faults: &mut Vec<String>) {
        let keys = |kind: &'static str, at: usize| format!("reactions.yaml: {kind}[{at}]");
        for (at, rule) in self.customers.iter().enumerate() {
            if rule.answer == CustomerAnswer::Complain && rule.words.is_empty() {
                faults.push(format!("{}: a complaint needs `words`", keys("customers", at)));
            }
            if rule.answer != CustomerAnswer::Accept && rule.pays_after_days.is_some() {
                faults.push(format!(
                    "{}: `pays_after_days` belongs to `answer: accept`",
                    keys("customers", at)
                ));
            }
            if rule.after_days > 400 || rule.pays_after_days.is_some_and(|days| days > 400) {
                faults.push(format!("{}: more than 400 days", keys("customers", at)));
            }
        }
        twice(
            "customers",
            self.customers.iter().map(|rule| (&rule.account, &rule.motion)),
            faults,
        );
        twice(
            "csms",
            self.csms.iter().map(|rule| (&rule.account, &rule.motion)),
            faults,
        );
    }
}

fn best<'a, R>(rules: &'a [R], account: &str, motion: &str, key: impl Fn(&R) -> (&String, &String)) -> Option<&'a R> {
    let fits = |pattern: &str, value: &str| pattern == value || pattern == "*";
    rules
        .iter()
        .filter(|rule| fits(key(rule).0, account) && fits(key(rule).1, motion))
        .max_by_key(|rule| (key(rule).0 != "*", key(rule).1 != "*"))
}

fn twice<'a>(kind: &str, keys: impl Iterator<Item = (&'a String, &'a String)>, faults: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            faults.push(format!(
                "reactions.yaml: {kind}: account `{}` and motion `{}` stand twice",
                key.0, key.1
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reactions() -> Reactions {
        serde_saphyr::from_str(
            r#"
customers:
  - {account: "*", motion: "*", answer: silent}
  - {account: "*", motion: capacity, answer: decline}
  - {account: a, motion: "*", answer: complain, words: stop}
  - {account: a, motion: capacity, answer: accept, after_days: 2, pays_after_days: 3}
"#,
        )
        .unwrap()
    }

    #[test]
    fn the_most_exact_rule_decides_whatever_the_order() {
        let rules = reactions();
        let answer = |account, motion| rules.customer(account, motion).unwrap().answer;
        assert_eq!(answer("a", "capacity"), CustomerAnswer::Accept);
        assert_eq!(answer("a", "tier"), CustomerAnswer::Complain);
        assert_eq!(answer("b", "capacity"), CustomerAnswer::Decline);
        assert_eq!(answer("b", "tier"), CustomerAnswer::Silent);
    }

    #[test]
    fn every_fault_is_named() {
        let mut rules = reactions();
        rules.customers[0].pays_after_days = Some(1);
        rules.customers[2].words.clear();
        rules.customers.push(rules.customers[1].clone());
        let mut faults = Vec::new();
        rules.check(&mut faults);
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
