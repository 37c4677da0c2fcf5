//! The message of an offer whose sending began; the same every time it is put together.

use upswell_runtime::{problem::Problem, telemetry::TraceContext};
use uuid::Uuid;

use super::App;
use crate::{
    channel::{Outgoing, Recipient, links::Purpose},
    domain::{offer::Offer, vocabulary::Channel},
    store::{Reads, accounts, copies, from_json, pictures::StoredPoint},
};

impl App {
    pub(super) async fn outgoing(&self, offer: &Offer) -> Result<Outgoing, Problem> {
        let message = offer
            .message
            .clone()
            .ok_or_else(|| Problem::internal("an offer without words"))?;
        let reader = self.db.reader();
        let contact = match &offer.contact_id {
            None => None,
            Some(id) => Some(self.recipient(offer, id).await?),
        };
        let account = accounts::account_fetch(reader, &offer.account_id).await?;
        let csm = account
            .map(|account| account.csm_id)
            .filter(|csm| !csm.is_empty() && offer.channel.is_task());
        let touch_id = touch_of(offer)?;
        let link = |purpose| {
            let links = self
                .links
                .as_ref()
                .filter(|_| contact.is_some() && !offer.channel.is_task());
            links.map(|links| links.link(purpose, touch_id))
        };
        Ok(Outgoing {
            offer_link: link(Purpose::Offer),
            opt_out_link: link(Purpose::OptOut),
            touch_id,
            offer_id: offer.id,
            account_id: offer.account_id.clone(),
            motion: offer.motion,
            about: offer.subject.clone(),
            playbook: offer.playbook.clone(),
            class: offer.class,
            owner: offer.owner,
            channel: offer.channel,
            contact,
            assignee: csm,
            message,
            terms: offer.terms.clone(),
            sent_time: offer.state_at,
        })
    }

    async fn recipient(&self, offer: &Offer, id: &str) -> Result<Recipient, Problem> {
        let address = self.address_of(self.db.reader(), id, offer.channel).await?;
        Ok(Recipient {
            id: id.to_owned(),
            address: address.unwrap_or_default(),
        })
    }

    /// Where a person is reached on a channel now; none when nowhere.
    pub(super) async fn address_of(
        &self,
        db: &impl Reads,
        contact_id: &str,
        channel: Channel,
    ) -> Result<Option<String>, Problem> {
        let known = copies::contact_fetch(db, contact_id).await?;
        let points: Vec<StoredPoint> = known.map_or(Ok(Vec::new()), |contact| from_json(&contact.points))?;
        let mut usable = points
            .into_iter()
            .filter(|point| point.channel == channel && point.consent);
        Ok(usable.next().map(|point| point.address))
    }

    /// The trace of the signal behind an offer.
    pub(super) async fn trace_of(&self, offer: &Offer) -> Result<Option<TraceContext>, Problem> {
        let Some(id) = offer.signal_ids.first() else {
            return Ok(None);
        };
        let signal = copies::signal_fetch(self.db.reader(), id).await?;
        Ok(signal.map(|signal| TraceContext {
            traceparent: signal.traceparent,
            tracestate: signal.tracestate,
        }))
    }
}

/// The touch of an offer that has its place.
pub(super) fn touch_of(offer: &Offer) -> Result<Uuid, Problem> {
    offer
        .touch_id
        .ok_or_else(|| Problem::internal(format!("offer {} has no touch", offer.id)))
}
