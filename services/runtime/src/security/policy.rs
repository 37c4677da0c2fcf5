//! Who may call which method: `access.toml` next to the contracts, compiled once. What has no rule is refused.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

use serde::Deserialize;

/// Before the name of a service, where a role is written.
const SERVICE: &str = "service:";

/// A set of roles, at most 64 of which the policy knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u64);

impl Roles {
    /// True when no role is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True when one role is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in either.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a method asks of its callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// May call it for everything.
    all: Roles,
    /// May call it for what is theirs.
    own: Roles,
    /// Every call is told to the audit log.
    pub(super) audit: bool,
}

/// What a caller may do with a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// Nothing.
    No,
    /// Only with what is theirs: the service has to look.
    Own,
    /// All of it.
    All,
}

/// The compiled table.
#[derive(Debug)]
pub struct Policy {
    names: Vec<String>,
    superuser: Roles,
    people: Roles,
    rules: HashMap<String, Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    superuser: String,
    roles: Vec<String>,
    services: Vec<String>,
    rules: BTreeMap<String, BTreeMap<String, Line>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    own: Vec<String>,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    audit: bool,
}

impl Policy {
    /// The policy of the contracts. A table that cannot be read permits nothing; a test reads it.
    pub fn shipped() -> &'static Self {
        static POLICY: OnceLock<Policy> = OnceLock::new();
        POLICY.get_or_init(|| {
            Self::parse(upswell_proto::ACCESS).unwrap_or_else(|fault| {
                tracing::error!(error.source = %fault, "the access table cannot be read, so nobody may do anything");
                Self {
                    names: Vec::new(),
                    superuser: Roles::default(),
                    people: Roles::default(),
                    rules: HashMap::new(),
                }
            })
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|fault| fault.to_string())?;
        let services = table.services.iter().map(|name| format!("{SERVICE}{name}"));
        let mut policy = Self {
            names: table.roles.iter().cloned().chain(services).collect(),
            superuser: Roles::default(),
            people: Roles::default(),
            rules: HashMap::new(),
        };
        if policy.names.len() > 64 {
            return Err("more than 64 roles".to_owned());
        }
        policy.superuser = policy.roles(std::slice::from_ref(&table.superuser))?;
        policy.people = policy.roles(&table.roles)?;
        for (service, lines) in table.rules {
            for (method, line) in lines {
                let services: Vec<_> = line.services.iter().map(|name| format!("{SERVICE}{name}")).collect();
                let path = format!("{service}/{method}");
                let rule = Rule {
                    all: policy.roles(&line.roles)?.and(policy.roles(&services)?),
                    own: policy.roles(&line.own)?,
                    audit: line.audit,
                };
                if rule.all.and(rule.own).is_empty() {
                    return Err(format!("{path} is for nobody"));
                }
                policy.rules.insert(path, rule);
            }
        }
        Ok(policy)
    }

    /// The roles of these names, or which one the table does not know.
    pub fn roles(&self, names: &[String]) -> Result<Roles, String> {
        let mut roles = Roles::default();
        for name in names {
            let place = self.names.iter().position(|known| known == name);
            let place = place.ok_or_else(|| format!("there is no role {name:?}"))?;
            roles = roles.and(Roles(1 << place));
        }
        Ok(roles)
    }

    /// The names of `roles`, in the order of the table.
    pub fn names(&self, roles: Roles) -> Vec<&str> {
        let held = self.names.iter().enumerate();
        held.filter(|(place, _)| roles.meets(Roles(1 << place)))
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// The roles that people and machines may have: all but those of the services.
    pub fn people(&self) -> Vec<&str> {
        self.names(self.people)
    }

    /// The role of the service called `name`.
    pub fn service(&self, name: &str) -> Roles {
        self.roles(&[format!("{SERVICE}{name}")]).unwrap_or_default()
    }

    /// Full names of the methods that have a rule, without a leading slash.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(String::as_str)
    }

    /// What holders of `roles` may do with `method` (`package.Service/Method`), and its rule, if it has one.
    pub(super) fn decide(&self, method: &str, roles: Roles) -> (Permission, Option<Rule>) {
        let Some(rule) = self.rules.get(method).copied() else {
            return (Permission::No, None);
        };
        let above = roles.meets(self.superuser) && rule.all.and(rule.own).meets(self.people);
        let permission = if above || roles.meets(rule.all) {
            Permission::All
        } else if roles.meets(rule.own) {
            Permission::Own
        } else {
            Permission::No
        };
        (permission, Some(rule))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;

    use super::*;

    fn contracts() -> BTreeSet<String> {
        let set = prost_types::FileDescriptorSet::decode(upswell_proto::DESCRIPTORS).unwrap();
        let mut methods = BTreeSet::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    methods.insert(format!("{}.{}/{}", file.package(), service.name(), method.name()));
                }
            }
        }
        methods
    }

    #[test]
    fn every_method_has_a_rule_and_every_rule_a_method() {
        let rules: BTreeSet<String> = Policy::parse(upswell_proto::ACCESS)
            .unwrap()
            .rules
            .into_keys()
            .collect();
        let contracts = contracts();
        assert!(contracts.len() > 80, "the descriptors are read");
        let missing: Vec<_> = contracts.difference(&rules).collect();
        let idle: Vec<_> = rules.difference(&contracts).collect();
        assert!(missing.is_empty(), "proto/access.toml has no rule for {missing:#?}");
        assert!(
            idle.is_empty(),
            "proto/access.toml has rules without a method: {idle:#?}"
        );
    }

    #[test]
    fn what_has_no_rule_is_refused_to_everybody() {
        let policy = Policy::shipped();
        let everything = Roles(u64::MAX);
        for method in [
            "upswell.offers.v1.OfferService/DropTables",
            "",
            "upswell.offers.v1.OfferService",
        ] {
            assert_eq!(policy.decide(method, everything), (Permission::No, None), "{method}");
        }
    }

    #[test]
    fn only_services_deliver_and_only_people_decide() {
        let policy = Policy::shipped();
        let may = |role: &str, method: &str| policy.decide(method, policy.roles(&[role.to_owned()]).unwrap()).0;
        let deliver = "upswell.delivery.v1.DeliveryService/Deliver";
        let approve = "upswell.offers.v1.ApprovalService/ApproveOffer";
        for role in policy.people() {
            assert_eq!(may(role, deliver), Permission::No, "{role}");
        }
        assert_eq!(may("service:offers", deliver), Permission::All);
        assert_eq!(may("service:offers", approve), Permission::No);
        assert_eq!(may("ingest", approve), Permission::No);
        assert_eq!(may("csm", approve), Permission::All);
        assert_eq!(
            may("csm", "upswell.offers.v1.OfferService/AcceptOffer"),
            Permission::Own
        );
        assert_eq!(
            may("admin", "upswell.offers.v1.OfferService/AcceptOffer"),
            Permission::All
        );
    }

    /// An analyst reads: none of the methods that change something is open to one, but experiments with models.
    #[test]
    fn an_analyst_changes_nothing_but_experiments() {
        let policy = Policy::shipped();
        let analyst = policy.roles(&["analyst".to_owned()]).unwrap();
        let reads = [
            "Get", "List", "BatchGet", "Stream", "Explain", "Export", "Watch", "Predict", "Backtest", "Replay",
            "Simulate", "Verify",
        ];
        let open = policy
            .methods()
            .filter(|method| policy.decide(method, analyst).0 != Permission::No);
        let changing: BTreeSet<_> = open
            .filter_map(|path| path.split_once('/'))
            .filter(|(_, method)| !reads.iter().any(|read| method.starts_with(read)) || *method == "StreamFacts")
            .map(|(_, method)| method)
            .collect();
        assert_eq!(changing, BTreeSet::from(["CancelTraining", "TrainModel"]));
    }

    #[test]
    fn a_table_with_a_slip_is_not_read() {
        let head = "superuser = \"admin\"\nroles = [\"admin\"]\nservices = []\n[rules.\"a.B\"]\n";
        for (line, fault) in [
            ("C = {}", "for nobody"),
            ("C = { roles = [\"root\"] }", "no role"),
            ("C = { rolls = [\"admin\"] }", "unknown field"),
        ] {
            let found = Policy::parse(&format!("{head}{line}")).unwrap_err();
            assert!(found.contains(fault), "{line}: {found}");
        }
    }
}
