//! What all `List…` RPCs have in common.

use clap::Args;
use upswell_proto::{
    admin::v1 as admin, ingestion::v1 as ingestion, metrics::v1 as metrics, offers::v1 as offers,
    renewals::v1 as renewals, scoring::v1 as scoring,
};

/// How many rows are shown.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Limit {
    /// Rows at most; 0 shows all of them.
    #[arg(long, default_value_t = 100, value_name = "ROWS")]
    limit: usize,
}

impl Limit {
    /// Everything.
    pub(super) const fn all() -> Self {
        Self { limit: 0 }
    }

    /// As many rows as memory holds where no limit is wanted.
    pub(super) fn rows(self) -> usize {
        if self.limit == 0 { usize::MAX } else { self.limit }
    }
}

/// A request for a page.
pub(super) trait PagedRequest: Clone {
    /// Asks for so many rows.
    fn size(&mut self, rows: i32);
    /// Asks for the page with this token.
    fn after(&mut self, token: String);
}

/// A page.
pub(super) trait PagedResponse {
    /// What is listed.
    type Row;
    /// The rows and the token of the next page.
    fn split(self) -> (Vec<Self::Row>, String);
}

macro_rules! paged {
    ($($request:ty => $response:ty: $row:ty, $field:ident;)*) => {$(
        impl PagedRequest for $request {
            fn size(&mut self, rows: i32) {
                self.page_size = rows;
            }

            fn after(&mut self, token: String) {
                self.page_token = token;
            }
        }

        impl PagedResponse for $response {
            type Row = $row;

            fn split(self) -> (Vec<$row>, String) {
                (self.$field, self.next_page_token)
            }
        }
    )*};
}

paged! {
    ingestion::ListAccountsRequest => ingestion::ListAccountsResponse: ingestion::Account, accounts;
    ingestion::ListFactsRequest => ingestion::ListFactsResponse: ingestion::RecordedFact, facts;
    ingestion::ListConflictsRequest => ingestion::ListConflictsResponse: ingestion::Conflict, conflicts;
    ingestion::ListMergesRequest => ingestion::ListMergesResponse: ingestion::Merge, merges;
    ingestion::ListDuplicateAccountsRequest => ingestion::ListDuplicateAccountsResponse: ingestion::DuplicateAccounts,
        duplicates;
    scoring::ListSignalsRequest => scoring::ListSignalsResponse: scoring::Signal, signals;
    scoring::ListScoresRequest => scoring::ListScoresResponse: scoring::Score, scores;
    scoring::ListModelsRequest => scoring::ListModelsResponse: scoring::Model, models;
    offers::ListOffersRequest => offers::ListOffersResponse: offers::Offer, offers;
    offers::ListApprovalsRequest => offers::ListApprovalsResponse: offers::Approval, approvals;
    offers::ListSuppressionsRequest => offers::ListSuppressionsResponse: offers::Suppression, suppressions;
    offers::ListDecisionsRequest => offers::ListDecisionsResponse: offers::Decision, decisions;
    offers::ListPlaybookPausesRequest => offers::ListPlaybookPausesResponse: offers::PlaybookPause, pauses;
    offers::ListOrdersRequest => offers::ListOrdersResponse: offers::Order, orders;
    offers::ListAssignmentsRequest => offers::ListAssignmentsResponse: offers::Assignment, assignments;
    offers::ListAccountCalendarRequest => offers::ListAccountCalendarResponse: offers::CalendarEntry, entries;
    offers::ListDelegationsRequest => offers::ListDelegationsResponse: offers::Delegation, delegations;
    offers::ListTasksRequest => offers::ListTasksResponse: offers::Task, tasks;
    offers::ListInAppMessagesRequest => offers::ListInAppMessagesResponse: offers::InAppMessage, messages;
    offers::ListTouchesRequest => offers::ListTouchesResponse: offers::Touch, touches;
    renewals::ListDealsRequest => renewals::ListDealsResponse: renewals::Deal, deals;
    renewals::ListReviewsRequest => renewals::ListReviewsResponse: renewals::Review, reviews;
    renewals::ListOnboardingPlansRequest => renewals::ListOnboardingPlansResponse: renewals::OnboardingPlan, plans;
    renewals::ListNoticesRequest => renewals::ListNoticesResponse: renewals::Notice, notices;
    renewals::ListContactsRequest => renewals::ListContactsResponse: renewals::RenewalContact, contacts;
    renewals::ListAbsencesRequest => renewals::ListAbsencesResponse: renewals::Absence, absences;
    renewals::ListTasksRequest => renewals::ListTasksResponse: renewals::Task, tasks;
    metrics::ListMovementsRequest => metrics::ListMovementsResponse: metrics::Movement, movements;
    metrics::ListAccountRevenueRequest => metrics::ListAccountRevenueResponse: metrics::AccountRevenue, accounts;
    metrics::ListExchangeRatesRequest => metrics::ListExchangeRatesResponse: metrics::ExchangeRate, rates;
    metrics::ListProgrammeStepsRequest => metrics::ListProgrammeStepsResponse: metrics::CountedStep, steps;
    admin::ListDeadLettersRequest => admin::ListDeadLettersResponse: admin::DeadLetter, dead_letters;
}
