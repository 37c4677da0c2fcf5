use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use standardwebhooks::Webhook;
use upswell_runtime::clock::Clock;

use super::*;

/// The example of the specification's own test suites.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SENT: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn keys(secrets: &[&str]) -> Keys {
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::from(*text)).collect();
    Keys::parse(&secrets).unwrap()
}

fn verify(signature: &str, body: &[u8], seconds_later: i64) -> Result<(), SignatureFault> {
    let headers = Headers {
        id: MESSAGE,
        timestamp: &SENT.to_string(),
        signature,
    };
    let now = Timestamp::from_second(SENT + seconds_later).unwrap();
    keys(&[SECRET]).verify(&headers, body, now, SignedDuration::from_mins(5))
}

#[test]
fn t2_the_known_vector_of_the_specification() {
    assert_eq!(keys(&[SECRET]).sign(MESSAGE, SENT, BODY), SIGNED);
    assert_eq!(verify(SIGNED, BODY, 0), Ok(()));
}

#[test]
fn t2_what_is_not_signed_so_is_not_believed() {
    let cases = [
        (SIGNED, b"{}".as_slice(), 0, Err(SignatureFault::Mismatch)),
        (
            "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            BODY,
            0,
            Err(SignatureFault::Mismatch),
        ),
        ("", BODY, 0, Err(SignatureFault::Mismatch)),
        (SIGNED, BODY, 300, Ok(())),
        (SIGNED, BODY, -300, Ok(())),
        (SIGNED, BODY, 301, Err(SignatureFault::Timestamp)),
        (SIGNED, BODY, -301, Err(SignatureFault::Timestamp)),
    ];
    for (signature, body, later, expected) in cases {
        assert_eq!(verify(signature, body, later), expected, "{signature} {later}");
    }
    assert_eq!(verify(&format!("v1,AAAA {SIGNED}"), BODY, 0), Ok(()));
}

#[test]
fn t2_keys_are_of_the_length_that_the_specification_asks_for() {
    for bad in ["whsec_", "whsec_AAAA", "whsec_???", "plain words"] {
        assert!(Keys::parse(&[Secret::from(bad)]).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn t2_an_independent_implementation_believes_us(key in proptest::collection::vec(any::<u8>(), 24..=64), body in "\\PC{0,200}", id in "[a-z0-9_-]{1,40}") {
        let now = Clock::system().now();
        let encoded = format!("whsec_{}", STANDARD.encode(&key));
        let signature = keys(&[SECRET, &encoded]).sign(&id, now.as_second(), body.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert(ID, id.parse().unwrap());
        headers.insert(TIMESTAMP, now.as_second().into());
        headers.insert(SIGNATURE, signature.parse().unwrap());
        let theirs = Webhook::new(&encoded).unwrap();
        prop_assert!(theirs.verify(body.as_bytes(), &headers).is_ok());
        let signed = theirs.sign(&id, now.as_second(), body.as_bytes()).unwrap();
        let at = now.as_second().to_string();
        let ours = Headers { id: &id, timestamp: &at, signature: &signed };
        prop_assert_eq!(keys(&[&encoded]).verify(&ours, body.as_bytes(), now, SignedDuration::from_mins(5)), Ok(()));
        prop_assert!(keys(&[SECRET]).verify(&ours, body.as_bytes(), now, SignedDuration::from_mins(5)).is_err());
    }
}
