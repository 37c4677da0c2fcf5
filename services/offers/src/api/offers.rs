//! `OfferService`.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, offer_service_server::OfferService};
use upswell_runtime::{
    db::micros,
    problem::{Problem, Violations},
    security::Reach,
    text,
};
use uuid::Uuid;

use super::{
    Api, Cursor, account_filter,
    approvals::acting,
    convert,
    replay::{Begun, begin},
    uuid, words,
};
use crate::{app::approvals::Words, domain::offer::declined, error::OfferError, store::offers};

const LIST: &str = "upswell.offers.v1.OfferService/ListOffers";
const ACCEPT: &str = "upswell.offers.v1.OfferService/AcceptOffer";
const DECLINE: &str = "upswell.offers.v1.OfferService/DeclineOffer";
const EDIT: &str = "upswell.offers.v1.OfferService/EditOffer";
const COMMENT_MAX: usize = 1_000;
const SUBJECT_MAX: usize = 200;
const BODY_MAX: usize = 5_000;

impl Api {
    async fn offer_within(&self, reach: &Reach, id: Uuid) -> Result<(), Problem> {
        let found = match reach.only() {
            Some(_) => offers::offer_fetch(self.0.db.reader(), id).await?,
            None => return Ok(()),
        };
        self.within(reach, found.as_ref().map(|offer| offer.account_id.as_str()))
            .await
    }
}

#[tonic::async_trait]
impl OfferService for Api {
    async fn get_offer(&self, request: Request<pb::GetOfferRequest>) -> Result<Response<pb::GetOfferResponse>, Status> {
        let pb::GetOfferRequest { offer_id } = request.into_inner();
        let found = offers::offer_fetch(self.0.db.reader(), uuid("offer_id", &offer_id)?).await?;
        let offer = found.ok_or_else(|| Problem::from(OfferError::OfferNotFound(offer_id)))?;
        Ok(Response::new(pb::GetOfferResponse {
            offer: Some(convert::offer(&offer)),
        }))
    }

    async fn list_offers(
        &self,
        request: Request<pb::ListOffersRequest>,
    ) -> Result<Response<pb::ListOffersResponse>, Status> {
        let pb::ListOffersRequest {
            account_id,
            states,
            page_size,
            page_token,
        } = request.into_inner();
        let account_id = account_filter(&account_id)?;
        let wanted = states_of(&states, words::offer_state)?;
        let filter = format!("{account_id}{states:?}").into_bytes();
        let cursor = Cursor::parse(LIST, filter, page_size, &page_token)?;
        let reader = self.0.db.reader();
        let mut found = offers::offer_list(reader, &account_id, &wanted, cursor.after, cursor.limit()).await?;
        let next_page_token = cursor.cut(&mut found, |offer| (micros(offer.created_at), offer.id));
        let offers = found.iter().map(convert::offer).collect();
        Ok(Response::new(pb::ListOffersResponse {
            offers,
            next_page_token,
        }))
    }

    async fn accept_offer(
        &self,
        request: Request<pb::AcceptOfferRequest>,
    ) -> Result<Response<pb::AcceptOfferResponse>, Status> {
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("offer_id", &request.offer_id)?;
        self.offer_within(&reach, id).await?;
        let call = match begin(&self.0, ACCEPT, request_id, &request, None).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let accepted = self.0.accept(&call.tx, id, self.0.clock.now()).await;
        let (offer, order) = accepted.map_err(Problem::from)?;
        let order = order.as_ref().map(convert::order);
        let answer = pb::AcceptOfferResponse {
            offer: Some(convert::offer(&offer)),
            order,
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }

    async fn edit_offer(
        &self,
        request: Request<pb::EditOfferRequest>,
    ) -> Result<Response<pb::EditOfferResponse>, Status> {
        let actor = acting(&request)?;
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("offer_id", &request.offer_id)?;
        let words = words_of(&request)?;
        self.offer_within(&reach, id).await?;
        let call = match begin(&self.0, EDIT, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let edited = self.0.edit(&call.tx, id, &request.etag, &actor, words).await;
        let (offer, approval) = edited.map_err(Problem::from)?;
        let answer = pb::EditOfferResponse {
            offer: Some(convert::offer(&offer)),
            approval: Some(convert::approval(&approval)),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }

    async fn decline_offer(
        &self,
        request: Request<pb::DeclineOfferRequest>,
    ) -> Result<Response<pb::DeclineOfferResponse>, Status> {
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("offer_id", &request.offer_id)?;
        let mut violations = Violations::new();
        let reason = decline_reason(request.reason, &request.comment, &mut violations);
        violations.into_result()?;
        self.offer_within(&reach, id).await?;
        let call = match begin(&self.0, DECLINE, request_id, &request, None).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let offer = self
            .0
            .decline(&call.tx, id, reason.unwrap_or_default())
            .await
            .map_err(Problem::from)?;
        let answer = pb::DeclineOfferResponse {
            offer: Some(convert::offer(&offer)),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }
}

/// Text of several lines, each of them clean.
fn lines(value: &str, most: usize) -> Result<String, String> {
    let lines: Result<Vec<String>, _> = value.lines().map(|line| text::clean(line, most)).collect();
    let text = lines.map_err(|fault| fault.to_string())?.join("\n").trim().to_owned();
    if text.chars().count() > most {
        return Err(format!("must have at most {most} characters"));
    }
    Ok(text)
}

/// New words within their bounds.
fn words_of(request: &pb::EditOfferRequest) -> Result<Words, Problem> {
    let mut violations = Violations::new();
    let mut taken = Vec::with_capacity(3);
    let banner = request.banner.as_deref();
    for (field, value, most) in [
        ("subject", Some(request.subject.as_str()), SUBJECT_MAX),
        ("body", Some(request.body.as_str()), BODY_MAX),
        ("banner", banner, SUBJECT_MAX),
    ] {
        let clean = value.and_then(|value| violations.take(field, lines(value, most)));
        if field != "banner" && clean.as_deref() == Some("") {
            violations.add(field, "is required");
        }
        taken.push(clean);
    }
    violations.into_result()?;
    let mut taken = taken.into_iter();
    let mut next = || taken.next().flatten();
    Ok(Words {
        subject: next().unwrap_or_default(),
        body: next().unwrap_or_default(),
        banner: next(),
    })
}

/// The words of states to filter by; every unknown one is named.
pub(super) fn states_of<T>(states: &[i32], word: impl Fn(i32) -> Option<T>) -> Result<Vec<T>, Problem> {
    let mut violations = Violations::new();
    let mut wanted = Vec::with_capacity(states.len());
    for (index, state) in states.iter().enumerate() {
        match word(*state) {
            Some(state) => wanted.push(state),
            None => violations.add(format!("states[{index}]"), "is not a state"),
        }
    }
    violations.into_result()?;
    Ok(wanted)
}

/// Why, with the person's words. Errors: no reason, or words that are no text for people.
pub(super) fn decline_reason(reason: i32, comment: &str, violations: &mut Violations) -> Option<String> {
    let word = words::decline_reason(reason);
    if word.is_none() {
        violations.add("reason", "is required");
    }
    let comment = violations.take("comment", text::clean(comment, COMMENT_MAX));
    Some(declined(word?, &comment?))
}
