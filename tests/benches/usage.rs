//! What processes use, from /proc: it holds on a noisy machine where a rate does not.

use std::fs;

use serde::Serialize;

/// Clock ticks a second, which Linux has fixed for all programs.
const TICKS: f64 = 100.0;

/// CPU seconds since some point.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cpu {
    pub(crate) server: f64,
    pub(crate) database: f64,
    pub(crate) generator: f64,
}

/// Who is watched: the server's process and PostgreSQL's first; 0 for none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) server: u32,
    pub(crate) database: u32,
}

impl Watched {
    /// CPU seconds up to now.
    pub(crate) fn now(self) -> Cpu {
        let database: f64 = children(self.database).into_iter().map(own).sum();
        Cpu {
            server: own(self.server),
            database: database + own(self.database) + reaped(self.database),
            generator: own(std::process::id()),
        }
    }
}

impl Cpu {
    /// CPU seconds for a million operations, since `before`.
    pub(crate) fn per_million(self, before: Self, operations: u64) -> Self {
        let each = |now: f64, before: f64| (now - before) * 1e6 / operations.max(1) as f64;
        Self {
            server: each(self.server, before.server),
            database: each(self.database, before.database),
            generator: each(self.generator, before.generator),
        }
    }
}

/// Memory of a process in MiB: what it has now, and the most that it had.
pub(crate) fn memory_mib(pid: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib: Option<f64> = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        kib.unwrap_or_default() / 1024.0
    };
    (of("VmRSS"), of("VmHWM"))
}

/// The fields of a process behind its name, the first of which is its state.
fn fields(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    rest.split_whitespace().map(str::to_owned).collect()
}

fn seconds(pid: u32, places: [usize; 2]) -> f64 {
    let fields = fields(pid);
    let ticks = places.map(|place| {
        fields
            .get(place)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    });
    ticks.iter().sum::<f64>() / TICKS
}

fn own(pid: u32) -> f64 {
    if pid == 0 { 0.0 } else { seconds(pid, [11, 12]) }
}

/// Of the children that ended and were waited for.
fn reaped(pid: u32) -> f64 {
    if pid == 0 { 0.0 } else { seconds(pid, [13, 14]) }
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|child| pid != 0 && fields(*child).get(1).is_some_and(|parent| *parent == pid.to_string()))
        .collect()
}
