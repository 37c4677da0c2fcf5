//! The customers and CSMs of a case: they answer what reached them, and only that.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use tonic::Request;
use upswell_proto::{
    ingestion::v1::{Fact, Reply, fact::Body},
    offers::v1::{
        AcceptOfferRequest, Approval, ApproveOfferRequest, DeclineOfferRequest, Offer, RejectOfferRequest, approval,
        approval_service_client::ApprovalServiceClient, decline_offer_request::Reason, offer,
        offer_service_client::OfferServiceClient,
    },
    vocabulary::v1::Channel,
};
use upswell_runtime::{client::Traced, ids};

use super::{
    case::Case,
    reactions::{CsmAnswer, CsmRule, CustomerAnswer, CustomerRule, Way},
};
use crate::{
    lists,
    wire::{instant, to_instant, word},
};

/// The people of one case.
pub struct People<'a> {
    case: &'a Case,
    offers: OfferServiceClient<Traced>,
    approvals: ApprovalServiceClient<Traced>,
    spool: PathBuf,
    /// Offers that were complained about: the offer stays open, the complaint is made once.
    complained: BTreeSet<String>,
}

impl<'a> People<'a> {
    /// People who find their messages in the folder `spool`.
    pub fn new(case: &'a Case, channel: Traced, spool: PathBuf) -> Self {
        Self {
            case,
            offers: OfferServiceClient::new(channel.clone()),
            approvals: ApprovalServiceClient::new(channel),
            spool,
            complained: BTreeSet::new(),
        }
    }

    /// Everything that people do by `now`: decisions and answers are called in, replies come back as facts.
    ///
    /// # Errors
    /// A service refuses an answer that the case's people are entitled to give, or cannot be reached.
    pub async fn act(&mut self, now: Timestamp) -> Result<Vec<Fact>> {
        for approval in lists::approvals(&mut self.approvals, &[approval::State::Pending]).await? {
            self.decide(&approval, now).await?;
        }
        let mut replies = Vec::new();
        for offer in lists::offers(&mut self.offers, &[offer::State::Sent]).await? {
            replies.extend(self.answer(&offer, now).await?);
        }
        Ok(replies)
    }

    async fn decide(&mut self, approval: &Approval, now: Timestamp) -> Result<()> {
        let motion = approval.snapshot.as_ref().map(motion).unwrap_or_default();
        let asked = instant(approval.request_time.as_ref()).context("an approval without a request time")?;
        let Some(rule) = self.case.reactions.csm(&approval.account_id, &motion) else {
            return Ok(());
        };
        if rule.answer == CsmAnswer::Silent || now < asked + SignedDuration::from_hours(rule.after_hours.into()) {
            return Ok(());
        }
        self.call_decision(approval, rule)
            .await
            .with_context(|| format!("approval {}", approval.approval_id))
    }

    async fn call_decision(&mut self, approval: &Approval, rule: &CsmRule) -> Result<()> {
        let approval_id = approval.approval_id.clone();
        let request_id = ids::derive("demo-decision", &[&approval_id]).to_string();
        let comment = rule.comment.clone();
        if rule.answer == CsmAnswer::Approve {
            let content_hash = approval.content_hash.clone();
            let request = ApproveOfferRequest {
                approval_id,
                content_hash,
                comment,
                request_id,
            };
            self.approvals
                .approve_offer(acting(request, &approval.approver_id)?)
                .await?;
        } else {
            let request = RejectOfferRequest {
                approval_id,
                comment,
                request_id,
            };
            self.approvals
                .reject_offer(acting(request, &approval.approver_id)?)
                .await?;
        }
        Ok(())
    }

    async fn answer(&mut self, offer: &Offer, now: Timestamp) -> Result<Option<Fact>> {
        let sent = instant(offer.send_time.as_ref()).context("a sent offer without a send time")?;
        let Some(rule) = self.case.reactions.customer(&offer.account_id, &motion(offer)) else {
            return Ok(None);
        };
        let due = sent + SignedDuration::from_hours(24 * i64::from(rule.after_days));
        if rule.answer == CustomerAnswer::Silent || now < due {
            return Ok(None);
        }
        self.check_delivery(offer)?;
        self.call_answer(offer, rule, due)
            .await
            .with_context(|| format!("offer {}", offer.offer_id))
    }

    /// Nobody answers words that never left.
    fn check_delivery(&self, offer: &Offer) -> Result<()> {
        let path = self.spool.join(channel(offer)).join(format!("{}.json", offer.touch_id));
        ensure!(
            path.is_file(),
            "offer {} counts as sent, but {} is missing",
            offer.offer_id,
            path.display()
        );
        Ok(())
    }

    async fn call_answer(&mut self, offer: &Offer, rule: &CustomerRule, due: Timestamp) -> Result<Option<Fact>> {
        let offer_id = offer.offer_id.clone();
        let request_id = ids::derive("demo-answer", &[&offer_id]).to_string();
        match (rule.answer, rule.through) {
            (CustomerAnswer::Accept, Way::Reply) => return Ok(Some(reply(offer, "+", due))),
            (CustomerAnswer::Accept, way) => {
                let actor = if way == Way::Csm { "csm" } else { "customer" };
                let request = acting(AcceptOfferRequest { offer_id, request_id }, actor)?;
                self.offers.accept_offer(request).await?;
            }
            (CustomerAnswer::Decline, _) => {
                let reason = Reason::Other.into();
                let comment = rule.words.clone();
                let request = DeclineOfferRequest {
                    offer_id,
                    reason,
                    comment,
                    request_id,
                };
                self.offers.decline_offer(request).await?;
            }
            (CustomerAnswer::Complain, _) if self.complained.insert(offer_id) => {
                return Ok(Some(reply(offer, &rule.words, due)));
            }
            (CustomerAnswer::Complain | CustomerAnswer::Silent, _) => {}
        }
        Ok(None)
    }
}

fn reply(offer: &Offer, text: &str, at: Timestamp) -> Fact {
    Fact {
        source: "inbox".to_owned(),
        external_id: format!("reply-{}", offer.offer_id),
        account_id: offer.account_id.clone(),
        occur_time: Some(to_instant(at)),
        supersedes_external_id: String::new(),
        body: Some(Body::Reply(Reply {
            offer_id: offer.offer_id.clone(),
            contact_id: offer.contact_id.clone(),
            channel: offer.channel,
            text: text.to_owned(),
        })),
    }
}

fn motion(offer: &Offer) -> String {
    word(offer.motion().as_str_name(), "MOTION")
}

fn channel(offer: &Offer) -> String {
    word(
        Channel::try_from(offer.channel).unwrap_or_default().as_str_name(),
        "CHANNEL",
    )
}

fn acting<T>(message: T, actor: &str) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(
        "x-upswell-actor",
        actor.parse().context("an actor that no header can carry")?,
    );
    Ok(request)
}
