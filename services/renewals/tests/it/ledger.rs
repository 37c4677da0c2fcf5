//! A touch ledger whose answers can be lost, and which lets one touch of an account stand at a time, as in the last 30
//! days before a renewal (C-3).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use tonic::{Code, Request, Response, Status};
use upswell_proto::offers::v1::{
    BeginSendRequest, BeginSendResponse, BlockingRule, ConfirmRequest, ConfirmResponse, GetAllowanceRequest,
    GetAllowanceResponse, ListTouchesRequest, ListTouchesResponse, Refusal, ReleaseRequest, ReleaseResponse,
    ReserveRequest, ReserveResponse, Touch, reserve_response::Outcome, touch::State,
    touch_ledger_service_server::TouchLedgerService,
};
use upswell_runtime::problem::{Kind, Problem};

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing.
    #[default]
    Fine,
    /// What is asked is done, and the answer is lost.
    Deaf,
    /// No sending may begin: another tool made a touch meanwhile.
    Blocking,
    /// Every reservation is malformed.
    Strict,
}

#[derive(Default)]
pub(crate) struct Ledger(Mutex<Book>);

#[derive(Default)]
pub(crate) struct Book {
    pub(crate) mood: Mood,
    touches: BTreeMap<String, (ReserveRequest, State)>,
}

impl Ledger {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }
}

impl Book {
    /// Where every touch stands, by the order of the keys.
    pub(crate) fn states(&self) -> Vec<State> {
        self.touches.values().map(|(_, state)| *state).collect()
    }

    fn reserve(&mut self, asked: ReserveRequest) -> Result<Outcome, Status> {
        if self.mood == Mood::Strict {
            return Err(Problem::invalid_field("contact_id", "is no contact").into());
        }
        let touch_id = asked.idempotency_key.clone();
        if let Some((granted, state)) = self.touches.get(&touch_id) {
            if *granted != asked {
                let reused = Problem::new(Kind::InvalidArgument, "REQUEST_ID_REUSED", "used for another touch");
                return Err(reused.with("touch_id", touch_id).into());
            }
            return Ok(Outcome::Granted(touch(touch_id, *state)));
        }
        let stands = |(granted, state): &(ReserveRequest, State)| {
            granted.account_id == asked.account_id && *state != State::Released
        };
        if self.touches.values().any(stands) {
            let blocking = vec![BlockingRule {
                rule_id: "C-3".into(),
                ..Default::default()
            }];
            return Ok(Outcome::Refused(Refusal {
                blocking,
                earliest_time: None,
            }));
        }
        self.touches.insert(touch_id.clone(), (asked, State::Reserved));
        Ok(Outcome::Granted(touch(touch_id, State::Reserved)))
    }

    fn put(&mut self, touch_id: String, state: State) -> Result<Touch, Status> {
        let missing = || Status::from(Problem::not_found("TOUCH_NOT_FOUND", "there is no such touch"));
        let (_, known) = self.touches.get_mut(&touch_id).ok_or_else(missing)?;
        *known = state;
        Ok(touch(touch_id, state))
    }

    fn answer<T>(&self, answer: T) -> Result<Response<T>, Status> {
        match self.mood {
            Mood::Deaf => Err(Status::new(Code::Unavailable, "the answer is lost")),
            _ => Ok(Response::new(answer)),
        }
    }
}

fn touch(touch_id: String, state: State) -> Touch {
    Touch {
        touch_id,
        state: state.into(),
        ..Default::default()
    }
}

#[tonic::async_trait]
impl TouchLedgerService for Ledger {
    async fn reserve(&self, request: Request<ReserveRequest>) -> Result<Response<ReserveResponse>, Status> {
        let mut book = self.book();
        let outcome = Some(book.reserve(request.into_inner())?);
        book.answer(ReserveResponse { outcome })
    }

    async fn begin_send(&self, request: Request<BeginSendRequest>) -> Result<Response<BeginSendResponse>, Status> {
        let mut book = self.book();
        if book.mood == Mood::Blocking {
            let blocked = Problem::failed_precondition("TOUCH_BLOCKED", "rules stand against it");
            let blocked = blocked
                .with("rules", "C-1")
                .with("earliest_time", "2026-10-20T12:00:00Z");
            return Err(blocked.into());
        }
        let touch = Some(book.put(request.into_inner().touch_id, State::Sending)?);
        book.answer(BeginSendResponse { touch })
    }

    async fn confirm(&self, request: Request<ConfirmRequest>) -> Result<Response<ConfirmResponse>, Status> {
        let mut book = self.book();
        let touch = Some(book.put(request.into_inner().touch_id, State::Confirmed)?);
        book.answer(ConfirmResponse { touch })
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        let mut book = self.book();
        let touch = Some(book.put(request.into_inner().touch_id, State::Released)?);
        book.answer(ReleaseResponse { touch })
    }

    async fn get_allowance(&self, _: Request<GetAllowanceRequest>) -> Result<Response<GetAllowanceResponse>, Status> {
        Err(Status::unimplemented("renewals does not ask"))
    }

    async fn list_touches(&self, _: Request<ListTouchesRequest>) -> Result<Response<ListTouchesResponse>, Status> {
        Err(Status::unimplemented("renewals does not ask"))
    }
}
