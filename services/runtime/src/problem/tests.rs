use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Kind, Problem, Violations};

#[test]
fn all_violations_are_told_with_their_path() {
    let mut violations = Violations::new();
    violations.add("request_id", "must be a UUID");
    violations.at("facts[3]", |v| {
        v.add("amount", "must be positive");
        v.at("period", |v| v.add("", "is unknown"));
        assert_eq!(v.take("plan", "x".parse::<u8>()), None);
    });
    let status = Status::from(violations.into_result().unwrap_err());
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "the request has 4 invalid fields");
    let bad = status.get_details_bad_request().unwrap();
    let fields: Vec<_> = bad.field_violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(
        fields,
        ["request_id", "facts[3].amount", "facts[3].period", "facts[3].plan"]
    );
    assert_eq!(Violations::new().into_result().map_err(|p| p.to_string()), Ok(()));
}

#[test]
fn the_source_of_an_internal_fault_stays_inside() {
    let problem = Problem::internal("password=hunter2 at line 7");
    assert!(problem.to_string().contains("hunter2"));
    let status = Status::from(problem);
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    assert!(!format!("{status:?}").contains("hunter2"));
}

#[test]
fn a_problem_survives_the_wire() {
    let sent = Problem::resource_exhausted("OVERLOADED", "too many requests", Duration::from_secs(2)).with("limit", 64);
    let status = Status::from(sent);
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("OVERLOADED", "upswell"));
    let got = Problem::from(status);
    assert_eq!((got.kind(), got.reason()), (Kind::ResourceExhausted, "OVERLOADED"));
    assert_eq!(got.metadata()["limit"], "64");
    assert_eq!(got.retry_after(), Some(Duration::from_secs(2)));
    assert!(got.is_transient());
}

#[test]
fn a_bare_status_keeps_its_code() {
    let got = Problem::from(Status::not_found("no such account"));
    assert_eq!((got.kind(), got.reason()), (Kind::NotFound, "NOT_FOUND"));
    assert_eq!(Problem::from(Status::data_loss("x")).kind(), Kind::Internal);
}
