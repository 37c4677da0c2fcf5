//! Delegations, digests and batches of `ApprovalService`.

use std::collections::BTreeMap;

use tonic::Status;
use upswell_proto::offers::v1::{self as pb, delegation};
use upswell_runtime::{
    db::micros,
    ids,
    money::{Money, to_proto},
    problem::{Problem, Violations},
    text,
};

use super::{
    Api, Cursor, convert,
    replay::{Begun, begin},
    uuid,
};
use crate::{
    domain::approval::{Delegation, DelegationKind},
    store::delegations,
};

const LIST: &str = "upswell.offers.v1.ApprovalService/ListDelegations";
const DELEGATE: &str = "upswell.offers.v1.ApprovalService/DelegateApprovals";
const END: &str = "upswell.offers.v1.ApprovalService/EndDelegation";
/// Days of a digest, by default and at most.
const DAYS: (i32, i32) = (30, 366);
/// Requests that a digest shows.
const SHOWN: usize = 20;

impl Api {
    pub(super) async fn delegated(
        &self,
        mut request: pb::DelegateApprovalsRequest,
        actor: String,
    ) -> Result<pb::DelegateApprovalsResponse, Status> {
        let request_id = std::mem::take(&mut request.request_id);
        let delegation = self.delegation(&request, &request_id, actor.clone())?;
        let call = match begin(&self.0, DELEGATE, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::New(call) => call,
        };
        self.0.delegate(&call.tx, &delegation).await.map_err(Problem::from)?;
        let delegation = Some(convert::delegation(&delegation));
        call.finish(&self.0, pb::DelegateApprovalsResponse { delegation }).await
    }

    fn delegation(
        &self,
        request: &pb::DelegateApprovalsRequest,
        request_id: &str,
        author: String,
    ) -> Result<Delegation, Problem> {
        let mut violations = Violations::new();
        let person = violations
            .take("person_id", text::key(&request.person_id))
            .unwrap_or_default();
        let delegate = violations
            .take("delegate_id", text::key(&request.delegate_id))
            .unwrap_or_default();
        if violations.is_empty() && person == delegate {
            violations.add("delegate_id", "must be somebody else");
        }
        let kind = match request.kind() {
            delegation::Kind::Absence => DelegationKind::Absence,
            delegation::Kind::Deputy => DelegationKind::Deputy,
            delegation::Kind::Unspecified => {
                violations.add("kind", "is required");
                DelegationKind::Absence
            }
        };
        let day = convert::from_day;
        let start_on = match &request.start_date {
            Some(date) => violations.take("start_date", day(date)),
            None => {
                violations.add("start_date", "is required");
                None
            }
        };
        let end_on = request
            .end_date
            .as_ref()
            .and_then(|date| violations.take("end_date", day(date)));
        if let (Some(start), Some(end)) = (start_on, end_on)
            && end < start
        {
            violations.add("end_date", "must not be before start_date");
        }
        violations.into_result()?;
        Ok(Delegation {
            id: ids::derive("delegation", &[&person, request_id]),
            person_id: person,
            delegate_id: delegate,
            kind,
            start_on: start_on.unwrap_or_default(),
            end_on,
            author,
            created_at: self.0.clock.now(),
            ended_at: None,
        })
    }

    pub(super) async fn delegation_ended(
        &self,
        mut request: pb::EndDelegationRequest,
        actor: String,
    ) -> Result<pb::EndDelegationResponse, Status> {
        let request_id = std::mem::take(&mut request.request_id);
        let id = uuid("delegation_id", &request.delegation_id)?;
        let call = match begin(&self.0, END, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::New(call) => call,
        };
        let ended = self
            .0
            .end_delegation(&call.tx, id, &actor)
            .await
            .map_err(Problem::from)?;
        let delegation = Some(convert::delegation(&ended));
        call.finish(&self.0, pb::EndDelegationResponse { delegation }).await
    }

    pub(super) async fn delegations(
        &self,
        request: pb::ListDelegationsRequest,
    ) -> Result<pb::ListDelegationsResponse, Problem> {
        let pb::ListDelegationsRequest {
            person_id,
            page_size,
            page_token,
        } = request;
        let cursor = Cursor::parse(LIST, person_id.clone().into_bytes(), page_size, &page_token)?;
        let reader = self.0.db.reader();
        let mut found = delegations::delegation_list(reader, &person_id, cursor.after, cursor.limit()).await?;
        let next_page_token = cursor.cut(&mut found, |delegation| (micros(delegation.created_at), delegation.id));
        Ok(pb::ListDelegationsResponse {
            delegations: found.iter().map(convert::delegation).collect(),
            next_page_token,
        })
    }

    pub(super) async fn digest(
        &self,
        request: pb::GetApprovalDigestRequest,
    ) -> Result<pb::GetApprovalDigestResponse, Problem> {
        let pb::GetApprovalDigestRequest { approver_id, days } = request;
        if !(0..=DAYS.1).contains(&days) {
            return Err(Problem::invalid_field(
                "days",
                format!("must be between 0 and {}", DAYS.1),
            ));
        }
        let days = if days == 0 { DAYS.0 } else { days };
        let digest = self.0.digest(&approver_id, days.into()).await?;
        let values = digest
            .pending
            .iter()
            .filter_map(|approval| approval.snapshot.expected_value);
        let mut sums: BTreeMap<String, Money> = BTreeMap::new();
        for value in values {
            let sum = sums
                .entry(value.currency.to_string())
                .or_insert(Money { minor: 0, ..value });
            sum.minor = sum.minor.saturating_add(value.minor);
        }
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let oldest = digest.pending.iter().map(|approval| approval.requested_at).min();
        Ok(pb::GetApprovalDigestResponse {
            next: digest.pending.iter().take(SHOWN).map(convert::approval).collect(),
            pending_count: count(digest.pending.len()),
            oldest_request_time: oldest.map(convert::instant),
            expected_values: sums.into_values().map(to_proto).collect(),
            decided_count: count(digest.waited.len()),
            median_wait_seconds: digest.wait(50),
            p90_wait_seconds: digest.wait(90),
        })
    }
}
