//! From a pattern in a playbook file to a Fluent resource, and what can be said about a pattern before it is used.

use std::collections::BTreeSet;

use fluent_bundle::{
    FluentError, FluentResource,
    resolver::{ResolverError, errors::ReferenceKind},
};

/// One Fluent message `id` with `source` as its pattern. Errors: what the parser says, with the line of the pattern.
pub(super) fn resource(id: &str, source: &str) -> Result<FluentResource, Vec<String>> {
    // Continuation lines of a pattern are indented; what the author indented beyond that stays.
    let indented: Vec<String> = source.trim_end().lines().map(|line| format!("    {line}")).collect();
    let text = format!("{id} =\n{}\n", indented.join("\n"));
    FluentResource::try_new(text).map_err(|(resource, errors)| {
        // Where something is still open the parser points behind the end.
        let last = indented.len().max(1);
        let line = |at: usize| {
            resource
                .source()
                .get(..at)
                .map_or(last, |text| text.matches('\n').count().clamp(1, last))
        };
        errors
            .iter()
            .map(|error| format!("line {} of the text: {error}", line(error.pos.start)))
            .collect()
    })
}

/// The names of all variables in a pattern. Text outside `{ }` may hold a `$` (a price), so only braces count;
/// quoted strings inside them do not.
pub fn variables(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut depth, mut quoted) = (0_usize, false);
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if quoted => drop(rest.next()),
            '"' if depth > 0 => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth = depth.saturating_sub(1),
            '$' if depth > 0 && !quoted => {
                let mut name = String::new();
                while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
                    name.push(c);
                }
                // "$5" inside a plural form is money in plain text, not a variable.
                if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    names.insert(name);
                }
            }
            _ => {}
        }
    }
    names
}

/// A failure to fill in a pattern, in the words of its author.
pub(super) fn reason(error: &FluentError) -> String {
    match error {
        FluentError::ResolverError(ResolverError::Reference(ReferenceKind::Variable { id })) => id.clone(),
        other => other.to_string(),
    }
}
