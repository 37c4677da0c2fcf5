//! What the limits must know of an account besides its touches, gathered from the local copies.

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use upswell_runtime::{db::from_micros, problem::Problem};

use crate::{
    domain::{
        ledger::{AccountCalendar, Standing, Suppressed},
        vocabulary::Channel,
    },
    store::{Reads, accounts, arms, copies, from_json, suppressions},
};

/// The standing of an account towards a touch to `contact_id` through `channel`; `None` for an unknown account.
pub async fn standing_fetch(
    db: &impl Reads,
    account_id: &str,
    holdout_epoch: i32,
    addressee: Option<(&str, Channel)>,
    now: Timestamp,
) -> Result<Option<Standing>, Problem> {
    let Some(account) = accounts::account_fetch(db, account_id).await? else {
        return Ok(None);
    };
    let time_zone = TimeZone::get(&account.time_zone).map_err(Problem::internal)?;
    let renewals = copies::renewal_dates(db, account_id).await?;
    let ids = [account_id.to_owned()];
    let arms = arms::arm_list_of(db, holdout_epoch, &ids).await?;
    let suppressed = suppressions::suppression_list_active(db, &ids, now)
        .await?
        .into_iter()
        .map(|found| Suppressed {
            reason: found.reason,
            until: found.expires_at.map(from_micros),
        });
    let opted_out = match addressee {
        Some((contact_id, channel)) if !contact_id.is_empty() => opted_out(db, contact_id, channel).await?,
        _ => false,
    };
    Ok(Some(Standing {
        calendar: AccountCalendar { time_zone, renewals },
        holdout: arms.iter().any(|arm| arm.holdout),
        suppressed: suppressed.collect(),
        opted_out,
    }))
}

/// C-10: the contact has addresses on the channel and agreed to none of them.
async fn opted_out(db: &impl Reads, contact_id: &str, channel: Channel) -> Result<bool, Problem> {
    #[derive(Deserialize)]
    struct Point {
        channel: Channel,
        consent: bool,
    }
    let Some(contact) = copies::contact_fetch(db, contact_id).await? else {
        return Ok(false);
    };
    let points: Vec<Point> = from_json(&contact.points)?;
    let mut on_channel = points.iter().filter(|point| point.channel == channel).peekable();
    Ok(on_channel.peek().is_some() && on_channel.all(|point| !point.consent))
}
