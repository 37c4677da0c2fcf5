//! The MRR of an account, day by day, out of the versions of its subscriptions.
//!
//! Changes of one day with one cause (an order, a seat change, a discount's end …) and currency are netted into one
//! movement (K-1). So a line that an order raised and another line that fell by itself on the same day stay apart, and
//! the money is attributed to the order in full. A line that ends on the day on which another begins is a migration and
//! nets out when both facts carry the order, or neither.
//! An account that begins to pay is new or reactivated by all that it gained that day; one that stops has churned by
//! all that it lost; whatever happens while it pays, in any currency, is expansion or contraction.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use upswell_runtime::money::{Currency, Money, MoneyFault};

use super::{
    movement::{Cause, Level, Movement, MovementKind},
    rules::{Reactivation, Rules},
    subscription::{Change, Version, changes},
};

/// Everything about the MRR of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Days with MRR, by currency and day, without overlap.
    pub levels: Vec<Level>,
    /// Movements by day, currency, kind, cause and order.
    pub movements: Vec<Movement>,
}

/// The timeline of the account whose versions these are, in any order, under the default rules. Errors: MRR beyond 64
/// bits.
pub fn timeline(versions: &[Version]) -> Result<Timeline, MoneyFault> {
    timeline_by(versions, Rules::default())
}

/// The timeline of the account whose versions these are, in any order. Errors: MRR beyond 64 bits.
pub fn timeline_by(versions: &[Version], rules: Rules) -> Result<Timeline, MoneyFault> {
    let mut days: BTreeMap<Date, Vec<Change<'_>>> = BTreeMap::new();
    for change in changes(versions, rules)? {
        days.entry(change.day).or_default().push(change);
    }
    let mut book = Book {
        rules,
        ..Book::default()
    };
    for (day, mut changes) in days {
        migrations(&mut changes);
        book.turn(day, &changes)?;
    }
    Ok(book.close())
}

/// Where one line ends and another begins on the same day, by themselves, the account has moved.
fn migrations(changes: &mut [Change<'_>]) {
    let has = |cause| {
        changes
            .iter()
            .any(|change| change.order_id.is_none() && change.cause == cause)
    };
    if has(Cause::Added) && has(Cause::Ended) {
        for change in changes.iter_mut().filter(|change| change.order_id.is_none()) {
            if matches!(change.cause, Cause::Added | Cause::Ended) {
                change.cause = Cause::Migration;
            }
        }
    }
}

/// The changes of a day with one currency and cause.
struct Part<'a> {
    delta: Money,
    version_ids: BTreeSet<&'a str>,
}

/// The account as the days are turned.
#[derive(Default)]
struct Book {
    rules: Rules,
    /// The running level of each currency with MRR.
    open: BTreeMap<Currency, Level>,
    has_paid: bool,
    closed: Vec<Level>,
    movements: Vec<Movement>,
}

impl Book {
    fn turn(&mut self, day: Date, changes: &[Change<'_>]) -> Result<(), MoneyFault> {
        let parts = parts(changes)?;
        let before = self.mrr();
        let mut after = before.clone();
        for ((currency, ..), part) in &parts {
            let level = after.entry(*currency).or_insert(Money::zero(*currency));
            *level = level.checked_add(part.delta)?;
        }
        let paid = !before.is_empty();
        let pays = after.values().any(|mrr| !mrr.is_zero());
        let mut moved: Vec<_> = parts
            .into_iter()
            .filter(|(_, part)| !part.delta.is_zero())
            .map(|((currency, cause, order_id), part)| {
                (currency, self.kind(paid, pays, part.delta), cause, order_id, part)
            })
            .collect();
        moved.sort_by_key(|(currency, kind, cause, order_id, _)| (*currency, *kind, *cause, *order_id));
        let mut running = before;
        for (currency, kind, cause, order_id, part) in moved {
            let mrr_after = running.entry(currency).or_insert(Money::zero(currency));
            *mrr_after = mrr_after.checked_add(part.delta)?;
            self.movements.push(Movement {
                day,
                kind,
                cause,
                amount: part.delta,
                mrr_after: *mrr_after,
                order_id: order_id.map(str::to_owned),
                version_ids: part.version_ids.into_iter().map(str::to_owned).collect(),
                earns_until: None,
            });
        }
        self.has_paid |= pays;
        self.levels_turn(day, after);
        Ok(())
    }

    fn mrr(&self) -> BTreeMap<Currency, Money> {
        self.open
            .iter()
            .map(|(currency, level)| (*currency, level.mrr))
            .collect()
    }

    fn kind(&self, paid: bool, pays: bool, delta: Money) -> MovementKind {
        match (paid, pays) {
            (false, _) if self.has_paid && self.rules.reactivation == Reactivation::Own => MovementKind::Reactivation,
            (false, _) => MovementKind::New,
            (true, false) => MovementKind::Churn,
            (true, true) if delta.is_negative() => MovementKind::Contraction,
            (true, true) => MovementKind::Expansion,
        }
    }

    fn levels_turn(&mut self, day: Date, after: BTreeMap<Currency, Money>) {
        for (currency, mrr) in after {
            if self.open.get(&currency).is_some_and(|level| level.mrr == mrr) {
                continue;
            }
            if let Some(level) = self.open.remove(&currency) {
                self.closed.push(Level { to: Some(day), ..level });
            }
            if !mrr.is_zero() {
                self.open.insert(
                    currency,
                    Level {
                        from: day,
                        to: None,
                        mrr,
                    },
                );
            }
        }
    }

    fn close(mut self) -> Timeline {
        self.closed.extend(self.open.into_values());
        self.closed.sort_by_key(|level| (level.mrr.currency, level.from));
        for movement in self
            .movements
            .iter_mut()
            .filter(|movement| !movement.amount.is_negative())
        {
            movement.earns_until = gone_after(&self.closed, movement);
        }
        Timeline {
            levels: self.closed,
            movements: self.movements,
        }
    }
}

/// What a part of a day's changes is netted by.
type PartKey<'a> = (Currency, Cause, Option<&'a str>);

fn parts<'a>(changes: &[Change<'a>]) -> Result<BTreeMap<PartKey<'a>, Part<'a>>, MoneyFault> {
    let mut parts: BTreeMap<_, Part<'a>> = BTreeMap::new();
    for change in changes {
        let currency = change.delta.currency;
        let part = parts
            .entry((currency, change.cause, change.order_id))
            .or_insert_with(|| Part {
                delta: Money::zero(currency),
                version_ids: BTreeSet::new(),
            });
        part.delta = part.delta.checked_add(change.delta)?;
        part.version_ids.insert(change.version_id);
    }
    Ok(parts)
}

/// The end of the unbroken run of levels in the movement's currency which holds its day.
fn gone_after(levels: &[Level], movement: &Movement) -> Option<Date> {
    let run = levels
        .iter()
        .filter(|level| level.mrr.currency == movement.amount.currency);
    let mut run = run
        .skip_while(|level| level.to.is_some_and(|to| to <= movement.day))
        .peekable();
    while let Some(level) = run.next() {
        if level.to.is_none() || run.peek().map(|next| next.from) != level.to {
            return level.to;
        }
    }
    None
}
