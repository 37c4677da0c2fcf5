//! An account's calendar, and holds in it (C-17).

use jiff::{SignedDuration, Timestamp};
use upswell_runtime::{
    db::{Tx, from_epoch_day, from_micros, micros},
    ids,
    problem::Problem,
};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{
        calendar::Entry,
        ledger::{Hold, Suppressed},
    },
    error::OfferError,
    store::{accounts, copies, entities::hold, holds, ledger, pictures::zone, suppressions},
};

/// A range of a calendar, and a hold, are at most so long.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 400);
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// A hold that somebody asks for.
pub(crate) struct HoldAsked {
    pub(crate) account_id: String,
    pub(crate) reason: String,
    pub(crate) author: String,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Timestamp,
}

impl App {
    /// Everything in the account's calendar from `start` (30 days ago by default) to `end` (120 days later), by its
    /// beginning; of merged accounts together.
    pub(crate) async fn calendar(
        &self,
        account_id: &str,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Result<Vec<Entry>, OfferError> {
        let now = self.clock.now();
        let start = start.unwrap_or_else(|| earlier(now, 30));
        let end = end.unwrap_or_else(|| {
            start
                .saturating_add(SignedDuration::from_hours(24 * 120))
                .unwrap_or(start)
        });
        if end <= start || end.duration_since(start) > LONGEST {
            return Err(Problem::invalid_field("end_time", "must be after start_time, by at most 400 days").into());
        }
        let reader = self.db.reader();
        let account = accounts::account_fetch(reader, account_id).await?;
        let account = account.ok_or_else(|| OfferError::AccountNotFound(account_id.to_owned()))?;
        let family = self.family(reader, account_id).await?;
        let time_zone = zone(&account.time_zone);
        let mut entries = Vec::new();
        for touch in ledger::touch_list_for(reader, &family, start, &[]).await? {
            if !touch.is_over(now) {
                entries.push(Entry::touch(&touch));
            }
        }
        for deal in copies::deal_list_open(reader, &family).await? {
            let renewal = from_epoch_day(deal.renewal_on);
            entries.extend(Entry::renewal(&deal.deal_id, &deal.account_id, renewal, &time_zone));
        }
        for row in holds::hold_list(reader, &family, start).await? {
            let id = row.hold_id.to_string();
            let hold = Hold {
                reason: row.reason,
                from: from_micros(row.start_at),
                until: from_micros(row.end_at),
            };
            entries.push(Entry::hold(id, row.account_id, hold));
        }
        for row in suppressions::suppression_list_active(reader, &family, now).await? {
            let (id, from) = (row.suppression_id.to_string(), from_micros(row.created_at));
            let suppressed = Suppressed {
                reason: row.reason,
                until: row.expires_at.map(from_micros),
            };
            entries.push(Entry::suppression(id, row.account_id, from, suppressed));
        }
        entries.retain(|entry| entry.within(start, end));
        entries.sort_by(|a, b| a.key().cmp(&b.key()));
        Ok(entries)
    }

    /// Places a hold. What has its place already waits when it would be sent.
    pub(crate) async fn hold(&self, tx: &Tx, request_id: &str, asked: HoldAsked) -> Result<hold::Model, OfferError> {
        let now = self.clock.now();
        let start = asked.start.unwrap_or(now);
        if asked.end <= start.max(now) || asked.end.duration_since(start) > LONGEST_HOLD {
            let fault = "must be in the future and after start_time, by at most 366 days";
            return Err(Problem::invalid_field("end_time", fault).into());
        }
        if !accounts::account_lock(tx, &asked.account_id).await? {
            return Err(OfferError::AccountNotFound(asked.account_id));
        }
        let row = hold::Model {
            hold_id: ids::derive("hold", &[&asked.account_id, request_id]),
            account_id: asked.account_id,
            reason: asked.reason,
            author: asked.author,
            created_at: micros(now),
            start_at: micros(start),
            end_at: micros(asked.end),
            lifted_at: None,
        };
        holds::hold_save(tx, row.clone()).await?;
        Ok(row)
    }

    /// Ends a hold. Ending it again changes nothing.
    pub(crate) async fn lift_hold(&self, tx: &Tx, id: Uuid) -> Result<hold::Model, OfferError> {
        let found = holds::hold_fetch(&**tx, id).await?;
        let mut row = found.ok_or_else(|| OfferError::HoldNotFound(id.to_string()))?;
        if row.lifted_at.is_none() {
            row.lifted_at = Some(micros(self.clock.now()));
            holds::hold_save(tx, row.clone()).await?;
        }
        Ok(row)
    }
}

fn earlier(at: Timestamp, days: i64) -> Timestamp {
    at.saturating_sub(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::MIN)
}
