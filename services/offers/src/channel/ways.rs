//! Which channel leaves by which adapter. What has none of its own goes to the spool.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use upswell_runtime::{clock::Clock, problem::Violations};

use super::{Channel, DeliveryFault, Outgoing, Receipt, Spool, smtp::Smtp, webhook::Webhook};
use crate::{config::ChannelSettings, domain::vocabulary::Channel as Way};

/// Every way out.
pub struct Ways {
    own: BTreeMap<Way, Arc<dyn Channel>>,
    rest: Arc<dyn Channel>,
}

impl Ways {
    /// The ways of the settings. Notes every secret that cannot be read and every address that cannot be used.
    pub fn new(settings: &ChannelSettings, clock: &Clock, violations: &mut Violations) -> Self {
        let mut own: BTreeMap<Way, Arc<dyn Channel>> = BTreeMap::new();
        if let Some(smtp) = violations.at("smtp", |violations| Smtp::new(settings, violations)) {
            own.insert(Way::Email, Arc::new(smtp));
        }
        for (way, endpoint) in settings.webhooks.all() {
            let built = violations.at(format!("webhooks.{way}"), |violations| {
                Webhook::new(endpoint, settings.timeout(), clock.clone(), violations)
            });
            if let Some(webhook) = built {
                own.insert(way, Arc::new(webhook));
            }
        }
        Self {
            own,
            rest: Arc::new(Spool::new(settings.spool_dir.clone())),
        }
    }

    fn of(&self, way: Way) -> &Arc<dyn Channel> {
        self.own.get(&way).unwrap_or(&self.rest)
    }
}

#[async_trait]
impl Channel for Ways {
    fn is_repeatable(&self, way: Way) -> bool {
        self.of(way).is_repeatable(way)
    }

    async fn deliver(&self, message: &Outgoing) -> Result<Receipt, DeliveryFault> {
        self.of(message.channel).deliver(message).await
    }
}
