//! Stands in for the other services: answers with the facts it was given, and keeps the events it is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use prost::{Message, Name};
use tonic::{Request, Response, Status, Streaming};
use upswell_proto::{
    delivery::v1::{
        DeliverRequest, DeliverResponse, Event, EventResult, delivery_service_server::DeliveryService,
        event_result::Outcome,
    },
    ingestion::v1::{
        AccountFacts, BatchGetAccountFactsRequest, BatchGetAccountFactsResponse, GetAccount360Request,
        GetAccount360Response, ListAccountsRequest, ListAccountsResponse, ListConflictsRequest, ListConflictsResponse,
        ListDuplicateAccountsRequest, ListDuplicateAccountsResponse, ListFactsRequest, ListFactsResponse,
        ListMergesRequest, ListMergesResponse, MergeAccountsRequest, MergeAccountsResponse, RecordFactsRequest,
        RecordFactsResponse, ResolveConflictRequest, ResolveConflictResponse, StreamAccountFactsRequest,
        StreamAccountFactsResponse, StreamFactsRequest, StreamFactsResponse, UnmergeAccountsRequest,
        UnmergeAccountsResponse, ingestion_service_server::IngestionService,
    },
};

#[derive(Clone, Default)]
pub(crate) struct Double(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    facts: BTreeMap<String, AccountFacts>,
    asked: Vec<Vec<String>>,
    told: Vec<Event>,
    is_down: bool,
    inventor: Option<fn(&str) -> AccountFacts>,
}

impl Double {
    pub(crate) fn knows(&self, facts: AccountFacts) {
        self.0.lock().unwrap().facts.insert(facts.account_id.clone(), facts);
    }

    /// Makes up the facts of accounts that it was not told of.
    pub(crate) fn invents(&self, inventor: fn(&str) -> AccountFacts) {
        self.0.lock().unwrap().inventor = Some(inventor);
    }

    pub(crate) fn forgets(&self, account_id: &str) {
        self.0.lock().unwrap().facts.remove(account_id);
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap().is_down = is_down;
    }

    /// The accounts of each question since the last call.
    pub(crate) fn asked(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    /// The names of the events told since the last call, in the order of their arrival.
    pub(crate) fn told(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap().told)
    }
}

/// The payloads of the events that are an `M`.
pub(crate) fn only<M: Message + Name + Default>(events: &[Event]) -> Vec<M> {
    let mine = events.iter().filter(|event| event.topic == M::full_name());
    mine.map(|event| M::decode(event.payload.as_slice()).unwrap()).collect()
}

#[tonic::async_trait]
impl DeliveryService for Double {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let mut results = Vec::new();
        for event in request.into_inner().events {
            let event_id = event.event_id.clone();
            results.push(EventResult {
                event_id,
                outcome: Outcome::Applied.into(),
                detail: String::new(),
            });
            self.0.lock().unwrap().told.push(event);
        }
        Ok(Response::new(DeliverResponse { results }))
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IngestionService for Double {
    async fn batch_get_account_facts(
        &self,
        request: Request<BatchGetAccountFactsRequest>,
    ) -> Answer<BatchGetAccountFactsResponse> {
        let request = request.into_inner();
        let mut memory = self.0.lock().unwrap();
        if memory.is_down {
            return Err(Status::unavailable("down"));
        }
        assert!(request.until_day.is_some() && (1..=800).contains(&request.days) && request.account_ids.len() <= 200);
        // What is asked for the same weeks a year ago is a second question about the same accounts.
        if request.until_day.is_some_and(|day| day.year >= 2026) {
            memory.asked.push(request.account_ids.clone());
        }
        let accounts = request
            .account_ids
            .iter()
            .filter_map(|id| {
                memory
                    .facts
                    .get(id)
                    .cloned()
                    .or_else(|| memory.inventor.map(|invent| invent(id)))
            })
            .collect();
        Ok(Response::new(BatchGetAccountFactsResponse { accounts }))
    }

    async fn record_facts(&self, _: Request<RecordFactsRequest>) -> Answer<RecordFactsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn get_account360(&self, _: Request<GetAccount360Request>) -> Answer<GetAccount360Response> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn list_accounts(&self, _: Request<ListAccountsRequest>) -> Answer<ListAccountsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn list_facts(&self, _: Request<ListFactsRequest>) -> Answer<ListFactsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    type StreamFactsStream = tokio_stream::Empty<Result<StreamFactsResponse, Status>>;

    async fn stream_facts(&self, _: Request<Streaming<StreamFactsRequest>>) -> Answer<Self::StreamFactsStream> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    type StreamAccountFactsStream =
        futures::stream::Iter<std::vec::IntoIter<Result<StreamAccountFactsResponse, Status>>>;

    async fn stream_account_facts(
        &self,
        request: Request<StreamAccountFactsRequest>,
    ) -> Answer<Self::StreamAccountFactsStream> {
        let after = request.into_inner().resume_token;
        let memory = self.0.lock().unwrap();
        let rest = memory.facts.values().filter(|account| account.account_id > after);
        let answer = |account: &AccountFacts| {
            Ok(StreamAccountFactsResponse {
                resume_token: account.account_id.clone(),
                account: Some(account.clone()),
            })
        };
        Ok(Response::new(futures::stream::iter(
            rest.map(answer).collect::<Vec<_>>(),
        )))
    }

    async fn resolve_conflict(&self, _: Request<ResolveConflictRequest>) -> Answer<ResolveConflictResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn merge_accounts(&self, _: Request<MergeAccountsRequest>) -> Answer<MergeAccountsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn unmerge_accounts(&self, _: Request<UnmergeAccountsRequest>) -> Answer<UnmergeAccountsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn list_merges(&self, _: Request<ListMergesRequest>) -> Answer<ListMergesResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn list_duplicate_accounts(
        &self,
        _: Request<ListDuplicateAccountsRequest>,
    ) -> Answer<ListDuplicateAccountsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }

    async fn list_conflicts(&self, _: Request<ListConflictsRequest>) -> Answer<ListConflictsResponse> {
        Err(Status::unimplemented("not asked by scoring"))
    }
}
