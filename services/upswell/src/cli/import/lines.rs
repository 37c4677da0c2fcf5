//! Lines of a file of any size, one at a time; a line that is too long is kept out without being held.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use upswell_ingestion::jsonl::LINE_MAX;

use super::rejects::Fault;

/// A line with content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number in the file, from 1.
    pub(super) number: u64,
    /// Its bytes without the line end; only the first of a line that is too long.
    pub(super) bytes: Vec<u8>,
    /// All its bytes.
    pub(super) length: u64,
}

impl Line {
    /// Its text. Errors: it is too long, or not UTF-8.
    pub(super) fn text(&self) -> Result<&str, Vec<Fault>> {
        let whole = |reason: String| vec![Fault::whole(reason)];
        if self.length > LINE_MAX as u64 {
            return Err(whole(format!(
                "the line has {} bytes: expected at most {LINE_MAX}",
                self.length
            )));
        }
        let not_text = |error: std::str::Utf8Error| whole(format!("no UTF-8 at column {}", error.valid_up_to() + 1));
        str::from_utf8(&self.bytes).map_err(not_text)
    }
}

/// The lines of a reader.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    read: u64,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(256 * 1024, reader),
            number: 0,
            read: 0,
        }
    }

    /// Bytes read so far.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// The next line that is not blank; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Line>> {
        loop {
            let Some(line) = self
                .line()
                .await
                .with_context(|| format!("reading line {}", self.number))?
            else {
                return Ok(None);
            };
            if !line.bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(line));
            }
        }
    }

    async fn line(&mut self) -> Result<Option<Line>> {
        let mut bytes = Vec::new();
        let most = LINE_MAX as u64 + 2;
        let mut length = (&mut self.reader).take(most).read_until(b'\n', &mut bytes).await? as u64;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut end = line_end(&bytes);
        while length >= most && end == 0 {
            let mut rest = Vec::new();
            let more = (&mut self.reader).take(most).read_until(b'\n', &mut rest).await? as u64;
            length += more;
            end = line_end(&rest);
            if more < most {
                break;
            }
        }
        self.read += length;
        bytes.truncate(bytes.len() - line_end(&bytes));
        if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        Ok(Some(Line {
            number: self.number,
            bytes,
            length: length - end as u64,
        }))
    }
}

/// Bytes of the line end: `\n`, `\r\n` or none.
fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Vec<Line> {
        let mut lines = Lines::new(bytes);
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(line);
        }
        assert_eq!(lines.read(), bytes.len() as u64);
        found
    }

    #[tokio::test]
    async fn numbers_count_blank_lines_and_ends_do_not_belong_to_the_line() {
        let lines = read(b"\xef\xbb\xbfone\r\n\n  \ntwo\nthree").await;
        let seen: Vec<_> = lines.iter().map(|line| (line.number, line.text().unwrap())).collect();
        assert_eq!(seen, [(1, "one"), (4, "two"), (5, "three")]);
    }

    #[tokio::test]
    async fn a_line_without_end_costs_no_memory_and_no_neighbour() {
        let mut bytes = vec![b'x'; 5 * LINE_MAX];
        bytes.extend(b"\nnext\n\xff\n");
        let lines = read(&bytes).await;
        assert!(lines[0].bytes.len() <= LINE_MAX + 2);
        assert!(
            lines[0].text().unwrap_err()[0]
                .reason
                .contains(&format!("{} bytes", 5 * LINE_MAX))
        );
        assert_eq!(lines[1].text().unwrap(), "next");
        assert!(lines[2].text().unwrap_err()[0].reason.contains("column 1"));
    }

    #[tokio::test]
    async fn the_longest_line_is_a_line() {
        let bytes = [vec![b'x'; LINE_MAX], b"\r\n".to_vec()].concat();
        assert_eq!(read(&bytes).await[0].text().unwrap().len(), LINE_MAX);
    }
}
