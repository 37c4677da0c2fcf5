//! An e-mail of a message: plain text with the headers that mailboxes ask of a sender.

use std::time::SystemTime;

use lettre::{
    Message,
    message::{
        Mailbox, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::Outgoing;

/// Who writes, and what names the messages.
#[derive(Debug, Clone)]
pub struct Letterhead {
    /// The sender.
    pub from: Mailbox,
    /// Where answers go; none means to the sender.
    pub reply_to: Option<Mailbox>,
    /// What stands behind the @ of a Message-ID.
    pub domain: String,
}

/// The e-mail of a message. The same message gives the same Message-ID and date, so that a mailbox which gets it twice
/// sees one. Errors: why it cannot be written to that address.
pub fn compose(outgoing: &Outgoing, letterhead: &Letterhead) -> Result<Message, String> {
    let contact = outgoing.contact.as_ref().ok_or("an e-mail needs a person")?;
    let address = contact
        .address
        .parse()
        .map_err(|fault| format!("the address: {fault}"))?;
    let mut mail = Message::builder()
        .from(letterhead.from.clone())
        .to(Mailbox::new(None, address))
        .subject(outgoing.message.subject.clone())
        .date(SystemTime::from(outgoing.sent_time))
        .message_id(Some(message_id(outgoing.touch_id, &letterhead.domain)));
    if let Some(reply_to) = &letterhead.reply_to {
        mail = mail.reply_to(reply_to.clone());
    }
    let mut body = outgoing.message.body.clone();
    if let Some(link) = &outgoing.offer_link {
        body = format!("{body}\n\n{link}");
    }
    if let Some(link) = &outgoing.opt_out_link {
        // RFC 8058: the mailbox's own button posts to it.
        mail = mail
            .raw_header(header("List-Unsubscribe", format!("<{link}>"))?)
            .raw_header(header(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click".to_owned(),
            )?);
        body = format!("{body}\n\n-- \n{link}");
    }
    mail.singlepart(SinglePart::plain(body))
        .map_err(|fault| fault.to_string())
}

/// The Message-ID of a touch.
pub fn message_id(touch_id: Uuid, domain: &str) -> String {
    format!("<{touch_id}@{domain}>")
}

/// The touch that a Message-ID of ours names, with or without its angle brackets.
pub fn touch_of(message_id: &str) -> Option<Uuid> {
    let inner = message_id.trim().trim_start_matches('<').trim_end_matches('>');
    let name = inner.split_once('@').map_or(inner, |(name, _)| name);
    Uuid::try_parse(name).ok()
}

fn header(name: &str, value: String) -> Result<HeaderValue, String> {
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|fault| fault.to_string())?;
    Ok(HeaderValue::new(name, value))
}
