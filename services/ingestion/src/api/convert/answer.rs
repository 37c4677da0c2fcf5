//! The answer to a batch, which is also what is stored for a repeated request.

use prost::Message as _;
use upswell_proto::ingestion::v1::{self as pb, fact_result::Outcome as PbOutcome};
use upswell_runtime::problem::Problem;

use crate::domain::{difference::FieldFault, intake::Outcome};

pub(crate) fn answer_to_wire(outcomes: &[Outcome]) -> pb::RecordFactsResponse {
    let results: Vec<pb::FactResult> = outcomes.iter().map(result).collect();
    let count = |wanted: PbOutcome| {
        let number = results.iter().filter(|result| result.outcome() == wanted).count();
        i32::try_from(number).unwrap_or(i32::MAX)
    };
    pb::RecordFactsResponse {
        recorded: count(PbOutcome::Recorded),
        duplicates: count(PbOutcome::Duplicate),
        conflicts: count(PbOutcome::Conflict),
        rejected: count(PbOutcome::Rejected),
        results,
    }
}

pub(crate) fn encode_answer(outcomes: &[Outcome]) -> Vec<u8> {
    answer_to_wire(outcomes).encode_to_vec()
}

/// The outcomes of a stored answer. Errors: INTERNAL when the store holds something else.
pub(crate) fn decode_answer(bytes: &[u8]) -> Result<Vec<Outcome>, Problem> {
    let answer = pb::RecordFactsResponse::decode(bytes).map_err(Problem::internal)?;
    answer.results.into_iter().map(outcome).collect()
}

fn result(outcome: &Outcome) -> pb::FactResult {
    let (outcome, faults) = match outcome {
        Outcome::Recorded => (PbOutcome::Recorded, &[][..]),
        Outcome::Duplicate => (PbOutcome::Duplicate, &[][..]),
        Outcome::Conflict(faults) => (PbOutcome::Conflict, faults.as_slice()),
        Outcome::Rejected(faults) => (PbOutcome::Rejected, faults.as_slice()),
    };
    let faults = faults.iter().map(|FieldFault { field, description }| pb::FieldFault {
        field: field.clone(),
        description: description.clone(),
    });
    pb::FactResult {
        outcome: outcome.into(),
        faults: faults.collect(),
    }
}

fn outcome(result: pb::FactResult) -> Result<Outcome, Problem> {
    let outcome = result.outcome();
    let fault = |pb::FieldFault { field, description }| FieldFault { field, description };
    let faults = result.faults.into_iter().map(fault).collect();
    match outcome {
        PbOutcome::Recorded => Ok(Outcome::Recorded),
        PbOutcome::Duplicate => Ok(Outcome::Duplicate),
        PbOutcome::Conflict => Ok(Outcome::Conflict(faults)),
        PbOutcome::Rejected => Ok(Outcome::Rejected(faults)),
        PbOutcome::Unspecified => Err(Problem::internal("a stored answer has a result without outcome")),
    }
}
