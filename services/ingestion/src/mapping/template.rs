//! Texts with `{columns}` in them.

/// A text whose parts are constants and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
}

impl Template {
    /// Reads `acct-{account_id}`; `{{` and `}}` stand for the braces. Errors: a brace that is not closed or opened.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if rest.starts_with(brace) {
                plain.push_str(brace);
                rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.find('}').filter(|_| brace == "{") else {
                return Err(format!(
                    "\"{text}\" has a lone brace: expected {{column}}, or {{{{ for the brace itself"
                ));
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Column(rest[..end].trim().to_owned()));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The columns that it names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text for a row. A template whose every column is empty is empty as a whole, so that `inv-{id}` says nothing
    /// about a row without id.
    pub(super) fn fill<'a>(&self, cell: &dyn Fn(&str) -> Option<&'a str>) -> String {
        let (mut text, mut columns, mut said) = (String::new(), false, false);
        for part in &self.0 {
            match part {
                Part::Text(constant) => text.push_str(constant),
                Part::Column(name) => {
                    let value = cell(name).unwrap_or_default().trim();
                    columns = true;
                    said |= !value.is_empty();
                    text.push_str(value);
                }
            }
        }
        if columns && !said { String::new() } else { text }
    }
}
