//! F24: approve, edit, expire and send at once. `UPSWELL_ROUNDS` says how often.

use std::collections::BTreeMap;

use futures::future::join_all;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use upswell_offers::{
    domain::{
        approval::{ApprovalState, content_hash},
        vocabulary::OfferState,
    },
    store::{entities::approval, offers::offer_list},
};
use upswell_proto::{offers::v1 as pb, scoring::v1::signal};

use super::{
    approvals::approve,
    world::{World, acting, at, request_id},
};

fn rounds() -> usize {
    let asked = std::env::var("UPSWELL_ROUNDS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(6)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c14_f24_approve_edit_expire_and_send_at_once() {
    let mut world = World::new().await;
    let (mut sent, mut not_sent) = (0, 0);
    for round in 0..rounds() {
        world.clock.set(at("2026-10-12T03:00:00Z"));
        world.account = format!("acme-{round}");
        world.known().await;
        world.profile(true, "csm-1").await;
        world.limit_signal(signal::State::Open).await;
        world.run_to("2026-10-12T05:00:00Z").await;
        let pending = pb::ListApprovalsRequest {
            states: vec![pb::approval::State::Pending.into()],
            ..Default::default()
        };
        let asked = world
            .approvals()
            .list_approvals(pending)
            .await
            .unwrap()
            .into_inner()
            .approvals
            .remove(0);
        // In some rounds the request is about to expire.
        let now = ["2026-10-12T06:00:00Z", "2026-10-14T05:00:00Z"][round % 2];
        world.clock.set(at(now));
        play(&world, &asked, round).await;
        // What nobody decided goes on to the next one, or is not sent.
        world.run_to("2026-10-16T05:00:00Z").await;
        let (went, stayed) = check(&world).await;
        (sent, not_sent) = (sent + went, not_sent + stayed);
    }
    assert_eq!(world.spool_count(), sent);
    assert!(sent + not_sent >= rounds());
    assert!(sent > 0 && not_sent > 0, "{sent} sent, {not_sent} not");
}

/// Everybody at once: two who approve, two who edit, the job that expires, the job that sends.
async fn play(world: &World, asked: &pb::Approval, round: usize) {
    let people = (0..4).map(|person| {
        let (offers, approvals, asked) = (world.offers(), world.approvals(), asked.clone());
        tokio::spawn(async move {
            let (mut offers, mut approvals) = (offers, approvals);
            if person < 2 {
                let request = pb::ApproveOfferRequest {
                    request_id: request_id(&format!("{round}/{person}")),
                    ..approve(&asked)
                };
                let actor = ["csm-1", "lead"][person];
                return drop(approvals.approve_offer(acting(request, actor)).await);
            }
            let request = pb::EditOfferRequest {
                offer_id: asked.offer_id,
                subject: "Other words".into(),
                body: format!("by {person}"),
                banner: None,
                etag: String::new(),
                request_id: request_id(&format!("{round}/{person}")),
            };
            drop(offers.edit_offer(acting(request, "csm-2")).await);
        })
    });
    let people: Vec<_> = people.collect();
    for _ in 0..3 {
        world.job("offers.send_due").await;
        world.job("offers.expire_approvals").await;
    }
    for person in join_all(people).await {
        person.unwrap();
    }
    // The lead says yes to whatever waits for the lead now.
    let pending = pb::ListApprovalsRequest {
        states: vec![pb::approval::State::Pending.into()],
        ..Default::default()
    };
    let waiting = world
        .approvals()
        .list_approvals(pending)
        .await
        .unwrap()
        .into_inner()
        .approvals;
    for (n, asked) in waiting.iter().enumerate().filter(|_| round.is_multiple_of(3)) {
        let request = pb::ApproveOfferRequest {
            request_id: request_id(&format!("{round}/late/{n}")),
            ..approve(asked)
        };
        drop(
            world
                .approvals()
                .approve_offer(acting(request, &asked.approver_id))
                .await,
        );
    }
    world.job("offers.send_due").await;
}

/// Every sent offer of the round's account has exactly one approval that was used, of exactly its content and for exactly its
/// touch; nothing else was sent. How many were sent, and how many not.
async fn check(world: &World) -> (usize, usize) {
    let reader = world.service.db.reader();
    let offers = offer_list(reader, &world.account, &[], None, 100).await.unwrap();
    let used = approval::Entity::find()
        .filter(approval::Column::AccountId.eq(world.account.as_str()))
        .filter(approval::Column::State.eq(ApprovalState::Consumed.as_str()));
    let mut used_by: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for approval in used.all(reader).await.unwrap() {
        assert_ne!(approval.decided_by, approval.author);
        used_by.entry(approval.offer_id).or_default().push(approval);
    }
    let (mut sent, mut not_sent) = (0, 0);
    for offer in &offers {
        let used = used_by.remove(&offer.id).unwrap_or_default();
        if offer.sent_at.is_none() {
            assert!(used.is_empty(), "{offer:#?}");
            not_sent += 1;
            continue;
        }
        assert!(
            matches!(offer.state, OfferState::Sent | OfferState::Expired),
            "{offer:#?}"
        );
        assert_eq!(used.len(), 1, "{offer:#?}");
        assert_eq!(used[0].content_hash, content_hash(offer));
        assert_eq!(used[0].consumed_by_touch, offer.touch_id);
        let touch = offer.touch_id.unwrap().to_string();
        assert!(world.spooled(offer.channel.as_str(), &touch).exists(), "{offer:#?}");
        sent += 1;
    }
    assert!(used_by.is_empty(), "{used_by:#?}");
    (sent, not_sent)
}
