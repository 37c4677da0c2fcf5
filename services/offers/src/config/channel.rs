//! Sections `[channel]` and `[edge]`: the ways out and in.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use serde::Deserialize;
use upswell_runtime::problem::Violations;

use crate::{channel::smtp::Privacy, domain::vocabulary::Channel as Way};

/// Section `[channel]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSettings {
    /// Folder of the spool.
    pub spool_dir: PathBuf,
    /// Pauses between attempts, seconds.
    pub retry_seconds: Vec<i64>,
    /// How long one attempt may take, ms.
    pub timeout_ms: u64,
    /// Messages handed over at the same time.
    pub concurrency: usize,
    /// The mail server.
    pub smtp: SmtpSettings,
    /// Providers by channel.
    pub webhooks: WebhookSettings,
}

/// Section `[channel.smtp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Name of the server; empty for none.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: Privacy,
    /// User; empty where the server asks for none.
    pub user: String,
    /// File with the password.
    pub password_file: PathBuf,
    /// Sender, `Name <address>`.
    pub from: String,
    /// Where answers go; empty means to the sender.
    pub reply_to: String,
}

/// Section `[channel.webhooks]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// E-mail by a provider's API, instead of SMTP.
    pub email: EndpointSettings,
    /// Text messages.
    pub sms: EndpointSettings,
    /// WhatsApp.
    pub whatsapp: EndpointSettings,
    /// Chat.
    pub chat: EndpointSettings,
    /// Push notifications.
    pub push: EndpointSettings,
    /// In-app messages of a product that does not pull.
    pub in_app: EndpointSettings,
    /// Tasks in a CRM.
    pub csm_task: EndpointSettings,
    /// Tasks in a CRM.
    pub sales_task: EndpointSettings,
}

/// One section below `[channel.webhooks]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Where messages are posted; empty for nowhere.
    pub url: String,
    /// Files with the keys that sign what is posted.
    pub secret_files: Vec<PathBuf>,
    /// Files with the keys that sign what the provider tells.
    pub inbound_secret_files: Vec<PathBuf>,
}

/// Section `[billing]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillingSettings {
    /// Where orders are posted; empty for nowhere.
    pub url: String,
    /// Files with the keys that sign what is posted.
    pub secret_files: Vec<PathBuf>,
    /// What the links begin with at which customers pay; empty for none.
    pub checkout_url: String,
}

impl BillingSettings {
    /// Notes what cannot be used. The address and the keys are read when the way is built.
    pub fn validate(&self, violations: &mut Violations) {
        let is_url = self.checkout_url.starts_with("https://") || self.checkout_url.starts_with("http://");
        if !self.checkout_url.is_empty() && (!is_url || self.checkout_url.ends_with('/')) {
            violations.add("checkout_url", "must begin with https:// and not end with /");
        }
    }
}

/// Section `[edge]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeSettings {
    /// Address and port; empty for no edge.
    pub listen: String,
    /// What the links in messages begin with; empty for no links.
    pub public_url: String,
    /// File with the key that signs links.
    pub link_key_file: PathBuf,
    /// Largest body of a request, bytes.
    pub max_body_bytes: usize,
    /// How far the time of a webhook may be from ours, seconds.
    pub tolerance_seconds: i64,
}

impl ChannelSettings {
    /// How long one attempt may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The pauses between attempts.
    pub fn pauses(&self) -> Vec<SignedDuration> {
        self.retry_seconds
            .iter()
            .copied()
            .map(SignedDuration::from_secs)
            .collect()
    }

    /// Notes what cannot be used. Secrets and addresses are read when the ways are built.
    pub fn validate(&self, violations: &mut Violations) {
        if self.spool_dir.as_os_str().is_empty() {
            violations.add("spool_dir", "must not be empty");
        }
        if self.retry_seconds.len() > 20 || self.retry_seconds.iter().any(|pause| !(1..=86_400).contains(pause)) {
            violations.add("retry_seconds", "must be at most 20 pauses of 1 to 86400 seconds");
        }
        if !(1..=300_000).contains(&self.timeout_ms) {
            violations.add("timeout_ms", "must be between 1 and 300000");
        }
        if !(1..=256).contains(&self.concurrency) {
            violations.add("concurrency", "must be between 1 and 256");
        }
        if !self.smtp.host.is_empty() && !self.webhooks.email.url.is_empty() {
            violations.add(
                "webhooks.email.url",
                "e-mail leaves one way: channel.smtp.host is set too",
            );
        }
    }
}

impl WebhookSettings {
    /// Every endpoint with its channel.
    pub fn all(&self) -> [(Way, &EndpointSettings); 8] {
        [
            (Way::Email, &self.email),
            (Way::Sms, &self.sms),
            (Way::Whatsapp, &self.whatsapp),
            (Way::Chat, &self.chat),
            (Way::Push, &self.push),
            (Way::InApp, &self.in_app),
            (Way::CsmTask, &self.csm_task),
            (Way::SalesTask, &self.sales_task),
        ]
    }
}

impl EdgeSettings {
    /// The address to listen on; none for no edge.
    pub fn address(&self) -> Result<Option<SocketAddr>, std::net::AddrParseError> {
        if self.listen.is_empty() {
            Ok(None)
        } else {
            self.listen.parse().map(Some)
        }
    }

    /// How far the time of a webhook may be from ours.
    pub const fn tolerance(&self) -> SignedDuration {
        SignedDuration::from_secs(self.tolerance_seconds)
    }

    /// Notes what cannot be used.
    pub fn validate(&self, violations: &mut Violations) {
        violations.take("listen", self.address());
        if !(1..=3_600).contains(&self.tolerance_seconds) {
            violations.add("tolerance_seconds", "must be between 1 and 3600");
        }
        if !(1_024..=1 << 20).contains(&self.max_body_bytes) {
            violations.add("max_body_bytes", "must be between 1024 and 1048576");
        }
        let has_links = !self.public_url.is_empty();
        let is_url = self.public_url.starts_with("https://") || self.public_url.starts_with("http://");
        if has_links && (!is_url || self.public_url.ends_with('/')) {
            violations.add("public_url", "must begin with https:// and not end with /");
        }
        if has_links && self.link_key_file.as_os_str().is_empty() {
            violations.add("link_key_file", "links need a key to sign with");
        }
    }
}
