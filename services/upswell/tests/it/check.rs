//! `check` against services that work by themselves.

use upswell_runtime::clock::Clock;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_is_seen_in_every_service_and_may_be_seen_again() {
    let world = World::with_clock(Clock::system()).await;
    for _ in 0..2 {
        let seen = world.json(&["check"]).await;
        let services: Vec<&str> = seen["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["service"].as_str().unwrap())
            .collect();
        for service in ["ingestion", "scoring", "offers", "renewals", "metrics"] {
            assert!(services.contains(&service), "{service} is missing: {seen}");
        }
    }
    let offers = world.json(&["offers"]).await;
    assert_eq!(offers["items"].as_array().unwrap().len(), 0, "nothing is offered to it");
    world.cluster.stop().await.unwrap();
}

/// On a clock that stands still nothing is ever scored, and facts of today may be facts of the future.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_happen_is_told_with_the_place_where_it_stopped() {
    let world = World::start().await;
    let ran = world.upswell(&["check", "--within", "1"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("the check came as far as ["), "{}", ran.err);
    world.cluster.stop().await.unwrap();
}
