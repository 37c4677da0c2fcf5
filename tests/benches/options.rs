//! `cargo bench -p upswell-tests -- [--quick] [--out FILE] [ROW…]`.

use std::{env, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};

/// What was asked for.
pub(crate) struct Options {
    /// A look at whether everything runs: short, once, small. Its figures mean little.
    pub(crate) quick: bool,
    /// Where the JSON goes.
    pub(crate) out: PathBuf,
    rows: Vec<String>,
}

impl Options {
    /// None without `--bench`, which cargo gives to benchmarks and not to tests.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let (mut asked, mut quick, mut rows) = (false, false, Vec::new());
        let mut out = env::current_exe()?
            .ancestors()
            .nth(3)
            .context("a benchmark lies in target/<profile>/deps")?
            .join("benches.json");
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => asked = true,
                "--quick" => quick = true,
                "--out" => out = arguments.next().context("--out needs a file")?.into(),
                other if other.starts_with('-') => bail!("{other} is not known; see tests/benches/README.md"),
                row => rows.push(row.to_uppercase()),
            }
        }
        Ok(asked.then_some(Self { quick, out, rows }))
    }

    /// Whether a row is asked for: by its id or the beginning of it; all are, when none is named.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|row| id.starts_with(row.as_str()))
    }

    /// How often each measurement is repeated.
    pub(crate) fn repetitions(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// How long one measurement takes.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 2_500 })
    }

    /// `whole`, or `part` of it for a quick look.
    pub(crate) fn size(&self, whole: u64, quick: u64) -> u64 {
        if self.quick { quick } else { whole }
    }

    /// A size that somebody may ask for by the environment, because the default keeps the run short.
    pub(crate) fn asked(&self, variable: &str, whole: u64, quick: u64) -> u64 {
        let asked = env::var(variable).ok().and_then(|text| text.parse().ok());
        asked.unwrap_or_else(|| self.size(whole, quick))
    }
}
