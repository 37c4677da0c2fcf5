//! Arguments that are words, instants, days or ids.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use upswell_proto::{
    offers::v1::{approval, decline_offer_request, delegation, offer, report_in_app_message_request, task},
    renewals::v1::{deal, finish_contact_request, loss_reason, renewal_contact},
    scoring::v1::{raise_signal_request, signal},
    vocabulary::v1::{Channel, SignalKind, TouchClass},
};
use uuid::Uuid;

use crate::wire::word;

/// The id by which a service knows a repeated request.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct RequestId {
    /// A UUID of yours for this request: sent again, it is answered again and nothing is done twice. Made anew if absent.
    #[arg(long, value_name = "UUID")]
    request_id: Option<Uuid>,
}

impl RequestId {
    /// The id for the wire.
    #[expect(
        clippy::disallowed_methods,
        reason = "a person at a command line is the edge of the system: here a request begins, so here it gets its id"
    )]
    pub(super) fn text(self) -> String {
        self.request_id.unwrap_or_else(Uuid::now_v7).to_string()
    }
}

/// An instant in RFC 3339, or a day: its beginning in UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let day: Date = text
        .parse()
        .map_err(|_| "expected 2026-03-02T10:00:00Z or 2026-03-02".to_owned())?;
    day.to_zoned(TimeZone::UTC)
        .map(|midnight| midnight.timestamp())
        .map_err(|error| error.to_string())
}

/// A day in ISO 8601.
pub(super) fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "expected a day like 2026-03-02".to_owned())
}

/// A service.
pub(super) fn service() -> impl TypedValueParser<Value = &'static str> {
    PossibleValuesParser::new(crate::cluster::SERVICES).map(|name| known_service(&name))
}

fn known_service(name: &str) -> &'static str {
    // The parser has let nothing else through.
    crate::cluster::SERVICES
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or_default()
}

/// A state of an offer.
pub(super) fn offer_state() -> impl TypedValueParser<Value = offer::State> {
    words(offer::State::as_str_name, "STATE")
}

/// A state of an approval request.
pub(super) fn approval_state() -> impl TypedValueParser<Value = approval::State> {
    words(approval::State::as_str_name, "STATE")
}

/// A state of a signal.
pub(super) fn signal_state() -> impl TypedValueParser<Value = signal::State> {
    words(signal::State::as_str_name, "STATE")
}

/// A kind of signal.
pub(super) fn signal_kind() -> impl TypedValueParser<Value = SignalKind> {
    words(SignalKind::as_str_name, "SIGNAL_KIND")
}

/// What a person saw.
pub(super) fn observation() -> impl TypedValueParser<Value = raise_signal_request::Observation> {
    words(raise_signal_request::Observation::as_str_name, "OBSERVATION")
}

/// A class of touches.
pub(super) fn touch_class() -> impl TypedValueParser<Value = TouchClass> {
    words(TouchClass::as_str_name, "TOUCH_CLASS")
}

/// A reason to decline.
pub(super) fn decline_reason() -> impl TypedValueParser<Value = decline_offer_request::Reason> {
    words(decline_offer_request::Reason::as_str_name, "REASON")
}

/// What came of a task.
pub(super) fn task_outcome() -> impl TypedValueParser<Value = task::Outcome> {
    words(task::Outcome::as_str_name, "OUTCOME")
}

/// What a person did with a message.
pub(super) fn in_app_event() -> impl TypedValueParser<Value = report_in_app_message_request::Event> {
    words(report_in_app_message_request::Event::as_str_name, "EVENT")
}

/// What somebody stands in for.
pub(super) fn delegation_kind() -> impl TypedValueParser<Value = delegation::Kind> {
    words(delegation::Kind::as_str_name, "KIND")
}

/// A stage of a renewal.
pub(super) fn stage() -> impl TypedValueParser<Value = deal::Stage> {
    words(deal::Stage::as_str_name, "STAGE")
}

/// A category of loss.
pub(super) fn loss() -> impl TypedValueParser<Value = loss_reason::Category> {
    words(loss_reason::Category::as_str_name, "CATEGORY")
}

/// A channel.
pub(super) fn channel() -> impl TypedValueParser<Value = Channel> {
    words(Channel::as_str_name, "CHANNEL")
}

/// A kind of contact.
pub(super) fn contact_kind() -> impl TypedValueParser<Value = renewal_contact::Kind> {
    words(renewal_contact::Kind::as_str_name, "KIND")
}

/// How a contact went.
pub(super) fn contact_outcome() -> impl TypedValueParser<Value = finish_contact_request::Outcome> {
    words(finish_contact_request::Outcome::as_str_name, "OUTCOME")
}

/// The values of a contract's enum by their words, without the unset one, so that help lists what the contract knows.
fn words<E>(name: fn(&E) -> &'static str, prefix: &'static str) -> impl TypedValueParser<Value = E>
where
    E: TryFrom<i32> + Clone + Send + Sync + 'static,
{
    let all: Vec<(&'static str, E)> = (1..64)
        .filter_map(|number| E::try_from(number).ok())
        // clap wants names that live as long as the process; this runs once in it.
        .map(|value| (&*word(name(&value), prefix).leak(), value))
        .collect();
    PossibleValuesParser::new(all.iter().map(|(word, _)| *word)).try_map(move |given| {
        let found = all.iter().find(|(word, _)| *word == given);
        found
            .map(|(_, value)| value.clone())
            .ok_or_else(|| format!("no such word: {given}"))
    })
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn an_instant_may_be_a_day() {
        assert_eq!(instant("2026-03-02").unwrap(), instant("2026-03-02T00:00:00Z").unwrap());
        assert!(instant("tomorrow").unwrap_err().contains("2026-03-02"));
    }
}
