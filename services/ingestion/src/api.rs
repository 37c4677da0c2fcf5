//! The RPCs: one step each from the wire to a use case and back.

pub(crate) mod convert;
mod decisions;
pub(crate) mod events;
pub(crate) mod inbox;
mod requests;
mod streams;

use tonic::{Request, Response, Status, Streaming};
use upswell_proto::ingestion::v1::{
    self as pb,
    ingestion_service_server::{IngestionService, IngestionServiceServer},
};
use upswell_runtime::{paging, server::ServerSettings};

use self::convert::{
    accounts_page, answer_to_wire, conflict_to_wire, conflicts_page, duplicates_page, facts_page, facts_to_wire,
    merge_to_wire, merges_page, picture_to_wire,
};
use crate::app::App;

/// The service over the use cases.
pub(crate) struct Rpcs(App);

/// The service with its message limits.
pub(crate) fn server(app: App, settings: &ServerSettings) -> IngestionServiceServer<Rpcs> {
    IngestionServiceServer::new(Rpcs(app))
        .max_decoding_message_size(settings.max_decode_bytes)
        .max_encoding_message_size(settings.max_encode_bytes)
}

#[tonic::async_trait]
impl IngestionService for Rpcs {
    async fn record_facts(
        &self,
        request: Request<pb::RecordFactsRequest>,
    ) -> Result<Response<pb::RecordFactsResponse>, Status> {
        let command = requests::record_facts(request.into_inner(), self.0.horizon());
        Ok(Response::new(answer_to_wire(&self.0.record(command).await?)))
    }

    async fn get_account360(
        &self,
        request: Request<pb::GetAccount360Request>,
    ) -> Result<Response<pb::GetAccount360Response>, Status> {
        let account_id = requests::account_360(request.into_inner())?;
        let (picture, today) = self.0.picture(&account_id).await?;
        Ok(Response::new(picture_to_wire(picture, today)?))
    }

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        let (segment, page) = requests::list_accounts(request.into_inner())?;
        Ok(Response::new(accounts_page(
            &segment,
            self.0.accounts(&segment, &page).await?,
        )))
    }

    async fn batch_get_account_facts(
        &self,
        request: Request<pb::BatchGetAccountFactsRequest>,
    ) -> Result<Response<pb::BatchGetAccountFactsResponse>, Status> {
        let (account_ids, range) = requests::batch_get(request.into_inner())?;
        let accounts = self.0.account_facts(&account_ids, range).await?;
        let accounts = accounts
            .into_iter()
            .map(|account| facts_to_wire(account, range))
            .collect();
        Ok(Response::new(pb::BatchGetAccountFactsResponse { accounts }))
    }

    type StreamAccountFactsStream = streams::Answers<pb::StreamAccountFactsResponse>;

    async fn stream_account_facts(
        &self,
        request: Request<pb::StreamAccountFactsRequest>,
    ) -> Result<Response<Self::StreamAccountFactsStream>, Status> {
        let asked = requests::stream_account_facts(request.into_inner())?;
        Ok(Response::new(streams::account_facts(self.0.clone(), asked)))
    }

    type StreamFactsStream = streams::Answers<pb::StreamFactsResponse>;

    async fn stream_facts(
        &self,
        request: Request<Streaming<pb::StreamFactsRequest>>,
    ) -> Result<Response<Self::StreamFactsStream>, Status> {
        Ok(Response::new(streams::facts(self.0.clone(), request.into_inner())))
    }

    async fn resolve_conflict(
        &self,
        request: Request<pb::ResolveConflictRequest>,
    ) -> Result<Response<pb::ResolveConflictResponse>, Status> {
        let asked = decisions::resolve(request)?;
        let conflict = self
            .0
            .resolve(asked.decision, asked.conflict_id, &asked.etag, asked.resolution)
            .await?;
        let conflict = Some(conflict_to_wire(&conflict)?);
        Ok(Response::new(pb::ResolveConflictResponse { conflict }))
    }

    async fn merge_accounts(
        &self,
        request: Request<pb::MergeAccountsRequest>,
    ) -> Result<Response<pb::MergeAccountsResponse>, Status> {
        let (decision, account_id, part) = decisions::merge(request)?;
        let merge = Some(merge_to_wire(&self.0.merge(decision, &account_id, &part).await?));
        Ok(Response::new(pb::MergeAccountsResponse { merge }))
    }

    async fn unmerge_accounts(
        &self,
        request: Request<pb::UnmergeAccountsRequest>,
    ) -> Result<Response<pb::UnmergeAccountsResponse>, Status> {
        let (decision, merge_id) = decisions::unmerge(request)?;
        let merge = Some(merge_to_wire(&self.0.unmerge(decision, &merge_id).await?));
        Ok(Response::new(pb::UnmergeAccountsResponse { merge }))
    }

    async fn list_merges(
        &self,
        request: Request<pb::ListMergesRequest>,
    ) -> Result<Response<pb::ListMergesResponse>, Status> {
        let (account_id, page) = requests::list_merges(request.into_inner())?;
        let before = page
            .after
            .as_deref()
            .and_then(|key| key.parse().ok())
            .unwrap_or(i64::MAX);
        let found = self.0.merges(&account_id, before, u64::from(page.size) + 1).await?;
        Ok(Response::new(merges_page(&account_id, page.size, &found)))
    }

    async fn list_duplicate_accounts(
        &self,
        request: Request<pb::ListDuplicateAccountsRequest>,
    ) -> Result<Response<pb::ListDuplicateAccountsResponse>, Status> {
        let pb::ListDuplicateAccountsRequest { page_size, page_token } = request.into_inner();
        let page = paging::parse(requests::LIST_DUPLICATES, b"", page_size, &page_token).map_err(Status::from)?;
        let after = page.after.as_deref().unwrap_or_default();
        let found = self.0.lookalikes(after, u64::from(page.size) + 1).await?;
        Ok(Response::new(duplicates_page(page.size, &found)))
    }

    async fn list_facts(
        &self,
        request: Request<pb::ListFactsRequest>,
    ) -> Result<Response<pb::ListFactsResponse>, Status> {
        let asked = requests::list_facts(request.into_inner())?;
        let page = self.0.facts(&asked.account_id, &asked.filter, &asked.page).await?;
        Ok(Response::new(facts_page(&asked.fingerprint, page)))
    }

    async fn list_conflicts(
        &self,
        request: Request<pb::ListConflictsRequest>,
    ) -> Result<Response<pb::ListConflictsResponse>, Status> {
        let asked = requests::list_conflicts(request.into_inner())?;
        let page = self.0.conflicts(&asked.account_id, asked.decided, &asked.page).await?;
        Ok(Response::new(conflicts_page(&asked.fingerprint, &page)?))
    }
}
