//! What the limits must know of accounts besides their touches, gathered from the local copies: one statement, however
//! many accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use upswell_runtime::{
    db::{Column, Rows, from_epoch_day, from_micros, micros},
    problem::Problem,
};

use super::Family;
use crate::{
    domain::{
        ledger::{AccountCalendar, Hold, Standing, Suppressed},
        vocabulary::Channel,
    },
    store::{Reads, copies, from_json, padded},
};

/// One thing that is known of an account.
#[derive(FromQueryResult)]
struct Fact {
    kind: i32,
    account_id: String,
    words: String,
    number: i64,
    until_at: Option<i64>,
}

const ACCOUNT: i32 = 0;
const DEAL: i32 = 1;
const HELD_OUT: i32 = 2;
const SUPPRESSION: i32 = 3;
const HOLD: i32 = 4;

/// The standing of families at `now`, by root; unknown accounts are left out. What counts for one member counts for all:
/// the nearest renewal, any suppression, any hold, any holdout (I-3).
pub async fn standings_fetch<'a>(
    db: &impl Reads,
    families: impl IntoIterator<Item = &'a Family>,
    epoch: i32,
    now: Timestamp,
) -> Result<BTreeMap<String, Standing>, Problem> {
    let mut root_of: BTreeMap<&str, &str> = BTreeMap::new();
    for family in families {
        for member in family.members.iter().chain([&family.root]) {
            root_of.insert(member, &family.root);
        }
    }
    let facts = facts_fetch(db, root_of.keys().copied(), epoch, now).await?;
    let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.kind == ACCOUNT) {
        let is_root = root_of.get(fact.account_id.as_str()) == Some(&fact.account_id.as_str());
        if is_root {
            let time_zone = TimeZone::get(&fact.words).map_err(Problem::internal)?;
            let calendar = AccountCalendar {
                time_zone,
                renewals: Vec::new(),
            };
            standings.insert(fact.account_id.clone(), Standing::of(calendar));
        }
    }
    for fact in facts {
        let root = root_of.get(fact.account_id.as_str()).copied().unwrap_or_default();
        if let Some(standing) = standings.get_mut(root) {
            note(standing, fact);
        }
    }
    for standing in standings.values_mut() {
        standing.calendar.renewals.sort_unstable();
    }
    Ok(standings)
}

fn note(standing: &mut Standing, fact: Fact) {
    let until = fact.until_at.map(from_micros);
    match fact.kind {
        DEAL => {
            // The day was stored as an INTEGER.
            let day = i32::try_from(fact.number).unwrap_or(i32::MAX);
            standing.calendar.renewals.push(from_epoch_day(day));
        }
        HELD_OUT => standing.holdout = true,
        SUPPRESSION => standing.suppressed.push(Suppressed {
            reason: fact.words,
            until,
        }),
        HOLD => standing.holds.push(Hold {
            reason: fact.words,
            from: from_micros(fact.number),
            until: until.unwrap_or(Timestamp::MAX),
        }),
        _ => {}
    }
}

async fn facts_fetch<'a>(
    db: &impl Reads,
    ids: impl Iterator<Item = &'a str>,
    epoch: i32,
    now: Timestamp,
) -> Result<Vec<Fact>, Problem> {
    let columns = [
        ("account_id", Column::Text),
        ("epoch", Column::Int),
        ("now", Column::BigInt),
    ];
    let mut rows = Rows::new(columns);
    ids.for_each(|id| rows.push([id.into(), epoch.into(), micros(now).into()]));
    // A cross join is the order in which SQLite looks: the few accounts first.
    let select = |rows: &str| {
        format!(
            "WITH asked AS (SELECT account_id, epoch, now FROM {rows}) \
             SELECT 0 AS kind, t.account_id AS account_id, t.time_zone AS words, CAST(0 AS BIGINT) AS number, \
             CAST(NULL AS BIGINT) AS until_at \
             FROM asked a CROSS JOIN accounts t WHERE t.account_id = a.account_id \
             UNION ALL SELECT 1, t.account_id, '', CAST(t.renewal_on AS BIGINT), CAST(NULL AS BIGINT) \
             FROM asked a CROSS JOIN deals t WHERE t.account_id = a.account_id AND NOT t.closed \
             UNION ALL SELECT 2, t.account_id, '', CAST(0 AS BIGINT), CAST(NULL AS BIGINT) \
             FROM asked a CROSS JOIN holdout_arms t WHERE t.account_id = a.account_id AND t.epoch = a.epoch AND t.holdout \
             UNION ALL SELECT 3, t.account_id, t.reason, CAST(0 AS BIGINT), t.expires_at \
             FROM asked a CROSS JOIN suppressions t WHERE t.account_id = a.account_id AND t.lifted_at IS NULL \
             AND (t.expires_at IS NULL OR t.expires_at > a.now) \
             UNION ALL SELECT 4, t.account_id, t.reason, t.start_at, t.end_at \
             FROM asked a CROSS JOIN holds t WHERE t.account_id = a.account_id AND t.lifted_at IS NULL \
             AND t.end_at > a.now"
        )
    };
    let found = rows.select(db, select).await?;
    let facts: Result<Vec<Fact>, _> = found.iter().map(|row| Fact::from_query_result(row, "")).collect();
    Ok(facts?)
}

/// Those of these contacts and channels that may not be used (C-10): the contact has addresses on the channel and agreed
/// to none of them.
pub async fn opted_out_list(
    db: &impl Reads,
    addressees: &BTreeSet<(String, Channel)>,
) -> Result<BTreeSet<(String, Channel)>, Problem> {
    #[derive(Deserialize)]
    struct Point {
        channel: Channel,
        consent: bool,
    }
    let ids: BTreeSet<&str> = addressees
        .iter()
        .map(|(id, _)| id.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    let mut points: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for contact in copies::contacts_fetch(db, &padded(&ids)).await? {
        points.insert(contact.contact_id, from_json(&contact.points)?);
    }
    let refuses = |(id, channel): &&(String, Channel)| {
        let mut on_channel = points
            .get(id)
            .into_iter()
            .flatten()
            .filter(|point| point.channel == *channel)
            .peekable();
        on_channel.peek().is_some() && on_channel.all(|point| !point.consent)
    };
    Ok(addressees.iter().filter(refuses).cloned().collect())
}
