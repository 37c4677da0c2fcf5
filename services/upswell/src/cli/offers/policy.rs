//! What may be offered and how.

use serde::Serialize;
use upswell_proto::{offers::v1 as pb, vocabulary::v1::SignalKind};
use upswell_runtime::money::Money;

use crate::{
    cli::output::{Column, Row, View, card, cash, left, part, right, wire_money},
    wire::word,
};

#[derive(Serialize)]
pub(super) struct Policy {
    version: String,
    playbooks: Vec<Playbook>,
    products: Vec<Product>,
}

#[derive(Serialize)]
struct Playbook {
    playbook: String,
    signals: Vec<String>,
    motion: String,
    class: String,
}

#[derive(Serialize)]
struct Product {
    product: String,
    name: String,
    unit_price: Option<Money>,
    period: String,
}

impl From<pb::GetPolicyResponse> for Policy {
    fn from(policy: pb::GetPolicyResponse) -> Self {
        Self {
            version: policy.policy_version,
            playbooks: policy.playbooks.into_iter().map(Playbook::from).collect(),
            products: policy.products.into_iter().map(Product::from).collect(),
        }
    }
}

impl From<pb::PlaybookSummary> for Playbook {
    fn from(playbook: pb::PlaybookSummary) -> Self {
        let signal = |kind: SignalKind| word(kind.as_str_name(), "SIGNAL_KIND");
        Self {
            signals: playbook.signals().map(signal).collect(),
            motion: word(playbook.motion().as_str_name(), "MOTION"),
            class: word(playbook.class().as_str_name(), "TOUCH_CLASS"),
            playbook: playbook.playbook,
        }
    }
}

impl From<pb::ProductSummary> for Product {
    fn from(product: pb::ProductSummary) -> Self {
        Self {
            unit_price: wire_money(product.unit_price.as_ref()),
            period: word(product.period().as_str_name(), "BILLING_PERIOD"),
            product: product.product,
            name: product.display_name,
        }
    }
}

impl Row for Playbook {
    const COLUMNS: &'static [Column] = &[left("playbook"), left("started by"), left("motion"), left("class")];

    fn cells(&self) -> Vec<String> {
        vec![
            self.playbook.clone(),
            self.signals.join(", "),
            self.motion.clone(),
            self.class.clone(),
        ]
    }
}

impl Row for Product {
    const COLUMNS: &'static [Column] = &[left("product"), left("name"), right("list price"), left("a")];

    fn cells(&self) -> Vec<String> {
        vec![
            self.product.clone(),
            self.name.clone(),
            cash(self.unit_price),
            self.period.clone(),
        ]
    }
}

impl View for Policy {
    fn render(&self) -> String {
        let version = card(&[("version", self.version.clone())]);
        [
            version,
            part("Playbooks", &self.playbooks),
            part("Catalogue", &self.products),
        ]
        .concat()
    }
}
