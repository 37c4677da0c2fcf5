//! What steps in the ledger are decided by: of every account its family, its standing and the touches that count, read
//! with one statement a kind however many accounts there are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upswell_runtime::problem::{Kind, Problem};
use uuid::Uuid;

use super::{LedgerCtx, check_time, unknown};
use crate::{
    domain::{
        ledger::{AccountCalendar, Judgement, Reserve, Row, Standing, Touch},
        vocabulary::Channel,
    },
    store::{
        Reads,
        ledger::{self as store, Family},
    },
};

/// The sheets of some accounts at one moment.
pub(super) struct Sheets {
    roots: BTreeMap<String, String>,
    sheets: BTreeMap<String, Sheet>,
    known: BTreeMap<Uuid, Touch>,
    opted_out: BTreeSet<(String, Channel)>,
}

/// Accounts that count together (I-3).
pub(super) struct Sheet {
    /// Their time, which never runs backwards.
    pub(super) now: Timestamp,
    /// None for an account that is not known.
    pub(super) standing: Option<Standing>,
    /// The touches that use their places.
    pub(super) touches: Vec<Touch>,
}

/// What is to be read besides the accounts.
#[derive(Default)]
pub(super) struct Wanted {
    /// Contacts that would be addressed, and how.
    pub(super) addressees: BTreeSet<(String, Channel)>,
    /// Touches, whatever their state.
    pub(super) touch_ids: Vec<Uuid>,
    /// Touches that may matter to an instant before now.
    pub(super) since: Option<Timestamp>,
}

/// What becomes of a command.
pub(super) enum Verdict {
    /// Its key was granted before: the touch as it stands.
    Known(Touch),
    /// A new touch.
    Granted(Touch),
    /// What stands against it.
    Refused(Judgement),
}

impl Wanted {
    /// What commands need.
    pub(super) fn by<'a>(commands: impl Iterator<Item = &'a Reserve>) -> Self {
        let mut wanted = Self::default();
        for command in commands {
            wanted.addressees.insert((command.contact_id.clone(), command.channel));
            wanted.touch_ids.push(command.touch_id());
        }
        wanted
    }
}

impl Sheets {
    /// Reads the sheets of these families.
    pub(super) async fn gather(
        db: &impl Reads,
        ctx: &LedgerCtx,
        families: BTreeMap<String, Family>,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let mut standings = store::standings_fetch(db, families.values(), ctx.holdout_epoch, now).await?;
        let opted_out = store::opted_out_list(db, &wanted.addressees).await?;
        let (mut roots, mut sheets) = (BTreeMap::new(), BTreeMap::new());
        let mut root_of: BTreeMap<String, String> = BTreeMap::new();
        let mut since = Timestamp::MAX;
        for (account_id, family) in families {
            roots.insert(account_id, family.root.clone());
            let standing = standings.remove(&family.root);
            let calendar = standing.as_ref().map(|standing| &standing.calendar);
            let utc = AccountCalendar::utc();
            let from = wanted.since.map_or(family.now, |since| since.min(family.now));
            since = since.min(ctx.policy.since(calendar.unwrap_or(&utc), from));
            root_of.extend(family.members.into_iter().map(|member| (member, family.root.clone())));
            sheets.entry(family.root).or_insert(Sheet {
                now: family.now,
                standing,
                touches: Vec::new(),
            });
        }
        let members: Vec<String> = root_of.keys().cloned().collect();
        let mut known = BTreeMap::new();
        for touch in store::touch_list_for(db, &members, since, &wanted.touch_ids).await? {
            if wanted.touch_ids.contains(&touch.id) {
                known.insert(touch.id, touch.clone());
            }
            let sheet = root_of.get(&touch.account_id).and_then(|root| sheets.get_mut(root));
            if let Some(sheet) = sheet.filter(|_| touch.state.counts()) {
                sheet.touches.push(touch);
            }
        }
        Ok(Self {
            roots,
            sheets,
            known,
            opted_out,
        })
    }

    /// The sheet of an account that was asked for.
    pub(super) fn of(&self, account_id: &str) -> Result<&Sheet, Problem> {
        let sheet = self.roots.get(account_id).and_then(|root| self.sheets.get(root));
        sheet.ok_or_else(|| Problem::internal("an account was not locked"))
    }

    /// The touch with this id, if there is one.
    pub(super) fn touch(&self, id: Uuid) -> Option<&Touch> {
        self.known.get(&id)
    }

    /// The account's standing towards an addressee. Errors: NOT_FOUND `ACCOUNT_NOT_FOUND`.
    pub(super) fn standing(&self, account_id: &str, addressee: Option<(&str, Channel)>) -> Result<Standing, Problem> {
        let found = self.of(account_id)?.standing.as_ref();
        let standing = found.ok_or_else(|| unknown(account_id))?;
        let opted_out =
            addressee.is_some_and(|(contact, channel)| self.opted_out.contains(&(contact.to_owned(), channel)));
        Ok(Standing {
            opted_out,
            ..standing.clone()
        })
    }

    /// What becomes of `command`; see [`super::reserve_in`] for the errors.
    pub(super) fn decide(&self, ctx: &LedgerCtx, command: &Reserve) -> Result<Verdict, Problem> {
        match self.touch(command.touch_id()) {
            Some(touch) if touch.content != command.content() => {
                let message = "idempotency_key: it was used before for another touch";
                let problem = Problem::new(Kind::InvalidArgument, "REQUEST_ID_REUSED", message);
                return Err(problem.with("touch_id", touch.id));
            }
            Some(touch) => return Ok(Verdict::Known(touch.clone())),
            None => {}
        }
        let sheet = self.of(&command.account_id)?;
        check_time(command.planned_at, &ctx.policy, sheet.now)?;
        let addressee = Some((command.contact_id.as_str(), command.channel));
        let standing = self.standing(&command.account_id, addressee)?;
        Ok(match command.decide(&ctx.policy, &standing, &sheet.rows(), sheet.now) {
            Ok(touch) => Verdict::Granted(touch),
            Err(refusal) => Verdict::Refused(refusal),
        })
    }

    /// Takes a granted touch among those that the next command is judged by.
    pub(super) fn add(&mut self, touch: &Touch) {
        self.known.insert(touch.id, touch.clone());
        let root = self.roots.get(&touch.account_id);
        if let Some(sheet) = root.and_then(|root| self.sheets.get_mut(root)) {
            sheet.touches.push(touch.clone());
        }
    }

    /// Frees the reservations whose time is over, and returns them.
    pub(super) fn expire(&mut self) -> Vec<Touch> {
        let mut all = Vec::new();
        for sheet in self.sheets.values_mut() {
            let now = sheet.now;
            let expired: Vec<Touch> = sheet.touches.iter().filter_map(|touch| touch.expire(now)).collect();
            sheet.touches.retain(|touch| !touch.is_over(now));
            for touch in &expired {
                if let Some(known) = self.known.get_mut(&touch.id) {
                    known.clone_from(touch);
                }
            }
            all.extend(expired);
        }
        all
    }
}

impl Sheet {
    /// The touches as the rules see them. A reservation whose time is over may not have been freed yet.
    pub(super) fn rows(&self) -> Vec<Row> {
        let standing = self.touches.iter().filter(|touch| !touch.is_over(self.now));
        standing.map(Touch::row).collect()
    }
}
