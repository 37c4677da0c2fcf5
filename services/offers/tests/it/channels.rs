//! Messages that really leave, and what comes back: against servers of our own that behave badly.

mod billing;
mod edge;
mod in_app;
mod mail;
mod mailbox;
mod provider;
mod sms;
pub(crate) mod tasks;

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use standardwebhooks::Webhook;
use tempfile::TempDir;

use super::world::World;

/// The files and settings that a world with channels needs; they outlive it.
pub(crate) struct Office {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// The key that a provider signs with, and the one that we sign with.
pub(crate) const THEIR_KEY: [u8; 32] = [7; 32];
pub(crate) const OUR_KEY: [u8; 32] = [9; 32];
pub(crate) const OLD_KEY: [u8; 32] = [8; 32];

impl Office {
    /// An edge with links, a believed provider of the channel, and short attempts.
    pub(crate) fn new(channel: &str) -> Self {
        let mut office = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        };
        let theirs = office.key("theirs", THEIR_KEY);
        let links = office.key("links", [5; 32]);
        let door = format!("CHANNEL__WEBHOOKS__{}__INBOUND_SECRET_FILES", channel.to_uppercase());
        office.set(&door, theirs);
        office.set("EDGE__LISTEN", "127.0.0.1:0");
        office.set("EDGE__PUBLIC_URL", "http://offers.example");
        office.set("EDGE__LINK_KEY_FILE", links);
        office.set("CHANNEL__TIMEOUT_MS", "500");
        office.set("CHANNEL__RETRY_SECONDS", "5,60,300");
        office
    }

    /// A provider takes the messages of a channel; two keys sign, as while a key is changed.
    pub(crate) fn provider(mut self, channel: &str, url: &str) -> Self {
        let keys = format!("{},{}", self.key("ours", OUR_KEY), self.key("old", OLD_KEY));
        let section = format!("CHANNEL__WEBHOOKS__{}", channel.to_uppercase());
        self.set(&format!("{section}__SECRET_FILES"), keys);
        self.set(&format!("{section}__URL"), url);
        self
    }

    /// A mail server takes the e-mails.
    pub(crate) fn mail(mut self, port: u16) -> Self {
        self.set("CHANNEL__SMTP__HOST", "127.0.0.1");
        self.set("CHANNEL__SMTP__PORT", port.to_string());
        self.set("CHANNEL__SMTP__TLS", "none");
        self.set("CHANNEL__SMTP__FROM", "Customer Success <success@vendor.example>");
        self
    }

    /// The shipped playbooks, with another channel before e-mail.
    pub(crate) fn messenger(mut self, channel: &str) -> Self {
        let shipped = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policy");
        let own = self.folder.path().join("policy");
        std::fs::create_dir_all(own.join("playbooks")).unwrap();
        std::fs::copy(shipped.join("catalogue.yaml"), own.join("catalogue.yaml")).unwrap();
        for entry in std::fs::read_dir(shipped.join("playbooks")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.replace(
                "product_led: [email, in_app]",
                &format!("product_led: [{channel}, email]"),
            );
            std::fs::write(own.join("playbooks").join(path.file_name().unwrap()), text).unwrap();
        }
        self.set("POLICY__DIR", own.display().to_string());
        self
    }

    /// Another text in a playbook of [`Self::messenger`].
    pub(crate) fn rewrite(self, playbook: &str, from: &str, to: &str) -> Self {
        let path = self
            .folder
            .path()
            .join("policy/playbooks")
            .join(format!("{playbook}.yaml"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        self
    }

    pub(crate) async fn open(&self) -> World {
        let settings: Vec<(&str, &str)> = self
            .settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        World::with(&settings).await
    }

    fn set(&mut self, key: &str, value: impl Into<String>) {
        self.settings.push((key.to_owned(), value.into()));
    }

    fn key(&self, name: &str, key: [u8; 32]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("whsec_{}\n", STANDARD.encode(key))).unwrap();
        path.display().to_string()
    }
}

/// An implementation of the specification that is not ours.
pub(crate) fn independent(key: [u8; 32]) -> Webhook {
    Webhook::from_bytes(key.to_vec()).unwrap()
}
