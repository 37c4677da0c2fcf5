//! The report for the people who answer for revenue: one HTML file with its charts inside, which opens without a
//! server; the same charts as SVG and PNG; the rows behind the figures as CSV and Parquet.
//!
//! Everything comes from the metrics service over gRPC; this module computes no figure, it only shows them.

mod charts;
mod collect;
mod export;
mod held;
mod page;
mod picture;
#[cfg(test)]
mod tests;

pub use self::{
    collect::{Report, collect},
    export::{Format, accounts, movements},
    page::render,
    picture::png,
};

use anyhow::Result;

/// The charts of a report as SVG, by file name without its ending.
///
/// # Errors
/// A chart cannot be drawn.
pub fn pictures(report: &Report) -> Result<Vec<(String, String)>> {
    let mut drawn = Vec::new();
    for metrics in &report.revenue {
        let name = format!("mrr-{}", metrics.currency_code.to_lowercase());
        drawn.push((name, charts::waterfall(metrics)?));
    }
    drawn.push(("weeks".to_owned(), charts::weeks(&report.weeks)?));
    drawn.push(("funnel".to_owned(), charts::funnel(&report.funnel)?));
    Ok(drawn)
}
