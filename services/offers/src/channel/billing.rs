//! The way to billing: orders by signed webhook, with a link at which the customer may pay (T-5).

use jiff::Timestamp;
use serde::Serialize;
use upswell_runtime::{clock::Clock, ids, problem::Violations};

use super::{
    DeliveryFault, Receipt,
    links::{Links, Purpose},
    secrets,
    signature::decode_key,
    webhook::Webhook,
};
use crate::{
    config::{BillingSettings, ChannelSettings, EndpointSettings},
    domain::order::{Order, OrderState},
};

/// Billing.
pub struct Billing {
    webhook: Webhook,
    checkout: Option<Links>,
}

/// What billing is told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    order: &'a Order,
    /// Where the customer may pay; its token names the order and is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkout_url: Option<String>,
}

impl Billing {
    /// The billing of the settings; none when no address is set. Notes everything that cannot be used.
    pub fn new(
        settings: &BillingSettings,
        channel: &ChannelSettings,
        clock: &Clock,
        violations: &mut Violations,
    ) -> Option<Self> {
        let endpoint = EndpointSettings {
            url: settings.url.clone(),
            secret_files: settings.secret_files.clone(),
            inbound_secret_files: Vec::new(),
        };
        let webhook = Webhook::new(&endpoint, channel.timeout(), clock.clone(), violations);
        let checkout = checkout(settings, violations);
        Some(Self {
            webhook: webhook?,
            checkout,
        })
    }

    /// Tells billing that an order was placed or taken back: `kind`. Telling it again is the same message until billing has
    /// taken it; what is told after that is another one, also where the order is the same.
    pub async fn tell(&self, kind: &str, order: &Order) -> Result<Receipt, DeliveryFault> {
        let placed = order.placed_at.as_microsecond().to_string();
        let handed = order
            .handover
            .handed_at
            .map_or(0, Timestamp::as_microsecond)
            .to_string();
        let id = ids::derive("billing", &[kind, &order.id.to_string(), &placed, &handed]);
        // There is nothing to pay for what was taken back, and for a trial not yet.
        let to_pay = order.state == OrderState::Placed && order.terms.trial_days == 0;
        let told = Told {
            order,
            checkout_url: self
                .checkout
                .as_ref()
                .filter(|_| to_pay)
                .map(|links| links.link(Purpose::Checkout, order.id)),
        };
        self.webhook.post(kind, &id.to_string(), &told).await
    }
}

/// Links that the first key signs; none without a page to pay at.
fn checkout(settings: &BillingSettings, violations: &mut Violations) -> Option<Links> {
    if settings.checkout_url.is_empty() {
        return None;
    }
    let Some(file) = settings.secret_files.first() else {
        violations.add("checkout_url", "needs a key in secret_files");
        return None;
    };
    let secret = secrets::read("secret_files", file, violations)?;
    let key = violations.take("secret_files", decode_key(&secret))?;
    Some(Links::signed(&settings.checkout_url, key))
}
