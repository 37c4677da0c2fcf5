//! Signed links in messages: whoever holds one may look at one offer, answer it, or want no more of its kind.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use upswell_runtime::problem::Violations;
use uuid::Uuid;

use super::{secrets, signature::decode_key};
use crate::config::EdgeSettings;

/// Bytes of the signature that a link carries; 128 bits cannot be guessed.
const SIGNATURE_BYTES: usize = 16;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look at the offer of a touch and to answer it.
    Offer,
    /// To want no more messages on the channel of a touch.
    OptOut,
    /// To pay an order, at a page of billing.
    Checkout,
}

impl Purpose {
    /// Every purpose that the edge serves.
    pub const ALL: [Self; 2] = [Self::Offer, Self::OptOut];

    /// The first part of the path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::OptOut => "opt-out",
            Self::Checkout => "checkout",
        }
    }
}

/// Makes links and reads them.
#[derive(Clone)]
pub struct Links {
    base: String,
    key: Vec<u8>,
}

impl Links {
    /// The links of the settings; none when messages have no links. Notes a key that cannot be used.
    pub fn new(settings: &EdgeSettings, violations: &mut Violations) -> Option<Self> {
        if settings.public_url.is_empty() {
            return None;
        }
        let secret = secrets::read("link_key_file", &settings.link_key_file, violations)?;
        let key = violations.take("link_key_file", decode_key(&secret))?;
        Some(Self {
            base: settings.public_url.clone(),
            key,
        })
    }

    /// Links that begin with `base`.
    pub fn signed(base: &str, key: Vec<u8>) -> Self {
        Self {
            base: base.to_owned(),
            key,
        }
    }

    /// The link for a touch, or for an order.
    pub fn link(&self, purpose: Purpose, touch_id: Uuid) -> String {
        format!("{}/{}/{}", self.base, purpose.as_str(), self.token(purpose, touch_id))
    }

    fn token(&self, purpose: Purpose, touch_id: Uuid) -> String {
        let mut bytes = touch_id.into_bytes().to_vec();
        if let Some(mac) = self.mac(purpose, touch_id) {
            bytes.extend_from_slice(&mac.finalize().into_bytes()[..SIGNATURE_BYTES]);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The touch that a token names; none for a token that is not ours, or for another purpose.
    pub fn read(&self, purpose: Purpose, token: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (touch, signature) = bytes.split_at_checked(16)?;
        let touch_id = Uuid::from_slice(touch).ok()?;
        if signature.len() != SIGNATURE_BYTES {
            return None;
        }
        self.mac(purpose, touch_id)?.verify_truncated_left(signature).ok()?;
        Some(touch_id)
    }

    fn mac(&self, purpose: Purpose, touch_id: Uuid) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(purpose.as_str().as_bytes());
        mac.update(touch_id.as_bytes());
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Links, Purpose};

    fn links(key: u8) -> Links {
        Links {
            base: "https://offers.example".into(),
            key: vec![key; 32],
        }
    }

    #[test]
    fn t5_a_link_opens_one_offer_for_one_purpose() {
        let (touch, links) = (Uuid::from_u128(42), links(1));
        let link = links.link(Purpose::Offer, touch);
        let token = link.strip_prefix("https://offers.example/offer/").unwrap();
        assert_eq!(links.read(Purpose::Offer, token), Some(touch));
        assert_eq!(links.read(Purpose::OptOut, token), None);
        assert_eq!(self::links(2).read(Purpose::Offer, token), None);
        for index in 0..token.len() {
            let mut forged = token.as_bytes().to_vec();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_ne!(links.read(Purpose::Offer, &forged), Some(touch), "{forged}");
        }
        for text in ["", "AAAA", "not base64!", &token[..30]] {
            assert_eq!(links.read(Purpose::Offer, text), None, "{text}");
        }
    }
}
