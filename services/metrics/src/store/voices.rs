//! What the accounts said and reached: surveys, complaints, goals; and how long the first steps took.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use upswell_runtime::{
    db::{Tx, epoch_day, micros},
    problem::Problem,
};

use super::rows::{Target, select};
use crate::domain::{
    journey::{Voice, VoiceKind},
    loyalty::Heard,
    movement::MovementKind,
    window::Window,
};

const VOICES: Target = Target {
    table: "voices",
    key: &["fact_id"],
    columns: &[
        "account_id",
        "kind",
        "subject",
        "heard_at",
        "score",
        "reached_on",
        "superseded",
    ],
};

/// Writes what an account said.
pub async fn voice_upsert(tx: &Tx, voice: Voice) -> Result<(), Problem> {
    let Voice {
        fact_id,
        account_id,
        kind,
        subject,
        heard_at,
        score,
        reached_on,
        superseded,
    } = voice;
    let row = vec![
        fact_id.into(),
        account_id.into(),
        kind.number().into(),
        subject.into(),
        micros(heard_at).into(),
        score.into(),
        reached_on.map(epoch_day).into(),
        superseded.into(),
    ];
    VOICES.upsert(&**tx, &[row]).await
}

/// What each segment said in the window, and how many of its accounts paid in it.
pub async fn heard_fetch(
    connection: &impl ConnectionTrait,
    window: Window,
) -> Result<BTreeMap<String, Heard>, Problem> {
    let query = "SELECT COALESCE(a.segment, '') AS segment, v.kind AS kind, v.score AS score, COUNT(*) AS times \
                 FROM voices v LEFT JOIN accounts a ON a.account_id = v.account_id \
                 WHERE v.kind <> $5 AND v.heard_at >= $1 AND v.heard_at < $2 AND NOT v.superseded GROUP BY 1, 2, 3 \
                 UNION ALL SELECT COALESCE(p.segment, ''), 0, 0, COUNT(DISTINCT l.account_id) FROM mrr_levels l \
                 LEFT JOIN revenue_places p ON p.account_id = l.account_id WHERE l.to_on > $3 AND l.from_on < $4 GROUP BY 1";
    let values: [Value; 5] = [
        micros(window.start_time()).into(),
        micros(window.end_time()).into(),
        epoch_day(window.start()).into(),
        epoch_day(window.end()).into(),
        VoiceKind::Goal.number().into(),
    ];
    let rows: Vec<HeardRow> = select(connection, query, values).await?;
    let mut segments: BTreeMap<String, Heard> = BTreeMap::new();
    for row in rows {
        let heard = segments.entry(row.segment).or_insert_with(|| Heard::nothing(window));
        let times = u64::try_from(row.times).unwrap_or_default();
        match VoiceKind::from_number(row.kind) {
            Some(VoiceKind::Nps) => heard.add_nps(row.score.into(), times),
            Some(VoiceKind::Csat) => heard.add_csat(row.score.into(), times),
            Some(VoiceKind::Complaint) => heard.complaints += times,
            Some(VoiceKind::Unsubscribed) => heard.unsubscribes += times,
            Some(VoiceKind::Goal) => {}
            None => heard.accounts += times,
        }
    }
    Ok(segments)
}

#[derive(FromQueryResult)]
struct HeardRow {
    segment: String,
    kind: i32,
    score: i32,
    times: i64,
}

/// The first steps of an account, in days since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct FirstSteps {
    /// When it came: its sign-up where that is known, else its first MRR.
    pub came_on: i32,
    /// When it reached its first goal.
    pub reached_on: Option<i32>,
    /// When it first expanded.
    pub expanded_on: Option<i32>,
    /// When all of its MRR was gone; a far day while it is not, `None` when it never paid.
    pub gone_on: Option<i32>,
}

/// The first steps of the accounts that came in the window. Of the facts about a goal the latest one stands.
pub async fn first_step_list(connection: &impl ConnectionTrait, window: Window) -> Result<Vec<FirstSteps>, Problem> {
    let query = "SELECT c.came_on AS came_on, g.reached_on AS reached_on, e.expanded_on AS expanded_on, \
         c.gone_on AS gone_on FROM (SELECT a.account_id AS account_id, l.gone_on AS gone_on, \
         COALESCE(a.customer_since, l.first_on) AS came_on FROM accounts a LEFT JOIN ( \
         SELECT account_id, MIN(from_on) AS first_on, MAX(to_on) AS gone_on FROM mrr_levels GROUP BY account_id) l \
         ON l.account_id = a.account_id) c \
         LEFT JOIN (SELECT account_id, MIN(reached_on) AS reached_on FROM ( \
         SELECT account_id, reached_on, ROW_NUMBER() OVER (PARTITION BY account_id, subject \
         ORDER BY heard_at DESC, fact_id DESC) AS nth FROM voices WHERE kind = $3 AND NOT superseded) n \
         WHERE n.nth = 1 GROUP BY account_id) g ON g.account_id = c.account_id \
         LEFT JOIN (SELECT account_id, MIN(day) AS expanded_on FROM movements WHERE kind = $4 GROUP BY account_id) e \
         ON e.account_id = c.account_id WHERE c.came_on >= $1 AND c.came_on < $2 ORDER BY c.account_id";
    let values: [Value; 4] = [
        epoch_day(window.start()).into(),
        epoch_day(window.end()).into(),
        VoiceKind::Goal.number().into(),
        MovementKind::Expansion.number().into(),
    ];
    select(connection, query, values).await
}
