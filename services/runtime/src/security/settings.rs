//! Section `[security]`.

use std::{collections::BTreeMap, net::SocketAddr};

use http::Uri;
use serde::{Deserialize, Serialize};

use super::{
    policy::Policy,
    token::keys::{ES256, RS256},
};
use crate::problem::Violations;

/// Who may call this process, over what, and who it is itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecuritySettings {
    /// Serve other addresses than loopback although callers are not known.
    pub insecure: bool,
    /// Serve the descriptors of the contracts although callers are known.
    pub reflection: bool,
    /// Address of a second listener without TLS which answers `grpc.health.v1` only; empty: none.
    pub health_listen: String,
    /// File with the bearer token that this process sends with its calls; empty: none.
    pub token_file: String,
    /// How often in ms files are looked at again.
    pub reload_ms: u64,
    /// Encryption.
    pub tls: TlsSettings,
    /// Roles of callers by a name (URI or DNS) in their certificate.
    pub certificates: BTreeMap<String, Vec<String>>,
    /// Whose tokens are believed.
    pub issuers: BTreeMap<String, IssuerSettings>,
}

/// Section `[security.tls]`. Paths of PEM files; empty ones are not used.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// Certificate of this process with its chain.
    pub cert_file: String,
    /// Key of the certificate.
    pub key_file: String,
    /// Authorities that certificates of callers and of called services must come from.
    pub ca_file: String,
    /// Refuse connections without a certificate, also where a token would do.
    pub require_client_cert: bool,
    /// Name that the certificates of called services must have; empty: the host of their address.
    pub server_name: String,
    /// How long in ms a handshake may take.
    pub handshake_ms: u64,
    /// After how many seconds a connection is ended in good order, so that a certificate is shown again.
    pub connection_age_s: u64,
}

/// One `[security.issuers.<name>]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerSettings {
    /// What the claim `iss` must be.
    pub issuer: String,
    /// What the claim `aud` must be or hold.
    pub audience: String,
    /// File with the issuer's JSON Web Key Set.
    pub jwks_file: String,
    /// Where the issuer publishes its JSON Web Key Set; instead of the file.
    pub jwks_url: String,
    /// Authorities that the certificate of that address must come from; empty: those that browsers know.
    pub jwks_ca_file: String,
    /// How often in s the set is fetched.
    pub jwks_refresh_s: u64,
    /// Seconds at least from one fetch to another that a token with an unknown key causes.
    pub jwks_retry_s: u64,
    /// Signatures that are accepted: RS256, ES256.
    pub algorithms: Vec<String>,
    /// By how many seconds clocks may differ.
    pub leeway_s: i64,
    /// Seconds from `iat` to `exp` at most.
    pub max_lifetime_s: i64,
    /// The claim that names a person the way accounts and approvals name them.
    pub name_claim: String,
    /// The claim with roles or groups; `a.b` is member b of member a.
    pub roles_claim: String,
    /// Roles by a value of that claim.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Roles by `sub`.
    pub subjects: BTreeMap<String, Vec<String>>,
}

impl Default for SecuritySettings {
    fn default() -> Self {
        Self {
            insecure: false,
            reflection: false,
            health_listen: String::new(),
            token_file: String::new(),
            reload_ms: 5_000,
            tls: TlsSettings::default(),
            certificates: BTreeMap::new(),
            issuers: BTreeMap::new(),
        }
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            cert_file: String::new(),
            key_file: String::new(),
            ca_file: String::new(),
            require_client_cert: false,
            server_name: String::new(),
            handshake_ms: 5_000,
            connection_age_s: 600,
        }
    }
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: "upswell".to_owned(),
            jwks_file: String::new(),
            jwks_url: String::new(),
            jwks_ca_file: String::new(),
            jwks_refresh_s: 300,
            jwks_retry_s: 30,
            algorithms: vec![RS256.to_owned(), ES256.to_owned()],
            leeway_s: 30,
            max_lifetime_s: 86_400,
            name_claim: "sub".to_owned(),
            roles_claim: "roles".to_owned(),
            roles: BTreeMap::new(),
            subjects: BTreeMap::new(),
        }
    }
}

impl TlsSettings {
    /// True when this process has a certificate.
    pub fn has_identity(&self) -> bool {
        !self.cert_file.is_empty()
    }
}

impl SecuritySettings {
    /// True when callers have to show who they are.
    pub fn asks(&self) -> bool {
        !self.issuers.is_empty() || !self.certificates.is_empty()
    }

    /// True when something may change while the process runs.
    pub(super) fn names_files(&self) -> bool {
        let files = [&self.tls.cert_file, &self.tls.ca_file, &self.token_file];
        !self.issuers.is_empty() || files.iter().any(|file| !file.is_empty())
    }

    /// Notes every value which cannot be used, and combinations that would protect less than they seem to.
    pub fn validate(&self, violations: &mut Violations) {
        if !self.health_listen.is_empty() {
            violations.take("health_listen", self.health_listen.parse::<SocketAddr>());
        }
        if self.reload_ms < 100 {
            violations.add("reload_ms", "must be at least 100");
        }
        violations.at("tls", |violations| self.tls.validate(violations));
        if !self.certificates.is_empty() && (!self.tls.has_identity() || self.tls.ca_file.is_empty()) {
            let text = "certificates of callers need tls.cert_file, tls.key_file and tls.ca_file";
            violations.add("certificates", text);
        }
        if self.tls.require_client_cert && self.certificates.is_empty() && self.issuers.is_empty() {
            violations.add(
                "tls.require_client_cert",
                "says nobody what callers may do: name them in [certificates]",
            );
        }
        roles_known("certificates", &self.certificates, violations);
        for (name, issuer) in &self.issuers {
            violations.at(format_args!("issuers.{name}"), |violations| issuer.validate(violations));
        }
        let mut names: Vec<_> = self.issuers.values().map(|issuer| &issuer.issuer).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < self.issuers.len() {
            violations.add("issuers", "two of them have the same `issuer`");
        }
    }
}

impl TlsSettings {
    fn validate(&self, violations: &mut Violations) {
        if self.cert_file.is_empty() != self.key_file.is_empty() {
            violations.add("key_file", "a certificate and its key come together: set both or none");
        }
        if self.require_client_cert && self.ca_file.is_empty() {
            violations.add("ca_file", "is needed to check the certificates of callers");
        }
        if self.handshake_ms == 0 {
            violations.add("handshake_ms", "must be positive");
        }
        if self.connection_age_s < 10 {
            violations.add("connection_age_s", "must be at least 10");
        }
    }
}

impl IssuerSettings {
    fn validate(&self, violations: &mut Violations) {
        for (field, value) in [
            ("issuer", &self.issuer),
            ("audience", &self.audience),
            ("name_claim", &self.name_claim),
        ] {
            if value.is_empty() {
                violations.add(field, "is required");
            }
        }
        self.validate_keys(violations);
        let known = |algorithm: &String| [RS256, ES256].contains(&algorithm.as_str());
        if self.algorithms.is_empty() || !self.algorithms.iter().all(known) {
            violations.add("algorithms", "must be RS256, ES256 or both");
        }
        if !(0..=30).contains(&self.leeway_s) {
            violations.add("leeway_s", "must be between 0 and 30");
        }
        if self.max_lifetime_s < 1 {
            violations.add("max_lifetime_s", "must be positive");
        }
        if self.roles.is_empty() && self.subjects.is_empty() {
            violations.add("roles", "nobody would have a role: fill roles or subjects");
        }
        roles_known("roles", &self.roles, violations);
        roles_known("subjects", &self.subjects, violations);
    }

    fn validate_keys(&self, violations: &mut Violations) {
        if self.jwks_file.is_empty() == self.jwks_url.is_empty() {
            violations.add("jwks_file", "set either this or jwks_url");
        }
        if !self.jwks_url.is_empty()
            && let Some(uri) = violations.take("jwks_url", self.jwks_url.parse::<Uri>())
        {
            // Whoever changes the keys on their way is whoever he likes to be.
            let here = matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
            if uri.scheme_str() != Some("https") && !(here && uri.scheme_str() == Some("http")) {
                violations.add("jwks_url", "must begin with https://");
            }
        }
        if !self.jwks_ca_file.is_empty() && self.jwks_url.is_empty() {
            violations.add("jwks_ca_file", "is for jwks_url");
        }
        if self.jwks_refresh_s < 1 {
            violations.add("jwks_refresh_s", "must be positive");
        }
        if self.jwks_retry_s > self.jwks_refresh_s {
            violations.add("jwks_retry_s", "must be at most jwks_refresh_s");
        }
    }
}

fn roles_known(field: &str, given: &BTreeMap<String, Vec<String>>, violations: &mut Violations) {
    for (name, roles) in given {
        violations.take(format!("{field}.{name}"), Policy::shipped().roles(roles));
    }
}
