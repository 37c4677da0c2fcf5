//! The files of models: tables in, models and predictions out.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use upswell_scoring::domain::model::table::{Asked, Reading, Table, Taught};

/// The format of the file; a reader refuses what it does not know.
const FORMAT: u32 = 2;

/// A model with how its table is read.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ModelFile {
    upswell_model: u32,
    pub(super) reading: Reading,
    pub(super) taught: Taught,
}

impl ModelFile {
    pub(super) fn new(reading: Reading, taught: Taught) -> Self {
        Self {
            upswell_model: FORMAT,
            reading,
            taught,
        }
    }

    /// The model that fits the table at `path`, with its features. Errors: columns that are missing.
    pub(super) fn asked(&self, table: &Table, path: &Path) -> Result<Asked<'_>> {
        let asked = self
            .taught
            .asked(&self.reading, table)
            .with_context(|| path.display().to_string())?;
        if asked.is_without_past {
            eprintln!(
                "{}: earlier rows of the accounts are not in it, so the model of rows alone answers",
                path.display()
            );
        }
        Ok(asked)
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let content: serde_json::Value =
            serde_json::from_reader(BufReader::new(file)).with_context(|| no_model(path))?;
        if let Some(format) = content["upswell_model"]
            .as_u64()
            .filter(|format| *format != u64::from(FORMAT))
        {
            bail!("{} has format {format}, this program reads {FORMAT}", path.display());
        }
        let model: Self = serde_json::from_value(content).with_context(|| no_model(path))?;
        if let Err(fault) = model.taught.check() {
            bail!("{}: {fault}", path.display());
        }
        Ok(model)
    }

    /// Writes a neighbour first, so that a broken run leaves no half of a model.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let half = path.with_extension("part");
        let file = File::create(&half).with_context(|| format!("writing {}", half.display()))?;
        let mut file = BufWriter::new(file);
        serde_json::to_writer(&mut file, self)?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(&half, path).with_context(|| format!("writing {}", path.display()))
    }
}

fn no_model(path: &Path) -> String {
    format!("{} is no model that `upswell model train` wrote", path.display())
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"))
}

/// Reads a table: `,`, `;` or tab between cells, whichever the header has most of.
pub(super) fn table(path: &Path) -> Result<Table> {
    let name = || format!("reading {}", path.display());
    let file = BufReader::new(File::open(path).with_context(name)?);
    let mut bytes = Vec::new();
    if is_packed(path) {
        MultiGzDecoder::new(file).read_to_end(&mut bytes).with_context(name)?;
    } else {
        { file }.read_to_end(&mut bytes).with_context(name)?;
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: &u8| header.iter().filter(|byte| *byte == separator).count();
    let separator = [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text);
    let header: Vec<String> = reader
        .headers()
        .with_context(name)?
        .iter()
        .map(|cell| cell.trim().to_owned())
        .collect();
    if header.iter().all(String::is_empty) {
        bail!("{} has no header", path.display());
    }
    let header = named(header).with_context(|| path.display().to_string())?;
    let mut columns = vec![Vec::new(); header.len()];
    let mut row = csv::ByteRecord::new();
    while reader.read_byte_record(&mut row).with_context(name)? {
        for (column, cell) in columns.iter_mut().zip(row.iter()) {
            // A cell that is not UTF-8 is kept as well as it can be: it may be a name that nobody needs.
            column.push(String::from_utf8_lossy(cell).trim().to_owned());
        }
    }
    if columns.first().is_none_or(Vec::is_empty) {
        bail!("{} has a header and no rows", path.display());
    }
    Ok(Table { header, columns })
}

/// The header with a name for every column: a table that a program wrote with its row numbers has none above them.
/// Errors: a name that stands twice, for nobody can tell which is meant.
fn named(header: Vec<String>) -> Result<Vec<String>> {
    let mut known = BTreeSet::new();
    let names = header.iter().map(String::as_str);
    let twice: Vec<&str> = names.filter(|name| !name.is_empty() && !known.insert(*name)).collect();
    if !twice.is_empty() {
        bail!("the header names {} more than once", twice.join(", "));
    }
    let name = |(index, name): (usize, String)| match name.as_str() {
        "" => format!("column {}", index + 1),
        _ => name,
    };
    Ok(header.into_iter().enumerate().map(name).collect())
}

/// Writes `id,probability`.
pub(super) fn write_predictions(path: &Path, ids: &[String], probabilities: &[f64]) -> Result<()> {
    let name = || format!("writing {}", path.display());
    let file = BufWriter::new(File::create(path).with_context(name)?);
    let file: Box<dyn Write> = if is_packed(path) {
        Box::new(GzEncoder::new(file, Compression::default()))
    } else {
        Box::new(file)
    };
    let mut out = csv::Writer::from_writer(file);
    out.write_record(["id", "probability"])?;
    for (id, probability) in ids.iter().zip(probabilities) {
        out.write_record([id.as_str(), &format!("{probability:.6}")])?;
    }
    out.flush().with_context(name)
}
