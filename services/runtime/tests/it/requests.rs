use upswell_proto::admin::v1::RequeueDeadLetterRequest;
use upswell_runtime::{
    db::Db,
    problem::{Kind, Problem},
    requests::{Replay, begin_request, begin_requests, fingerprint, finish_request, finish_requests},
    testing::TempDb,
};

use crate::world::{Migrator, start};

const ID: &str = "6f3c0d4e-5f0b-4b52-9a53-0f3a4a0a7a11";

fn print(content: &str) -> [u8; 32] {
    fingerprint(&RequeueDeadLetterRequest {
        event_id: content.into(),
        request_id: String::new(),
    })
}

async fn answer(db: &Db, method: &str, id: &str, content: &str, response: &[u8]) -> Result<Replay, Problem> {
    let print = print(content);
    let tx = db.begin().await?;
    let replay = begin_request(&tx, method, id, print).await?;
    if replay == Replay::New {
        finish_request(&tx, method, id, print, response, start()).await?;
    }
    tx.commit().await?;
    Ok(replay)
}

#[tokio::test]
async fn the_same_id_with_the_same_content_gives_the_stored_answer() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    assert_eq!(answer(&temp.db, "Do", ID, "x", b"first").await.unwrap(), Replay::New);
    let upper = ID.to_uppercase();
    for id in [ID, &upper] {
        assert_eq!(
            answer(&temp.db, "Do", id, "x", b"second").await.unwrap(),
            Replay::Stored(b"first".to_vec())
        );
    }
    assert_eq!(answer(&temp.db, "Other", ID, "x", b"third").await.unwrap(), Replay::New);
}

#[tokio::test]
async fn the_same_id_with_other_content_is_a_mistake() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    answer(&temp.db, "Do", ID, "x", b"first").await.unwrap();
    let problem = answer(&temp.db, "Do", ID, "y", b"second").await.unwrap_err();
    assert_eq!(
        (problem.kind(), problem.reason()),
        (Kind::InvalidArgument, "REQUEST_ID_REUSED")
    );
}

#[tokio::test]
async fn an_id_must_be_a_uuid() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    for id in ["", "x", "6f3c0d4e"] {
        let problem = answer(&temp.db, "Do", id, "x", b"").await.unwrap_err();
        assert_eq!(problem.violations()[0].field, "request_id");
    }
}

#[tokio::test]
async fn a_request_that_was_rolled_back_is_new_again() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let tx = temp.db.begin().await.unwrap();
    assert_eq!(begin_request(&tx, "Do", ID, [1; 32]).await.unwrap(), Replay::New);
    drop(tx);
    assert_eq!(answer(&temp.db, "Do", ID, "x", b"").await.unwrap(), Replay::New);
    let tx = temp.db.begin().await.unwrap();
    finish_request(&tx, "Never", ID, [1; 32], b"", start())
        .await
        .unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_at_once_one_does_the_work() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let calls = (0..16).map(|_| answer(&temp.db, "Do", ID, "x", b"first"));
    let replays = futures::future::join_all(calls).await;
    assert_eq!(
        replays
            .into_iter()
            .filter(|replay| *replay.as_ref().unwrap() == Replay::New)
            .count(),
        1
    );
}

#[tokio::test]
async fn many_requests_are_answered_as_one_by_one() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let ids: Vec<String> = (1..=4_u128)
        .map(|number| uuid::Uuid::from_u128(number).to_string())
        .collect();
    let [a, b, c, d] = [0, 1, 2, 3].map(|place: usize| ids[place].as_str());
    answer(&temp.db, "Do", a, "x", b"first").await.unwrap();
    answer(&temp.db, "Do", b, "x", b"second").await.unwrap();
    let same = print("x");
    let tx = temp.db.begin().await.unwrap();
    let asked = [(d, same), (b, [9; 32]), ("rubbish", same), (a, same), (c, same)];
    let begun = begin_requests(&tx, "Do", &asked).await.unwrap();
    let told: Vec<_> = begun
        .iter()
        .map(|begun| begun.as_ref().map_err(|problem| problem.reason().to_owned()))
        .collect();
    assert_eq!(told[0], Ok(&Replay::New));
    assert_eq!(told[1], Err("REQUEST_ID_REUSED".to_owned()));
    assert!(told[2].is_err());
    assert_eq!(told[3], Ok(&Replay::Stored(b"first".to_vec())));
    assert_eq!(told[4], Ok(&Replay::New));
    let answers = vec![((d, same), b"fourth".to_vec()), ((c, same), b"third".to_vec())];
    finish_requests(&tx, "Do", answers, start()).await.unwrap();
    tx.commit().await.unwrap();
    for (id, response) in [(c, b"third".as_slice()), (d, b"fourth")] {
        let replay = answer(&temp.db, "Do", id, "x", b"").await.unwrap();
        assert_eq!(replay, Replay::Stored(response.to_vec()));
    }
}
