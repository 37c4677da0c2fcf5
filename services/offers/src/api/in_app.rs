//! `InAppService`.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{
    self as pb, in_app_service_server::InAppService, report_in_app_message_request::Event,
};
use upswell_runtime::{
    db::micros,
    problem::{Problem, Violations},
    text,
};

use super::{
    Api, Cursor, account, convert,
    offers::decline_reason,
    replay::{Begun, begin},
    uuid,
    words::motion_to_wire,
};
use crate::app::in_app::{Report, Shown};

const LIST: &str = "upswell.offers.v1.InAppService/ListInAppMessages";
const REPORT: &str = "upswell.offers.v1.InAppService/ReportInAppMessage";

#[tonic::async_trait]
impl InAppService for Api {
    async fn list_in_app_messages(
        &self,
        request: Request<pb::ListInAppMessagesRequest>,
    ) -> Result<Response<pb::ListInAppMessagesResponse>, Status> {
        let pb::ListInAppMessagesRequest {
            account_id,
            contact_id,
            page_size,
            page_token,
        } = request.into_inner();
        let mut violations = Violations::new();
        let account_id = account(&account_id, &mut violations);
        let contact_id = violations
            .take("contact_id", text::key(&contact_id))
            .unwrap_or_default();
        violations.into_result()?;
        let filter = format!("{account_id}\0{contact_id}").into_bytes();
        let cursor = Cursor::parse(LIST, filter, page_size, &page_token)?;
        // An account has a handful of open offers: the page is cut out of all of them.
        let mut found = self.0.in_app_list(&account_id, &contact_id).await?;
        found.sort_by_key(|shown| (std::cmp::Reverse(key(shown).0), key(shown).1));
        if let Some((at, id)) = cursor.after {
            found.retain(|shown| key(shown).0 < at || (key(shown).0 == at && key(shown).1 > id));
        }
        let next_page_token = cursor.cut(&mut found, key);
        Ok(Response::new(pb::ListInAppMessagesResponse {
            messages: found.iter().map(message).collect(),
            next_page_token,
        }))
    }

    async fn report_in_app_message(
        &self,
        request: Request<pb::ReportInAppMessageRequest>,
    ) -> Result<Response<pb::ReportInAppMessageResponse>, Status> {
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("message_id", &request.message_id)?;
        let report = report(&request)?;
        let call = match begin(&self.0, REPORT, request_id, &request, None).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let reported = self.0.in_app_report(&call.tx, id, &request.etag, report).await;
        let (shown, order) = reported.map_err(Problem::from)?;
        let answer = pb::ReportInAppMessageResponse {
            message: Some(message(&shown)),
            offer: Some(convert::offer(&shown.offer)),
            order: order.as_ref().map(convert::order),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }
}

fn key(shown: &Shown) -> (i64, uuid::Uuid) {
    (
        shown.offer.sent_at.map(micros).unwrap_or_default(),
        shown.delivery.touch_id,
    )
}

fn report(request: &pb::ReportInAppMessageRequest) -> Result<Report, Problem> {
    let mut violations = Violations::new();
    let report = match request.event() {
        Event::Unspecified => {
            violations.add("event", "is required");
            None
        }
        Event::Seen => Some(Report::Seen),
        Event::Clicked => Some(Report::Clicked),
        Event::Dismissed => Some(Report::Dismissed),
        Event::Accepted => Some(Report::Accepted),
        Event::Declined => decline_reason(request.reason, &request.comment, &mut violations).map(Report::Declined),
    };
    violations.into_result()?;
    report.ok_or_else(|| Problem::invalid_field("event", "is required"))
}

fn message(shown: &Shown) -> pb::InAppMessage {
    let Shown { offer, delivery } = shown;
    let words = offer.message.clone();
    let passive = shown.is_passive();
    let (language_code, title, body) = words.map_or_else(Default::default, |words| {
        if passive {
            (words.language, String::new(), words.banner)
        } else {
            (words.language, words.subject, words.body)
        }
    });
    pb::InAppMessage {
        message_id: delivery.touch_id.to_string(),
        offer_id: offer.id.to_string(),
        account_id: offer.account_id.clone(),
        contact_id: if passive {
            String::new()
        } else {
            offer.contact_id.clone().unwrap_or_default()
        },
        passive,
        motion: motion_to_wire(offer.motion).into(),
        language_code,
        title,
        body,
        terms: offer.terms.as_ref().map(convert::terms),
        send_time: offer.sent_at.map(convert::instant),
        expire_time: offer.open_until().map(convert::instant),
        deliver_time: delivery.progress.delivered_at.map(convert::instant),
        open_time: delivery.progress.opened_at.map(convert::instant),
        click_time: delivery.progress.clicked_at.map(convert::instant),
        dismiss_time: delivery.dismissed_at.map(convert::instant),
        etag: delivery.version.to_string(),
    }
}
