//! What a file holds, row by row: fact lines, or somebody else's table or objects read through a mapping.

use std::{collections::BTreeMap, io::Read, path::Path};

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncRead;
use upswell_ingestion::{
    jsonl::{self, LINE_MAX},
    mapping::{Mapping, RowFault},
};
use upswell_proto::ingestion::v1::Fact;

use super::{
    lines::{Line, Lines},
    rejects::Fault,
};

/// A row, and the facts that it says or everything that is wrong with it.
pub(super) struct Row {
    pub(super) line: Line,
    pub(super) facts: Result<Vec<Fact>, Vec<Fault>>,
}

/// The rows of a file.
pub(super) enum Rows<R> {
    /// Fact lines.
    Facts(Lines<R>),
    /// JSON objects, one a line.
    Objects(Lines<R>, Box<Mapping>),
    /// CSV with a header.
    Table(Box<Table>),
}

impl<R: AsyncRead + Unpin> Rows<R> {
    /// Bytes read so far.
    pub(super) fn read(&self) -> u64 {
        match self {
            Self::Facts(lines) | Self::Objects(lines, _) => lines.read(),
            Self::Table(table) => table.reader.position().byte(),
        }
    }

    /// The next row; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Row>> {
        match self {
            Self::Facts(lines) => Ok(lines.next().await?.map(|line| {
                let facts = line.text().and_then(fact_of);
                Row { facts, line }
            })),
            Self::Objects(lines, mapping) => Ok(lines.next().await?.map(|line| {
                let facts = line.text().and_then(|text| facts_of(text, mapping));
                Row { facts, line }
            })),
            Self::Table(table) => table.next(),
        }
    }

    /// Passes over a row that was imported before.
    pub(super) async fn skip(&mut self) -> Result<()> {
        match self {
            Self::Facts(lines) | Self::Objects(lines, _) => drop(lines.next().await?),
            Self::Table(table) => drop(table.record()?),
        }
        Ok(())
    }
}

fn fact_of(text: &str) -> Result<Vec<Fact>, Vec<Fault>> {
    let fault = |fault: jsonl::LineFault| Fault {
        column: String::new(),
        path: fault.path,
        reason: fault.description,
    };
    let faults = |faults: Vec<jsonl::LineFault>| faults.into_iter().map(fault).collect();
    jsonl::parse_line(text).map(|fact| vec![fact]).map_err(faults)
}

/// A flat object: its numbers, truth values and texts are the cells.
fn facts_of(text: &str, mapping: &Mapping) -> Result<Vec<Fact>, Vec<Fault>> {
    use serde_json::Value;
    let read: BTreeMap<String, Value> =
        serde_json::from_str(text).map_err(|fault| vec![Fault::whole(format!("no JSON object: {fault}"))])?;
    let cell = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let cells: BTreeMap<String, String> = read.into_iter().map(|(name, value)| (name, cell(value))).collect();
    mapping.facts(&|name| cells.get(name).map(String::as_str)).map_err(told)
}

fn told(faults: Vec<RowFault>) -> Vec<Fault> {
    let fault = |fault: RowFault| Fault {
        column: fault.columns.join(" + "),
        path: fault.path,
        reason: fault.reason,
    };
    faults.into_iter().map(fault).collect()
}

/// A table in CSV.
pub(super) struct Table {
    reader: csv::Reader<Box<dyn Read>>,
    mapping: Mapping,
    /// The place of each column.
    columns: BTreeMap<String, usize>,
    width: usize,
    /// Lines end with CR LF. The reader counts LFs, and reads that of such a line with the next one.
    crlf: bool,
    /// The last line of the row before.
    last: u64,
}

impl Table {
    /// Errors: there is no header, or it lacks columns that the mapping names.
    pub(super) fn new(reader: Box<dyn Read>, mapping: Mapping) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(mapping.delimiter)
            .flexible(true)
            .from_reader(reader);
        let header = reader.headers().context("reading the header")?.clone();
        let names = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned());
        let columns: BTreeMap<String, usize> = names.zip(0..).collect();
        let missing: Vec<&str> = mapping
            .columns()
            .into_iter()
            .filter(|name| !columns.contains_key(*name))
            .collect();
        if !missing.is_empty() {
            let found: Vec<&str> = columns.keys().map(String::as_str).collect();
            bail!("the header lacks {}: it has {}", missing.join(", "), found.join(", "));
        }
        let (width, lines) = (header.len(), breaks(header.as_byte_record()) + 1);
        Ok(Self {
            crlf: reader.position().line() == lines,
            last: lines,
            width,
            reader,
            mapping,
            columns,
        })
    }

    /// The next row and the line on which it begins.
    fn record(&mut self) -> Result<Option<(u64, csv::ByteRecord)>> {
        let mut record = csv::ByteRecord::new();
        let read = self.reader.read_byte_record(&mut record);
        if !read.with_context(|| format!("reading the row after line {}", self.last))? {
            return Ok(None);
        }
        let behind = self.reader.position().line();
        let breaks = breaks(&record);
        // The last line may have no end.
        let first = behind.saturating_sub(breaks + u64::from(!self.crlf)).max(self.last + 1);
        self.last = first + breaks;
        Ok(Some((first, record)))
    }

    fn next(&mut self) -> Result<Option<Row>> {
        let Some((number, record)) = self.record()? else {
            return Ok(None);
        };
        let mut bytes = record.iter().collect::<Vec<_>>().join(&self.mapping.delimiter);
        let length = bytes.len() as u64;
        bytes.truncate(LINE_MAX);
        let line = Line { number, bytes, length };
        Ok(Some(Row {
            facts: self.facts(record, length),
            line,
        }))
    }

    fn facts(&self, record: csv::ByteRecord, length: u64) -> Result<Vec<Fact>, Vec<Fault>> {
        let whole = |reason: String| Err(vec![Fault::whole(reason)]);
        if length > LINE_MAX as u64 {
            return whole(format!("the row has {length} bytes: expected at most {LINE_MAX}"));
        }
        if record.len() != self.width {
            return whole(format!("the row has {} cells: expected {}", record.len(), self.width));
        }
        match csv::StringRecord::from_byte_record(record) {
            Err(_) => whole("the row is no UTF-8".to_owned()),
            Ok(record) => {
                let cell = |name: &str| self.columns.get(name).and_then(|place| record.get(*place));
                self.mapping.facts(&cell).map_err(told)
            }
        }
    }
}

/// Line breaks inside of cells.
fn breaks(record: &csv::ByteRecord) -> u64 {
    let bytes = record.iter().flatten();
    bytes.filter(|byte| **byte == b'\n').count() as u64
}

/// Reads a mapping file. Errors: everything that is wrong with it.
pub(super) fn mapping(path: &Path) -> Result<Mapping> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Mapping::parse(&text).map_err(|faults| anyhow::anyhow!("{}: {}", path.display(), faults.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static str) -> Vec<u64> {
        let mapping = Mapping::parse(
            "source = \"s\"\n[[fact]]\nbody = \"goal\"\nexternal_id = \"{a}\"\naccount = \"x\"\nat = \"{b}\"",
        );
        let mut table = Table::new(Box::new(text.as_bytes()), mapping.unwrap()).unwrap();
        let mut numbers = Vec::new();
        while let Some(row) = table.next().unwrap() {
            numbers.push(row.line.number);
        }
        numbers
    }

    #[test]
    fn i7_a_row_is_named_by_the_line_on_which_it_begins() {
        for (text, expected) in [
            ("a,b\n1,2\n3,4\n", &[2, 3][..]),
            ("a,b\r\n1,2\r\n3,4\r\n", &[2, 3]),
            ("a,b\n1,2\n3,4", &[2, 3]),
            ("a,b\r\n1,2\r\n3,4", &[2, 3]),
            ("a,b\n1,2\n\n\n3,4\n", &[2, 5]),
            ("a,b\r\n1,2\r\n\r\n3,4\r\n", &[2, 4]),
            ("a,b\n\"1\n1\",2\n3,\"4\n\n\"\n5,6\n", &[2, 4, 7]),
            ("a,b\r\n\"1\r\n1\",2\r\n5,6\r\n", &[2, 4]),
        ] {
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }
}
