//! The rows of the table, in the order of performance.md.

mod embedded;
mod events;
mod facts;
mod facts_limits;
mod kept_facts;
mod ledger;
mod ledger_limits;
mod overload;
mod reaction;
mod revenue;
mod revenue_seed;
mod scores;
mod stack;
mod start;
mod training;

use anyhow::Result;

use crate::{Bench, sheet::Line};

/// Measures what is asked for. A group of rows that cannot be measured is told with the reason, and the others go on.
pub(crate) async fn run(bench: &mut Bench) {
    group(bench, &["I1", "I2", "I3", "I5", "X1"], facts::run).await;
    group(bench, &["I4"], embedded::run).await;
    group(bench, &["I6", "G0"], kept_facts::run).await;
    group(bench, &["E1"], events::run).await;
    group(bench, &["E2"], reaction::run).await;
    group(bench, &["S1", "S2"], scores::run).await;
    group(bench, &["S3"], training::run).await;
    group(bench, &["D1", "D2", "D3"], ledger::run).await;
    group(bench, &["M1", "M2", "M3"], revenue::run).await;
    group(bench, &["G1"], stack::run).await;
    group(bench, &["X3"], start::run).await;
    group(bench, &["X4"], overload::run).await;
}

async fn group(bench: &mut Bench, ids: &[&'static str], rows: impl AsyncFnOnce(&mut Bench) -> Result<()>) {
    let wanted: Vec<&'static str> = ids.iter().copied().filter(|id| bench.options.wants(id)).collect();
    if wanted.is_empty() {
        return;
    }
    if let Err(fault) = rows(bench).await {
        let line = Line::unmeasured(ids[0], format!("{} and what follows", wanted.join(", ")), "");
        bench.sheet.add(line.note(format!("{fault:#}")));
    }
}
