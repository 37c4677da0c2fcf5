//! `CalendarService`.

use icalendar::{Calendar, Component, Event};
use jiff::Timestamp;
use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, calendar_entry, calendar_service_server::CalendarService};
use upswell_runtime::{
    db::{from_micros, micros},
    paging,
    problem::{Problem, Violations},
    security::Reach,
    text,
};
use uuid::Uuid;

use super::{
    Api, account,
    approvals::acting,
    convert, instant,
    replay::{Begun, begin},
    uuid,
};
use crate::{
    app::calendar::HoldAsked,
    domain::calendar::{Entry, EntryKind},
    store::{entities::hold, holds::hold_fetch},
};

const LIST: &str = "upswell.offers.v1.CalendarService/ListAccountCalendar";
const PLACE: &str = "upswell.offers.v1.CalendarService/PlaceHold";
const LIFT: &str = "upswell.offers.v1.CalendarService/LiftHold";
const REASON_MAX: usize = 500;

#[tonic::async_trait]
impl CalendarService for Api {
    async fn list_account_calendar(
        &self,
        request: Request<pb::ListAccountCalendarRequest>,
    ) -> Result<Response<pb::ListAccountCalendarResponse>, Status> {
        let pb::ListAccountCalendarRequest {
            account_id,
            start_time,
            end_time,
            page_size,
            page_token,
        } = request.into_inner();
        let filter = format!("{account_id}/{start_time:?}/{end_time:?}").into_bytes();
        let page = paging::parse(LIST, &filter, page_size, &page_token)?;
        let mut entries = self.entries(&account_id, start_time, end_time).await?;
        if let Some(after) = &page.after {
            entries.retain(|entry| key(entry).as_str() > after.as_str());
        }
        let more = entries.len() > page.size as usize;
        entries.truncate(page.size as usize);
        let last = entries.last().filter(|_| more).map(key);
        Ok(Response::new(pb::ListAccountCalendarResponse {
            next_page_token: last
                .map(|key| paging::next_token(LIST, &filter, &key))
                .unwrap_or_default(),
            entries: entries.into_iter().map(wire).collect(),
        }))
    }

    async fn export_account_calendar(
        &self,
        request: Request<pb::ExportAccountCalendarRequest>,
    ) -> Result<Response<pb::ExportAccountCalendarResponse>, Status> {
        let pb::ExportAccountCalendarRequest {
            account_id,
            start_time,
            end_time,
        } = request.into_inner();
        let entries = self.entries(&account_id, start_time, end_time).await?;
        let document = document(&account_id, &entries, self.0.clock.now());
        Ok(Response::new(pb::ExportAccountCalendarResponse { document }))
    }

    async fn place_hold(
        &self,
        request: Request<pb::PlaceHoldRequest>,
    ) -> Result<Response<pb::PlaceHoldResponse>, Status> {
        let author = acting(&request)?;
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let asked = asked(&request, author.clone())?;
        self.within(&reach, Some(&asked.account_id)).await?;
        let call = match begin(&self.0, PLACE, request_id.clone(), &request, Some(&author)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let placed = self.0.hold(&call.tx, &request_id, asked).await.map_err(Problem::from)?;
        let hold = Some(held(placed));
        Ok(Response::new(
            call.finish(&self.0, pb::PlaceHoldResponse { hold }).await?,
        ))
    }

    async fn lift_hold(&self, request: Request<pb::LiftHoldRequest>) -> Result<Response<pb::LiftHoldResponse>, Status> {
        let actor = acting(&request)?;
        let reach = Reach::of(&request);
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("hold_id", &request.hold_id)?;
        self.hold_within(&reach, id).await?;
        let call = match begin(&self.0, LIFT, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let hold = Some(held(self.0.lift_hold(&call.tx, id).await.map_err(Problem::from)?));
        Ok(Response::new(
            call.finish(&self.0, pb::LiftHoldResponse { hold }).await?,
        ))
    }
}

impl Api {
    async fn hold_within(&self, reach: &Reach, id: Uuid) -> Result<(), Problem> {
        let found = match reach.only() {
            Some(_) => hold_fetch(self.0.db.reader(), id).await?,
            None => return Ok(()),
        };
        self.within(reach, found.as_ref().map(|hold| hold.account_id.as_str()))
            .await
    }

    async fn entries(
        &self,
        account_id: &str,
        start: Option<prost_types::Timestamp>,
        end: Option<prost_types::Timestamp>,
    ) -> Result<Vec<Entry>, Problem> {
        let mut violations = Violations::new();
        let account_id = account(account_id, &mut violations);
        violations.into_result()?;
        let (start, end) = (instant("start_time", start)?, instant("end_time", end)?);
        Ok(self.0.calendar(&account_id, start, end).await?)
    }
}

fn asked(request: &pb::PlaceHoldRequest, author: String) -> Result<HoldAsked, Problem> {
    let mut violations = Violations::new();
    let account_id = account(&request.account_id, &mut violations);
    let reason = violations
        .take("reason", text::clean(&request.reason, REASON_MAX))
        .unwrap_or_default();
    if reason.is_empty() {
        violations.add("reason", "is required");
    }
    if request.end_time.is_none() {
        violations.add("end_time", "is required");
    }
    violations.into_result()?;
    Ok(HoldAsked {
        account_id,
        reason,
        author,
        start: instant("start_time", request.start_time)?,
        end: instant("end_time", request.end_time)?.unwrap_or(Timestamp::MIN),
    })
}

/// Sorts as the entries do: instants of our time have the same number of digits.
fn key(entry: &Entry) -> String {
    let (start, kind, id) = entry.key();
    format!("{:020}/{}/{id}", micros(start), kind as u8)
}

fn wire(entry: Entry) -> pb::CalendarEntry {
    let kind = match entry.kind {
        EntryKind::Touch => calendar_entry::Kind::Touch,
        EntryKind::Reservation => calendar_entry::Kind::Reservation,
        EntryKind::Renewal => calendar_entry::Kind::Renewal,
        EntryKind::Zone60 => calendar_entry::Kind::Zone60,
        EntryKind::Zone30 => calendar_entry::Kind::Zone30,
        EntryKind::Hold => calendar_entry::Kind::Hold,
        EntryKind::Suppression => calendar_entry::Kind::Suppression,
    };
    pb::CalendarEntry {
        kind: kind.into(),
        entry_id: entry.id,
        start_time: Some(convert::instant(entry.start)),
        end_time: entry.end.map(convert::instant),
        title: entry.title,
        account_id: entry.account_id,
    }
}

fn held(row: hold::Model) -> pb::Hold {
    pb::Hold {
        hold_id: row.hold_id.to_string(),
        account_id: row.account_id,
        reason: row.reason,
        author: row.author,
        create_time: Some(convert::instant(from_micros(row.created_at))),
        start_time: Some(convert::instant(from_micros(row.start_at))),
        end_time: Some(convert::instant(from_micros(row.end_at))),
        lift_time: row.lifted_at.map(|at| convert::instant(from_micros(at))),
    }
}

/// The entries as an iCalendar document. A moment lasts no time, and what has no end is shown on its first instant.
fn document(account_id: &str, entries: &[Entry], now: Timestamp) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//Upswell//Offers//EN"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.name(&format!("Upswell: {account_id}"));
    for entry in entries {
        let mut event = Event::new();
        event.uid(&format!("{:?}-{}@upswell", entry.kind, entry.id).to_lowercase());
        event.append_property(("DTSTAMP", stamp(now).as_str()));
        event.append_property(("DTSTART", stamp(entry.start).as_str()));
        event.append_property(("DTEND", stamp(entry.end.unwrap_or(entry.start)).as_str()));
        event.summary(&format!("{}: {}", entry.account_id, entry.title));
        calendar.push(event.done());
    }
    calendar.to_string()
}

/// `20261012T050000Z`.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
