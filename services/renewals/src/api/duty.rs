//! Absences and notices on the wire.

use async_trait::async_trait;
use prost::Message as _;
use tonic::{Request, Response};
use upswell_proto::renewals::v1::{
    Absence as WireAbsence, ListAbsencesRequest, ListAbsencesResponse, ListNoticesRequest, ListNoticesResponse,
    Notice as WireNotice, RemoveAbsenceRequest, RemoveAbsenceResponse, SetAbsenceRequest, SetAbsenceResponse,
    duty_service_server::DutyService, notice::Kind,
};
use upswell_runtime::{problem::Violations, requests, text};

use super::{
    Answer, Api, answer,
    convert::{date, filled, filter_key, once, optional, page, required, settled, token, uuid},
    render::{wire_date, wire_time},
};
use crate::{
    domain::{
        account::days_between,
        duty::{Absence, Notice, NoticeKind},
    },
    store::AbsenceFilter,
};

const LIST_ABSENCES: &str = "ListAbsences";
const LIST_NOTICES: &str = "ListNotices";

#[async_trait]
impl DutyService for Api {
    async fn set_absence(&self, request: Request<SetAbsenceRequest>) -> Answer<SetAbsenceResponse> {
        let mut wire = request.into_inner();
        let request_id = std::mem::take(&mut wire.request_id);
        let mut violations = Violations::new();
        let once = once("SetAbsence", request_id, requests::fingerprint(&wire), &mut violations);
        let person = violations.take("person_id", text::key(&wire.person_id));
        let from = required("from_date", wire.from_date, &mut violations, date);
        let until = required("until_date", wire.until_date, &mut violations, date);
        if let Some((from, until)) = from.zip(until)
            && !(0..=366).contains(&days_between(from, until))
        {
            violations.add(
                "until_date",
                "must not be before from_date, and at most a year after it",
            );
        }
        let delegate = if wire.delegate_id.is_empty() {
            Some(String::new())
        } else {
            violations.take("delegate_id", text::key(&wire.delegate_id))
        };
        if person.is_some() && person == delegate {
            violations.add("delegate_id", "must be somebody else");
        }
        let absence = (|| Some(Absence::new(person?, from?, until?, delegate?)))();
        let absence = settled(absence, violations)?;
        let render = |found| {
            SetAbsenceResponse {
                absence: Some(absence_of(found)),
            }
            .encode_to_vec()
        };
        answer(self.app.set_absence(&once, absence, &wire.etag, render).await?)
    }

    async fn remove_absence(&self, request: Request<RemoveAbsenceRequest>) -> Answer<RemoveAbsenceResponse> {
        let mut wire = request.into_inner();
        let request_id = std::mem::take(&mut wire.request_id);
        let mut violations = Violations::new();
        let once = once(
            "RemoveAbsence",
            request_id,
            requests::fingerprint(&wire),
            &mut violations,
        );
        filled("etag", &wire.etag, &mut violations);
        let id = uuid("absence_id", &wire.absence_id, &mut violations);
        let id = settled(id, violations)?.to_string();
        answer(self.app.remove_absence(&once, &id, &wire.etag).await?)
    }

    async fn list_absences(&self, request: Request<ListAbsencesRequest>) -> Answer<ListAbsencesResponse> {
        let wire = request.into_inner();
        let mut violations = Violations::new();
        let person_id = filter_key("person_id", &wire.person_id, &mut violations);
        let from_on = optional("from_date", wire.from_date, &mut violations, date);
        let filter = AbsenceFilter {
            person_id,
            from_on: settled(from_on, violations)?,
        };
        let bytes = format!("{filter:?}").into_bytes();
        let (after, size) = page(LIST_ABSENCES, &bytes, wire.page_size, &wire.page_token)?;
        let (absences, last) = self.app.absences(&filter, after.as_ref(), size).await?;
        Ok(Response::new(ListAbsencesResponse {
            absences: absences.into_iter().map(absence_of).collect(),
            next_page_token: token(LIST_ABSENCES, &bytes, last.as_ref())?,
        }))
    }

    async fn list_notices(&self, request: Request<ListNoticesRequest>) -> Answer<ListNoticesResponse> {
        let wire = request.into_inner();
        let mut violations = Violations::new();
        let person_id = filter_key("person_id", &wire.person_id, &mut violations);
        violations.into_result()?;
        let bytes = format!("{person_id:?}").into_bytes();
        let (after, size) = page(LIST_NOTICES, &bytes, wire.page_size, &wire.page_token)?;
        let (notices, last) = self.app.notices(person_id.as_deref(), after.as_ref(), size).await?;
        Ok(Response::new(ListNoticesResponse {
            notices: notices.into_iter().map(notice).collect(),
            next_page_token: token(LIST_NOTICES, &bytes, last.as_ref())?,
        }))
    }
}

fn absence_of(absence: Absence) -> WireAbsence {
    let etag = absence.etag();
    let Absence {
        absence_id,
        person_id,
        from_on,
        until_on,
        delegate_id,
        version: _,
    } = absence;
    WireAbsence {
        absence_id: absence_id.to_string(),
        person_id,
        from_date: Some(wire_date(from_on)),
        until_date: Some(wire_date(until_on)),
        delegate_id,
        etag,
    }
}

fn notice(notice: Notice) -> WireNotice {
    let Notice {
        notice_id,
        person_id,
        kind,
        account_id,
        subject_id,
        text,
        made_at,
    } = notice;
    let kind = match kind {
        NoticeKind::Due => Kind::Due,
        NoticeKind::Late => Kind::Late,
        NoticeKind::Delegated => Kind::Delegated,
        NoticeKind::Escalated => Kind::Escalated,
        NoticeKind::ProductSignal => Kind::ProductSignal,
    };
    WireNotice {
        notice_id: notice_id.to_string(),
        person_id,
        kind: kind.into(),
        account_id,
        subject_id,
        text,
        notice_time: Some(wire_time(made_at)),
    }
}
