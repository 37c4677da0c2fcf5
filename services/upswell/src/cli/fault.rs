//! A failure in sentences: every cause, and every violation that a service named.

use tonic::Status;
use upswell_runtime::problem::Problem;

/// The whole chain of causes. What a service refused comes with all its violations and its machine-readable reason.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = if let Some(problem) = cause.downcast_ref::<Problem>() {
            refusal(problem)
        } else if let Some(status) = cause.downcast_ref::<Status>() {
            refusal(&Problem::from(status.clone()))
        } else {
            cause.to_string()
        };
        // Some causes repeat what stands above them.
        if !said.last().is_some_and(|last| last.ends_with(&text)) {
            said.push(text);
        }
    }
    said.join(": ")
}

fn refusal(problem: &Problem) -> String {
    let reason = problem.reason();
    let violations = problem.violations();
    if violations.len() < 2 {
        // A single violation is the message itself. With the cause, which only a fault of this process has.
        let text = problem.to_string();
        let text = text.strip_prefix(&format!("{reason}: ")).unwrap_or(&text);
        let trace = problem
            .metadata()
            .get("trace_id")
            .map_or(String::new(), |id| format!(", trace {id}"));
        return format!("{text} [{reason}{trace}]");
    }
    let mut lines = vec![format!("{} [{reason}]", problem.message())];
    lines.extend(
        violations
            .iter()
            .map(|fault| format!("  {}: {}", fault.field, fault.description)),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use upswell_runtime::problem::Violations;

    use super::*;

    #[test]
    fn every_violation_that_travelled_as_a_status_is_told() {
        let mut violations = Violations::new();
        violations.add("account_id", "is required");
        violations.add("reason", "must have 1 to 500 characters");
        let status = Status::from(Problem::invalid(violations));
        let error = Err::<(), _>(status).context("suppressing").unwrap_err();
        assert_eq!(
            sentence(&error),
            "suppressing: the request has 2 invalid fields [INVALID_ARGUMENT]\n  account_id: is required\n  reason: must \
             have 1 to 500 characters"
        );
    }

    #[test]
    fn a_refusal_keeps_its_reason() {
        let status = Status::from(Problem::not_found("OFFER_NOT_FOUND", "there is no offer x"));
        assert_eq!(sentence(&status.into()), "there is no offer x [OFFER_NOT_FOUND]");
    }
}
