//! The results: one table for people, JSON for programs.

use std::{fs, path::Path};

use anyhow::Result;
use serde::Serialize;

use crate::{arrivals::Level, host::Host, usage::Cpu};

/// What a ratio, or a value without a limit, should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Told, not judged.
    None,
}

/// Repeated measurements.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(pub(crate) Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle one; of two, the lower.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
            .get(sorted.len().saturating_sub(1) / 2)
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// From the smallest to the largest, in percent of the median.
    fn spread(&self) -> f64 {
        let (low, high) = self.0.iter().fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        (high - low) / self.median() * 100.0
    }

    /// One by one over what was measured beside it; their median.
    fn over(&self, limit: &Self) -> f64 {
        let ratios = self.0.iter().zip(&limit.0).map(|(value, limit)| value / limit);
        Self(ratios.collect()).median()
    }
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    id: &'static str,
    path: String,
    value: Option<f64>,
    unit: &'static str,
    spread_percent: Option<f64>,
    limit: Option<String>,
    limit_value: Option<f64>,
    ratio: Option<f64>,
    target: String,
    met: Option<bool>,
    levels: Vec<Level>,
    cpu_seconds_per_million: Option<Cpu>,
    note: String,
}

impl Line {
    /// A measured path.
    pub(crate) fn of(id: &'static str, path: impl Into<String>, samples: &Samples, unit: &'static str) -> Self {
        Self {
            value: Some(samples.median()),
            spread_percent: Some(samples.spread()),
            ..Self::unmeasured(id, path, unit)
        }
    }

    /// A path that was not measured; the note says why.
    pub(crate) fn unmeasured(id: &'static str, path: impl Into<String>, unit: &'static str) -> Self {
        Self {
            id,
            path: path.into(),
            value: None,
            unit,
            spread_percent: None,
            limit: None,
            limit_value: None,
            ratio: None,
            target: String::new(),
            met: None,
            levels: Vec::new(),
            cpu_seconds_per_million: None,
            note: String::new(),
        }
    }

    /// Beside a limit that was measured in turn with it.
    pub(crate) fn beside(mut self, limit: &str, ours: &Samples, theirs: &Samples, target: Target) -> Self {
        let ratio = ours.over(theirs);
        self.limit = Some(limit.to_owned());
        self.limit_value = Some(theirs.median());
        self.ratio = Some(ratio);
        self.judge(ratio, target, "×")
    }

    /// The value itself is judged.
    pub(crate) fn judged(self, target: Target) -> Self {
        let (value, unit) = (self.value.unwrap_or(f64::NAN), self.unit);
        self.judge(value, target, unit)
    }

    pub(crate) fn levels(mut self, levels: Vec<Level>) -> Self {
        self.levels = levels;
        self
    }

    pub(crate) fn cpu(mut self, cpu: Cpu) -> Self {
        self.cpu_seconds_per_million = Some(cpu);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn judge(mut self, value: f64, target: Target, unit: &str) -> Self {
        (self.target, self.met) = match target {
            Target::AtLeast(least) => (format!("≥ {least} {unit}"), Some(value >= least)),
            Target::AtMost(most) => (format!("≤ {most} {unit}"), Some(value <= most)),
            Target::None => (String::new(), None),
        };
        self
    }

    fn cells(&self) -> [String; 7] {
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        let value = self.value.map_or("not measured".to_owned(), |value| {
            let spread = self.spread_percent.filter(|spread| *spread > 0.05);
            let spread = spread.map_or(String::new(), |spread| format!(" ±{:.0} %", spread / 2.0));
            format!("{} {}{spread}", short(value), self.unit)
        });
        let limit = self.limit.as_ref().zip(self.limit_value);
        [
            self.id.to_owned(),
            self.path.clone(),
            value,
            limit.map_or(String::new(), |(name, value)| format!("{name}: {}", short(value))),
            self.ratio.map_or(String::new(), |ratio| format!("{ratio:.3}")),
            self.target.clone(),
            met.to_owned(),
        ]
    }

    fn more(&self) -> Vec<String> {
        let mut more: Vec<String> = Vec::new();
        for level in &self.levels {
            let failed = if level.failed > 0 {
                format!(", {} failed", level.failed)
            } else {
                String::new()
            };
            more.push(format!(
                "at {} % ({} calls/s): p50 {:.1} ms, p99 {:.1} ms{failed}",
                level.percent,
                short(level.offered),
                level.p50_ms,
                level.p99_ms
            ));
        }
        if let Some(cpu) = self.cpu_seconds_per_million {
            more.push(format!(
                "CPU-s per million: server {:.1}, database {:.1}, generator {:.1}",
                cpu.server, cpu.database, cpu.generator
            ));
        }
        if !self.note.is_empty() {
            more.push(self.note.clone());
        }
        more
    }
}

/// All lines with what they were taken on.
#[derive(Debug, Serialize)]
pub(crate) struct Sheet {
    host: Host,
    lines: Vec<Line>,
}

impl Sheet {
    pub(crate) fn new(host: Host) -> Self {
        Self {
            host,
            lines: Vec::new(),
        }
    }

    /// Adds a line and tells it at once.
    pub(crate) fn add(&mut self, line: Line) {
        println!("{}", line.cells().join("  "));
        for more in line.more() {
            println!("      {more}");
        }
        self.lines.push(line);
    }

    pub(crate) fn heading(&self) -> String {
        let Host {
            quick,
            when,
            processor,
            cores,
            memory_gib,
            kernel,
            load,
            syncs,
            upswell,
            postgres,
        } = &self.host;
        let quick = if *quick {
            ", a quick look: figures mean little"
        } else {
            ""
        };
        format!(
            "{when}{quick}\n{processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}, load {load}, {syncs:.0} syncs/s\n\
             {upswell}; {postgres}\n"
        )
    }

    /// Markdown, as README.md takes it.
    pub(crate) fn table(&self) -> String {
        let head = [
            "#",
            "path",
            "measured",
            "limit in the same run",
            "ratio",
            "target",
            "met",
        ];
        let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
        for line in &self.lines {
            let mut cells = line.cells();
            if !line.more().is_empty() {
                cells[1] = format!("{}<br>{}", cells[1], line.more().join("<br>"));
            }
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        Ok(fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }
}

/// Three significant digits, thousands apart.
fn short(value: f64) -> String {
    if value.abs() < 1000.0 {
        let digits = if value.abs() >= 100.0 {
            0
        } else if value.abs() >= 1.0 {
            1
        } else {
            4
        };
        return format!("{value:.digits$}");
    }
    let whole = format!("{value:.0}");
    let groups: Vec<&str> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}
