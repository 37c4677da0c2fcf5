//! The files of models: tables in, models and predictions out.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use upswell_scoring::domain::model::{
    table::{Reading, Table},
    trained::Trained,
};

/// The format of the file; a reader refuses what it does not know.
const FORMAT: u32 = 1;

/// A model with how its table is read.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ModelFile {
    upswell_model: u32,
    pub(super) reading: Reading,
    pub(super) model: Trained,
}

impl ModelFile {
    pub(super) fn new(reading: Reading, model: Trained) -> Self {
        Self {
            upswell_model: FORMAT,
            reading,
            model,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let model: Self = serde_json::from_reader(BufReader::new(file))
            .with_context(|| format!("{} is no model that `upswell model train` wrote", path.display()))?;
        if model.upswell_model != FORMAT {
            bail!(
                "{} has format {}, this program reads {FORMAT}",
                path.display(),
                model.upswell_model
            );
        }
        if let Err(fault) = model.model.check() {
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
