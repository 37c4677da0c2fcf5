//! The way out. One port for everything that reaches people, and the adapters behind it.
//!
//! Each adapter says whether its other side takes the same touch twice for one message. Where it does, a doubtful
//! attempt is repeated; where it does not, it counts as used and is never repeated (C-6, T-6).

pub mod billing;
pub mod email;
pub mod links;
pub mod secrets;
pub mod signature;
pub mod smtp;
pub mod spool;
pub mod ways;
pub mod webhook;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    offer::{Message, Terms},
    vocabulary::{Channel as Way, Motion, Owner, TouchClass},
};

pub use self::{spool::Spool, ways::Ways};

/// Hands a message to whatever delivers it.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// Whether handing over the same touch again makes no second message.
    fn is_repeatable(&self, _way: Way) -> bool {
        true
    }

    /// Returns once the message is durable on the other side.
    async fn deliver(&self, message: &Outgoing) -> Result<Receipt, DeliveryFault>;
}

/// One message, complete: nothing else is needed to deliver it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The touch in the ledger; names the message once and for all.
    pub touch_id: Uuid,
    /// The offer.
    pub offer_id: Uuid,
    /// The account.
    pub account_id: String,
    /// Kind of expansion or help.
    pub motion: Motion,
    /// The signal's subject.
    pub about: String,
    /// Key of the playbook.
    pub playbook: String,
    /// Class of the touch.
    pub class: TouchClass,
    /// Who drives the offer.
    pub owner: Owner,
    /// The way it takes.
    pub channel: Way,
    /// Who gets it; none for a task about the account.
    pub contact: Option<Recipient>,
    /// Whose task it is; none for a message.
    pub assignee: Option<String>,
    /// The words.
    pub message: Message,
    /// What changes; none for an offer without a price.
    pub terms: Option<Terms>,
    /// When sending began.
    pub sent_time: Timestamp,
    /// Where the person may look at the offer and answer it; none without an edge or a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer_link: Option<String>,
    /// Where the person says, with one click, that no more of this may come; none without an edge or a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out_link: Option<String>,
}

/// The person who gets a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The contact.
    pub id: String,
    /// Where they are reached on the channel; empty for a task.
    pub address: String,
}

/// Proof that the other side has the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the other side calls it.
    pub reference: String,
}

/// Why a message was not taken, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryFault {
    /// Nothing arrived, and it will never be taken as it is: the place may be given back.
    #[error("the channel refuses the message: {0}")]
    Refused(String),
    /// Nothing arrived; another attempt may succeed.
    #[error("the channel is not available: {0}")]
    NotSent(String),
    /// It may or may not have arrived.
    #[error("nobody knows whether the message arrived: {0}")]
    Unknown(String),
}
