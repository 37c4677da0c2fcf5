//! What the figures were taken on.

use std::{env, fs, io::Write as _, process::Command, time::Instant};

use anyhow::Result;
use serde::Serialize;
use upswell_runtime::clock::Clock;

/// Syncs that are tried.
const SYNCS: u32 = 200;

/// The machine and the programs.
#[derive(Debug, Serialize)]
pub(crate) struct Host {
    pub(crate) quick: bool,
    pub(crate) when: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    /// Load of the last minute when the run began; above the number of cores others were at work.
    pub(crate) load: f64,
    /// Writes of one page a second, each synced.
    pub(crate) syncs: f64,
    pub(crate) upswell: String,
    pub(crate) postgres: String,
}

/// Looks at the machine.
pub(crate) fn describe(quick: bool) -> Result<Host> {
    Ok(Host {
        quick,
        when: Clock::system().now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        processor: line("/proc/cpuinfo", "model name"),
        cores: std::thread::available_parallelism()?.get(),
        memory_gib: (first_number(&line("/proc/meminfo", "MemTotal")) / 1_048_576.0).round(),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        load: first_number(&fs::read_to_string("/proc/loadavg")?),
        syncs: syncs()?,
        upswell: version(&upswell_tests::binary().display().to_string()),
        postgres: version("psql"),
    })
}

fn line(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line
        .and_then(|line| line.split_once(':'))
        .map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

fn first_number(text: &str) -> f64 {
    let first = text.split_whitespace().next();
    first.and_then(|word| word.parse().ok()).unwrap_or_default()
}

fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn syncs() -> Result<f64> {
    let mut file = tempfile::NamedTempFile::new_in(env::temp_dir())?;
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096])?;
        file.as_file().sync_data()?;
    }
    Ok(f64::from(SYNCS) / begun.elapsed().as_secs_f64())
}
