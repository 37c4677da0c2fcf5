//! Reviews and onboarding plans on the wire.

use async_trait::async_trait;
use jiff::Timestamp;
use prost::Message as _;
use tonic::{Request, Response};
use upswell_proto::renewals::v1::{
    AgendaItem as WireItem, Checkpoint, CloseReviewRequest, CloseReviewResponse, GetReviewRequest, GetReviewResponse,
    ListOnboardingPlansRequest, ListOnboardingPlansResponse, ListReviewsRequest, ListReviewsResponse,
    MoveReviewRequest, MoveReviewResponse, OnboardingPlan, Review as WireReview, SetOnboardingOwnerRequest,
    SetOnboardingOwnerResponse, SummarizeReviewRequest, SummarizeReviewResponse, ValueFigure, agenda_item::Part,
    care_service_server::CareService, review::State,
};
use upswell_runtime::{problem::Violations, requests, security::Reach, text};
use uuid::Uuid;

use super::{
    Answer, Api, answer,
    convert::{REASON_MAX, date, filled, filter_key, once, page, required, said, settled, token, uuid},
    render::{wire_date, wire_time},
};
use crate::{
    app::{Once, ReviewDeed},
    domain::care::{AgendaItem, AgendaPart, CHECKPOINTS, Care, Figure, Review, ReviewState},
    store::{ListedReview, ReviewFilter},
};

const LIST_REVIEWS: &str = "ListReviews";
const LIST_PLANS: &str = "ListOnboardingPlans";
/// Characters of a summary.
const SUMMARY_MAX: usize = 4_000;
/// When a review begins, by the account's clock.
const HOUR: i8 = 10;

#[async_trait]
impl CareService for Api {
    async fn list_reviews(&self, request: Request<ListReviewsRequest>) -> Answer<ListReviewsResponse> {
        let wire = request.into_inner();
        let mut violations = Violations::new();
        let account_id = filter_key("account_id", &wire.account_id, &mut violations);
        let owner_id = filter_key("owner_id", &wire.owner_id, &mut violations);
        violations.into_result()?;
        let filter = ReviewFilter {
            account_id,
            owner_id,
            include_closed: wire.include_closed,
        };
        let bytes = format!("{filter:?}").into_bytes();
        let (after, size) = page(LIST_REVIEWS, &bytes, wire.page_size, &wire.page_token)?;
        let (reviews, last) = self.app.reviews(&filter, after.as_ref(), size).await?;
        Ok(Response::new(ListReviewsResponse {
            reviews: reviews.into_iter().map(review).collect(),
            next_page_token: token(LIST_REVIEWS, &bytes, last.as_ref())?,
        }))
    }

    async fn get_review(&self, request: Request<GetReviewRequest>) -> Answer<GetReviewResponse> {
        let mut violations = Violations::new();
        let id = uuid("review_id", &request.into_inner().review_id, &mut violations);
        let found = self.app.review(settled(id, violations)?).await?;
        Ok(Response::new(GetReviewResponse {
            review: Some(review(found)),
        }))
    }

    async fn move_review(&self, request: Request<MoveReviewRequest>) -> Answer<MoveReviewResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let (once, mut violations) = begin("MoveReview", &mut std::mem::take(&mut wire.request_id), &wire);
        let day = required("date", wire.date, &mut violations, date);
        let reason = said("reason", &wire.reason, REASON_MAX, &mut violations);
        let key = key("review_id", &wire.review_id, wire.etag, &mut violations);
        let deed = day.zip(reason).map(|(day, reason)| ReviewDeed::Move(day, reason));
        let (key, deed) = settled(key.zip(deed), violations)?;
        self.care_within(&reach, key.0).await?;
        let render = |found| {
            MoveReviewResponse {
                review: Some(review(found)),
            }
            .encode_to_vec()
        };
        answer(self.app.change_review(&once, key, deed, render).await?)
    }

    async fn close_review(&self, request: Request<CloseReviewRequest>) -> Answer<CloseReviewResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let (once, mut violations) = begin("CloseReview", &mut std::mem::take(&mut wire.request_id), &wire);
        let dropped = if wire.held {
            if !wire.reason.is_empty() {
                violations.add("reason", "must not be set when the review was held");
            }
            Some(None)
        } else {
            said("reason", &wire.reason, REASON_MAX, &mut violations).map(Some)
        };
        let key = key("review_id", &wire.review_id, wire.etag, &mut violations);
        let (key, dropped) = settled(key.zip(dropped), violations)?;
        self.care_within(&reach, key.0).await?;
        let render = |found| {
            CloseReviewResponse {
                review: Some(review(found)),
            }
            .encode_to_vec()
        };
        answer(
            self.app
                .change_review(&once, key, ReviewDeed::Close(dropped), render)
                .await?,
        )
    }

    async fn summarize_review(&self, request: Request<SummarizeReviewRequest>) -> Answer<SummarizeReviewResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let (once, mut violations) = begin("SummarizeReview", &mut std::mem::take(&mut wire.request_id), &wire);
        let summary = said("summary", &wire.summary, SUMMARY_MAX, &mut violations);
        let key = key("review_id", &wire.review_id, wire.etag, &mut violations);
        let (key, summary) = settled(key.zip(summary), violations)?;
        self.care_within(&reach, key.0).await?;
        let render = |found| {
            SummarizeReviewResponse {
                review: Some(review(found)),
            }
            .encode_to_vec()
        };
        answer(
            self.app
                .change_review(&once, key, ReviewDeed::Summarize(summary), render)
                .await?,
        )
    }

    async fn list_onboarding_plans(
        &self,
        request: Request<ListOnboardingPlansRequest>,
    ) -> Answer<ListOnboardingPlansResponse> {
        let wire = request.into_inner();
        let mut violations = Violations::new();
        let owner_id = filter_key("owner_id", &wire.owner_id, &mut violations);
        violations.into_result()?;
        let bytes = format!("{owner_id:?} {}", wire.include_finished).into_bytes();
        let (after, size) = page(LIST_PLANS, &bytes, wire.page_size, &wire.page_token)?;
        let (plans, last) = self
            .app
            .plans(owner_id.as_deref(), wire.include_finished, after.as_ref(), size)
            .await?;
        Ok(Response::new(ListOnboardingPlansResponse {
            plans: plans.into_iter().filter_map(plan).collect(),
            next_page_token: token(LIST_PLANS, &bytes, last.as_ref())?,
        }))
    }

    async fn set_onboarding_owner(
        &self,
        request: Request<SetOnboardingOwnerRequest>,
    ) -> Answer<SetOnboardingOwnerResponse> {
        let reach = Reach::of(&request);
        let mut wire = request.into_inner();
        let (once, mut violations) = begin("SetOnboardingOwner", &mut std::mem::take(&mut wire.request_id), &wire);
        let owner = violations.take("owner_id", text::key(&wire.owner_id));
        let key = key("plan_id", &wire.plan_id, wire.etag, &mut violations);
        let (key, owner) = settled(key.zip(owner), violations)?;
        self.care_within(&reach, key.0).await?;
        let render = |care| SetOnboardingOwnerResponse { plan: plan(care) }.encode_to_vec();
        answer(self.app.give_plan(&once, key, owner, render).await?)
    }
}

/// What makes the request the same request; `wire` comes without its id.
fn begin<M: prost::Message>(method: &'static str, request_id: &mut String, wire: &M) -> (Once, Violations) {
    let mut violations = Violations::new();
    let once = once(
        method,
        std::mem::take(request_id),
        requests::fingerprint(wire),
        &mut violations,
    );
    (once, violations)
}

fn key(field: &str, id: &str, etag: String, violations: &mut Violations) -> Option<(Uuid, String)> {
    filled("etag", &etag, violations);
    Some((uuid(field, id, violations)?, etag))
}

fn review(listed: ListedReview) -> WireReview {
    let ListedReview {
        account_id,
        account,
        review,
    } = listed;
    let etag = review.etag();
    let start_time = account
        .time_zone
        .to_timestamp(review.held_on.at(HOUR, 0, 0, 0))
        .ok()
        .map(|at: Timestamp| wire_time(at));
    let Review {
        review_id,
        quarter_on,
        held_on,
        chosen: _,
        minutes,
        state,
        invited,
        agenda,
        figures,
        expansion_talk,
        reason,
        summary,
        version: _,
    } = review;
    let figure = |Figure { name, value, previous }| ValueFigure { name, value, previous };
    WireReview {
        review_id: review_id.to_string(),
        account_id,
        quarter: Some(wire_date(quarter_on)),
        date: Some(wire_date(held_on)),
        start_time,
        minutes,
        owner_id: account.owner_id,
        state: wire_state(state).into(),
        invited_contact_ids: invited,
        agenda: agenda.into_iter().map(item).collect(),
        figures: figures.into_iter().map(figure).collect(),
        expansion_talk,
        reason,
        summary,
        etag,
    }
}

fn item(AgendaItem { part, lines }: AgendaItem) -> WireItem {
    let part = match part {
        AgendaPart::Goals => Part::Goals,
        AgendaPart::Results => Part::Results,
        AgendaPart::Problems => Part::Problems,
        AgendaPart::Plans => Part::Plans,
    };
    WireItem {
        part: part.into(),
        lines,
    }
}

fn wire_state(state: ReviewState) -> State {
    match state {
        ReviewState::Planned => State::Planned,
        ReviewState::Prepared => State::Prepared,
        ReviewState::Held => State::Held,
        ReviewState::Summarized => State::Summarized,
        ReviewState::Dropped => State::Dropped,
    }
}

fn plan(care: Care) -> Option<OnboardingPlan> {
    let Care {
        account_id,
        plan,
        reviews: _,
        tasks,
    } = care;
    let plan = plan?;
    let checkpoint = |(day, kind, goal): (i32, _, &str)| {
        let task = tasks
            .iter()
            .find(|task| task.subject_id == plan.plan_id && task.kind == kind)?;
        Some(Checkpoint {
            day,
            goal: goal.to_owned(),
            task_id: task.task_id.to_string(),
            due_date: Some(wire_date(task.due_on)),
            state: task.state.to_string(),
        })
    };
    Some(OnboardingPlan {
        plan_id: plan.plan_id.to_string(),
        account_id,
        checkpoints: CHECKPOINTS.into_iter().filter_map(checkpoint).collect(),
        owner_id: plan.owner_id,
        start_date: Some(wire_date(plan.started_on)),
        finished: plan.finished,
        etag: plan.version.to_string(),
    })
}
