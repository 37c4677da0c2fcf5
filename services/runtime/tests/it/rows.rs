//! Sets of rows in one statement.

use sea_orm::ConnectionTrait as _;
use upswell_runtime::{
    db::{Column, Rows},
    testing::TempDb,
};
use uuid::Uuid;

use crate::world::Migrator;

const COLUMNS: [(&str, Column); 6] = [
    ("id", Column::Uuid),
    ("name", Column::Text),
    ("content", Column::Bytes),
    ("flag", Column::Bool),
    ("day", Column::IntOrNull),
    ("total", Column::BigIntOrNull),
];

/// Name, content, flag, day and total.
type Thing = (String, Vec<u8>, bool, Option<i32>, Option<i64>);

fn id(number: i64) -> Uuid {
    Uuid::from_u128(u128::from(number.unsigned_abs()))
}

/// More rows than a statement takes arrive as they are, absent numbers as NULL, and what is there is not written again.
#[tokio::test]
async fn rows_arrive_as_they_are_however_many() {
    let temp = TempDb::open::<Migrator>().await.unwrap();
    let tx = temp.db.begin().await.unwrap();
    let create = "CREATE TABLE things (id uuid PRIMARY KEY, name text NOT NULL, content bytea NOT NULL, \
                  flag boolean NOT NULL, day integer, total bigint)";
    tx.execute_unprepared(create).await.unwrap();
    let rows = || {
        let mut rows = Rows::new(COLUMNS);
        for number in 0..2_500_i64 {
            rows.push([
                id(number).into(),
                format!("{{\"{number}\", \\ 'NULL' ₸").into(),
                vec![0, 255, (number % 256) as u8].into(),
                (number % 2 == 0).into(),
                (number % 3 == 0).then_some(-7_i32).into(),
                (number % 5 == 0).then_some(number).into(),
            ]);
        }
        rows
    };
    let tail = "ON CONFLICT (id) DO NOTHING";
    assert_eq!(rows().insert(&tx, "things", tail).await.unwrap(), 2_500);
    assert_eq!(rows().insert(&tx, "things", tail).await.unwrap(), 0);

    let mut wanted = Rows::new([("id", Column::Uuid)]);
    for number in [2, 15, 9_999] {
        wanted.push([id(number).into()]);
    }
    let select = |rows: &str| format!("SELECT t.* FROM {rows} JOIN things t ON t.id = r.id ORDER BY t.id");
    let found = wanted.read(&tx, select).await.unwrap();
    let read: Vec<Thing> = found
        .iter()
        .map(|row| {
            let [name, content, flag, day, total] = ["name", "content", "flag", "day", "total"];
            (
                row.try_get("", name).unwrap(),
                row.try_get("", content).unwrap(),
                row.try_get("", flag).unwrap(),
                row.try_get("", day).unwrap(),
                row.try_get("", total).unwrap(),
            )
        })
        .collect();
    let name = |number: i64| format!("{{\"{number}\", \\ 'NULL' ₸");
    assert_eq!(
        read,
        [
            (name(2), vec![0, 255, 2], true, None, None),
            (name(15), vec![0, 255, 15], false, Some(-7), Some(15)),
        ]
    );

    let none = Rows::new(COLUMNS);
    assert!(none.is_empty());
    assert_eq!(none.insert(&tx, "things", tail).await.unwrap(), 0);
}
