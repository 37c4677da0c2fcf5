//! X4: ten times what the service can do, from callers who do not wait; then normal load again.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::facts::Intake;
use crate::{
    Bench,
    arrivals::{Outcome, closed, open, open_watched},
    facts::Mix,
    sheet::{Line, Samples, Target},
};

/// Facts of a request: large enough that the generator can bring ten times as many as are taken.
const FACTS: u64 = 100;
const CALLERS: usize = 64;
/// Normal load, of the peak.
const NORMAL: f64 = 0.5;

pub(super) async fn run(bench: &mut Bench) -> Result<()> {
    let intake = Intake::start().await?;
    let record = intake.record(FACTS, Mix::Scattered);
    closed(CALLERS, bench.options.span(), &record).await;
    let peak = closed(CALLERS, bench.options.span() * 2, &record).await;
    let normal = open(peak.calls() * NORMAL, bench.options.span() * 2, &record).await;
    let span = Duration::from_secs(bench.options.size(60, 5));
    let crowd = open(peak.calls() * 10.0, span, &record).await;
    ensure!(crowd.answered > 0, "nothing is answered under overload");

    // Whole seconds after the overload until one in which nobody waits longer than three times the normal.
    let limit = normal.quantile_ms(0.99) * 3.0;
    let mut slowest: Vec<f64> = Vec::new();
    let mut each = |second: f64, outcome: Outcome, took: Duration| {
        let second = second as usize;
        slowest.resize(slowest.len().max(second + 1), 0.0);
        let took = if matches!(outcome, Outcome::Done(_)) {
            took.as_secs_f64() * 1e3
        } else {
            f64::INFINITY
        };
        slowest[second] = slowest[second].max(took);
    };
    open_watched(
        peak.calls() * NORMAL,
        Duration::from_secs(bench.options.size(15, 3)),
        &record,
        &mut each,
    )
    .await;
    let recovered = slowest
        .iter()
        .position(|slowest| *slowest <= limit)
        .map_or(f64::INFINITY, |second| second as f64);

    let one = |value: f64| Samples(vec![value]);
    let (goodput, at_peak) = (
        one(crowd.units as f64 / span.as_secs_f64().max(crowd.seconds)),
        one(peak.rate()),
    );
    let line = Line::of(
        "X4",
        format!("answered facts at 10 × the peak, {} s", span.as_secs()),
        &goodput,
        "facts/s",
    );
    let line = line.beside("peak", &goodput, &at_peak, Target::AtLeast(0.7));
    bench.sheet.add(line.note(format!(
        "{} calls answered, {} refused at once, {} failed; {}",
        crowd.answered,
        crowd.refused,
        crowd.failed,
        intake.check().await?
    )));
    let (p99, usual) = (one(crowd.quantile_ms(0.99)), one(normal.quantile_ms(0.99)));
    let line = Line::of("X4", "p99 of what was answered meanwhile", &p99, "ms");
    bench
        .sheet
        .add(line.beside("p99 at half load", &p99, &usual, Target::AtMost(2.0)));
    let line = Line::of(
        "X4",
        "from the end of the overload to normal answers",
        &one(recovered),
        "s",
    );
    bench.sheet.add(
        line.judged(Target::AtMost(10.0))
            .note(format!("the first second without an answer above {limit:.0} ms")),
    );
    Ok(())
}
