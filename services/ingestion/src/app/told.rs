//! What new facts do to documents, rollups and segments, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upswell_runtime::{db::Tx, problem::Problem};

use crate::{
    api::convert::decode,
    domain::{
        change::{Batch, Change, changes},
        correction::Correction,
        fact::{Fact, FactKey},
        merge::Roots,
        rollup::{Cell, Tally, fold},
        standing::{Document, object_of},
        words::Kind,
    },
    store::{
        account::profiles_write,
        correction::{corrections_fetch, corrections_insert},
        document::{NewDocument, documents_fetch, documents_insert, documents_revoke},
        fact::{counts_fetch, facts_fetch},
        rollup::{Write, rollups_span, rollups_write},
    },
};

/// New facts that count or not, and older ones that count no longer.
pub(super) struct Effects<'a> {
    new: &'a [(i64, &'a Fact)],
    /// Keys of the new facts that came after their correction.
    stillborn: BTreeSet<FactKey>,
    revoked: Vec<(i64, Document)>,
    roots: Roots,
}

impl<'a> Effects<'a> {
    /// Reads what the new facts correct, and what corrects them. Their own corrections are on record by now.
    pub(super) async fn gather(
        tx: &Tx,
        new: &'a [(i64, &'a Fact)],
        made: &BTreeSet<Correction>,
        roots: Roots,
    ) -> Result<Self, Problem> {
        let new_keys: BTreeSet<FactKey> = new.iter().map(|(_, fact)| fact.key()).collect();
        let targets: BTreeSet<FactKey> = made
            .iter()
            .map(|correction| correction.corrected.clone())
            .filter(|key| !new_keys.contains(key))
            .collect();
        let asked: Vec<FactKey> = new_keys.iter().chain(&targets).cloned().collect();
        let corrections = corrections_fetch(&**tx, &asked).await?;
        let stillborn = new
            .iter()
            .filter(|(_, fact)| !corrections.counts(fact))
            .map(|(_, fact)| fact.key())
            .collect();
        let mut revoked = Vec::new();
        for stored in facts_fetch(tx, &targets.into_iter().collect::<Vec<_>>()).await? {
            let fact = decode(&stored.payload)?;
            if corrections.revoked_by(&fact, made) {
                revoked.push((
                    stored.id,
                    Document {
                        fact,
                        recorded: stored.recorded,
                    },
                ));
            }
        }
        Ok(Self {
            new,
            stillborn,
            revoked,
            roots,
        })
    }

    fn counting(&self) -> impl Iterator<Item = (i64, &'a Fact)> {
        self.new
            .iter()
            .copied()
            .filter(|(_, fact)| !self.stillborn.contains(&fact.key()))
    }

    /// Writes documents and rollups.
    pub(super) async fn write(&self, tx: &Tx, now: Timestamp) -> Result<(), Problem> {
        let documents = self.new.iter().filter(|(_, fact)| !fact.body.kind().is_series());
        let documents: Vec<_> = documents
            .map(|(id, fact)| NewDocument {
                fact_id: *id,
                account_id: &fact.account_id,
                kind: fact.body.kind(),
                object_id: fact.body.name(),
                counts: !self.stillborn.contains(&fact.key()),
            })
            .collect();
        documents_insert(tx, &documents).await?;
        let revoked = self
            .revoked
            .iter()
            .filter(|(_, document)| !document.fact.body.kind().is_series());
        documents_revoke(tx, &revoked.map(|(id, _)| *id).collect::<Vec<_>>()).await?;

        let again: BTreeSet<Cell> = self
            .revoked
            .iter()
            .filter_map(|(_, document)| cell(&document.fact))
            .collect();
        let added = self
            .counting()
            .filter_map(|(_, fact)| tally(fact, now))
            .filter(|(cell, _)| !again.contains(cell));
        rollups_write(tx, &fold(added), Write::Add).await?;
        fold_again(tx, again, now).await
    }

    /// What other services are told, by account. Lists follow the profiles that stand.
    pub(super) async fn changes(&self, tx: &Tx, now: Timestamp) -> Result<BTreeMap<String, Vec<Change>>, Problem> {
        let batch = Batch {
            new: self.new.iter().map(|(_, fact)| *fact).collect(),
            counting: self.counting().map(|(_, fact)| fact).collect(),
            revoked: self.revoked.iter().map(|(_, document)| &document.fact).collect(),
        };
        let told = changes(&batch, &self.documents(tx, &batch).await?, &self.roots);
        let profiles = told.iter().filter_map(|(account_id, changes)| {
            changes.iter().find_map(|change| match change {
                Change::Profile(profile) => Some((account_id.as_str(), profile)),
                _ => None,
            })
        });
        profiles_write(tx, &profiles.collect(), now).await?;
        Ok(told)
    }

    /// The documents about the objects that the batch touches: counting now, or until now.
    async fn documents(&self, tx: &Tx, batch: &Batch<'_>) -> Result<Vec<Document>, Problem> {
        const TOLD: [Kind; 3] = [Kind::AccountProfile, Kind::ContactProfile, Kind::Ticket];
        let (mut accounts, mut objects) = (BTreeSet::new(), BTreeSet::new());
        for fact in batch.counting.iter().chain(&batch.revoked) {
            if let Some((_, object)) = object_of(&fact.body).filter(|(kind, _)| TOLD.contains(kind)) {
                accounts.insert(self.roots.root(&fact.account_id));
                objects.insert(object);
            }
        }
        let accounts = self.roots.with_parts(&accounts.into_iter().collect::<Vec<_>>());
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        let mut documents = Vec::new();
        for (payload, recorded) in documents_fetch(&**tx, &accounts, &TOLD, Some(&objects)).await? {
            documents.push(Document {
                fact: decode(&payload)?,
                recorded,
            });
        }
        documents.extend(self.revoked.iter().map(|(_, document)| document.clone()));
        Ok(documents)
    }
}

/// Notes the corrections that new facts make, and what follows from them; those that are new.
pub(super) async fn corrections_note(tx: &Tx, new: &[(i64, &Fact)]) -> Result<BTreeSet<Correction>, Problem> {
    let mut made = BTreeSet::new();
    let mut next: Vec<Correction> = new.iter().filter_map(|(_, fact)| Correction::of(fact)).collect();
    while !next.is_empty() {
        let inserted = corrections_insert(tx, &next).await?;
        let corrected: BTreeSet<FactKey> = inserted.iter().map(|one| one.corrected.clone()).collect();
        let around = corrections_fetch(&**tx, &corrected.into_iter().collect::<Vec<_>>()).await?;
        next = around.rivals(&inserted).into_iter().collect();
        made.extend(inserted);
    }
    Ok(made)
}

fn cell(fact: &Fact) -> Option<Cell> {
    let (day, _) = fact.body.count()?;
    let (account_id, name) = (fact.account_id.clone(), fact.body.name().to_owned());
    Some(Cell {
        account_id,
        kind: fact.body.kind(),
        name,
        day,
    })
}

fn tally(fact: &Fact, now: Timestamp) -> Option<(Cell, Tally)> {
    let (_, count) = fact.body.count()?;
    cell(fact).map(|cell| (cell, Tally::of(count, now)))
}

/// Folds days again from their facts, because a largest value cannot be taken back. The rollups say between which
/// instants their facts were recorded, which bounds the scan.
async fn fold_again(tx: &Tx, cells: BTreeSet<Cell>, now: Timestamp) -> Result<(), Problem> {
    let cells: Vec<Cell> = cells.into_iter().collect();
    let Some((first, last)) = rollups_span(tx, &cells).await? else {
        return Ok(());
    };
    let counts = counts_fetch(tx, &cells, (first.min(now), last.max(now))).await?;
    let mut tallies = fold(counts.into_values());
    for cell in cells {
        tallies.entry(cell).or_insert_with(|| Tally::nothing(now));
    }
    rollups_write(tx, &tallies, Write::Replace).await
}
