//! Contacts with customers on the wire.

use async_trait::async_trait;
use tonic::{Request, Response};
use upswell_proto::{
    renewals::v1::{
        BeginContactRequest, BeginContactResponse, CancelContactRequest, CancelContactResponse, FinishContactRequest,
        FinishContactResponse, ListContactsRequest, ListContactsResponse, PlanContactRequest, PlanContactResponse,
        RenewalContact,
        contact_service_server::ContactService,
        finish_contact_request::Outcome as WireOutcome,
        renewal_contact::{Kind, State},
    },
    vocabulary::v1::Channel,
};
use upswell_runtime::{
    problem::{Problem, Violations},
    requests,
    security::Reach,
    text,
};
use uuid::Uuid;

use super::{
    Answer, Api,
    convert::{filled, filter_key, once, optional, page, settled, time, token, uuid},
    render::wire_time,
    who,
};
use crate::{
    app::{Once, PlanContact},
    domain::contact::{Contact, ContactKind, ContactState, Outcome},
    store::ContactFilter,
};

const LIST_CONTACTS: &str = "ListContacts";

#[async_trait]
impl ContactService for Api {
    async fn plan_contact(&self, request: Request<PlanContactRequest>) -> Answer<PlanContactResponse> {
        let (actor, reach) = (who(&request), Reach::of(&request));
        let mut wire = request.into_inner();
        let request_id = std::mem::take(&mut wire.request_id);
        let mut violations = Violations::new();
        let once = once("PlanContact", request_id, requests::fingerprint(&wire), &mut violations);
        let (kind, channel) = (wire_kind(wire.kind()), wire.channel());
        if kind.is_none() {
            violations.add("kind", "is required");
        }
        if channel == Channel::Unspecified {
            violations.add("channel", "is required");
        }
        let deal_id = uuid("deal_id", &wire.deal_id, &mut violations);
        let planned_at = optional("planned_time", wire.planned_time, &mut violations, time);
        let person_id = if wire.contact_id.is_empty() {
            Some(String::new())
        } else {
            violations.take("contact_id", text::key(&wire.contact_id))
        };
        let plan = (|| {
            Some(PlanContact {
                deal_id: deal_id?,
                kind: kind?,
                channel: channel.into(),
                person_id: person_id?,
                proposes_expansion: wire.proposes_expansion,
                planned_at: planned_at?,
                actor,
            })
        })();
        let plan: PlanContact = settled(plan, violations)?;
        self.within(&reach, plan.deal_id).await?;
        let contact = self.app.plan_contact(&once, plan).await?;
        Ok(Response::new(PlanContactResponse {
            contact: Some(render(contact)),
        }))
    }

    async fn begin_contact(&self, request: Request<BeginContactRequest>) -> Answer<BeginContactResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let request_id = std::mem::take(&mut wire.request_id);
        let mut violations = Violations::new();
        let once = once(
            "BeginContact",
            request_id,
            requests::fingerprint(&wire),
            &mut violations,
        );
        let (once, id) = key(once, &wire.renewal_contact_id, &wire.etag, violations)?;
        self.contact_within(&reach, id).await?;
        let contact = self.app.begin_contact(&once, id, &wire.etag).await?;
        Ok(Response::new(BeginContactResponse {
            contact: Some(render(contact)),
        }))
    }

    async fn finish_contact(&self, request: Request<FinishContactRequest>) -> Answer<FinishContactResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let request_id = std::mem::take(&mut wire.request_id);
        let mut violations = Violations::new();
        let once = once(
            "FinishContact",
            request_id,
            requests::fingerprint(&wire),
            &mut violations,
        );
        let outcome = match wire.outcome() {
            WireOutcome::Unspecified => None,
            WireOutcome::Made => Some(Outcome::Made),
            WireOutcome::NotSent => Some(Outcome::NotSent),
            WireOutcome::Bounced => Some(Outcome::Bounced),
        };
        if outcome.is_none() {
            violations.add("outcome", "is required");
        }
        let (once, id) = key(once, &wire.renewal_contact_id, &wire.etag, violations)?;
        self.contact_within(&reach, id).await?;
        // A missing outcome was noted above and has left already.
        let outcome = outcome.unwrap_or(Outcome::Made);
        let contact = self.app.finish_contact(&once, id, &wire.etag, outcome).await?;
        Ok(Response::new(FinishContactResponse {
            contact: Some(render(contact)),
        }))
    }

    async fn cancel_contact(&self, request: Request<CancelContactRequest>) -> Answer<CancelContactResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let request_id = std::mem::take(&mut wire.request_id);
        let mut violations = Violations::new();
        let once = once(
            "CancelContact",
            request_id,
            requests::fingerprint(&wire),
            &mut violations,
        );
        let (once, id) = key(once, &wire.renewal_contact_id, &wire.etag, violations)?;
        self.contact_within(&reach, id).await?;
        let contact = self.app.cancel_contact(&once, id, &wire.etag).await?;
        Ok(Response::new(CancelContactResponse {
            contact: Some(render(contact)),
        }))
    }

    async fn list_contacts(&self, request: Request<ListContactsRequest>) -> Answer<ListContactsResponse> {
        let wire = request.into_inner();
        let mut violations = Violations::new();
        let account_id = filter_key("account_id", &wire.account_id, &mut violations);
        let deal_id = if wire.deal_id.is_empty() {
            None
        } else {
            uuid("deal_id", &wire.deal_id, &mut violations).map(|id| id.to_string())
        };
        violations.into_result()?;
        let filter = ContactFilter {
            deal_id,
            account_id,
            include_closed: wire.include_closed,
        };
        let bytes = format!("{filter:?}").into_bytes();
        let (after, size) = page(LIST_CONTACTS, &bytes, wire.page_size, &wire.page_token)?;
        let (contacts, last) = self.app.contacts(&filter, after.as_ref(), size).await?;
        Ok(Response::new(ListContactsResponse {
            contacts: contacts.into_iter().map(render).collect(),
            next_page_token: token(LIST_CONTACTS, &bytes, last.as_ref())?,
        }))
    }
}

impl Api {
    /// Nothing when the contact's deal is the caller's, or they may touch those of others.
    async fn contact_within(&self, reach: &Reach, id: Uuid) -> Result<(), Problem> {
        if reach.only().is_none() {
            return Ok(());
        }
        let found = self.app.contact(id).await?;
        self.within(reach, found.deal_id).await
    }
}

fn key(once: Once, id: &str, etag: &str, mut violations: Violations) -> Result<(Once, Uuid), Problem> {
    filled("etag", etag, &mut violations);
    let id = uuid("renewal_contact_id", id, &mut violations);
    Ok((once, settled(id, violations)?))
}

fn render(contact: Contact) -> RenewalContact {
    let etag = contact.etag();
    let Contact {
        contact_id,
        deal_id,
        account_id,
        kind,
        channel,
        person_id,
        proposes_expansion,
        planned_at,
        state,
        step,
        next_at: _,
        attempt: _,
        touch_id,
        blocking,
        actor,
        version: _,
    } = contact;
    RenewalContact {
        renewal_contact_id: contact_id.to_string(),
        deal_id: deal_id.to_string(),
        account_id,
        kind: kind_of(kind).into(),
        channel,
        contact_id: person_id,
        proposes_expansion,
        planned_time: Some(wire_time(planned_at)),
        state: state_of(state).into(),
        pending: step.is_some() && state != ContactState::Deferred,
        touch_id,
        blocking_rules: blocking,
        actor,
        etag,
    }
}

fn wire_kind(kind: Kind) -> Option<ContactKind> {
    match kind {
        Kind::Unspecified => None,
        Kind::Call => Some(ContactKind::Call),
        Kind::Package => Some(ContactKind::Package),
        Kind::Reminder => Some(ContactKind::Reminder),
        Kind::Signature => Some(ContactKind::Signature),
    }
}

fn kind_of(kind: ContactKind) -> Kind {
    match kind {
        ContactKind::Call => Kind::Call,
        ContactKind::Package => Kind::Package,
        ContactKind::Reminder => Kind::Reminder,
        ContactKind::Signature => Kind::Signature,
    }
}

fn state_of(state: ContactState) -> State {
    match state {
        ContactState::Planned => State::Planned,
        ContactState::Deferred => State::Deferred,
        ContactState::Reserved => State::Reserved,
        ContactState::Sending => State::Sending,
        ContactState::Made => State::Made,
        ContactState::NotMade => State::NotMade,
        ContactState::Assumed => State::Assumed,
        ContactState::Cancelled => State::Cancelled,
        ContactState::Refused => State::Refused,
    }
}
