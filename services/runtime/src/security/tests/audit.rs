use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::*;
use crate::security::token::tests::mint::{account, claims};

const REQUEUE: &str = "upswell.admin.v1.AdminService/RequeueDeadLetter";
const OUTBOX: &str = "upswell.admin.v1.AdminService/GetOutboxStatus";

/// What was written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Delivers an event of `source`; the echo does what it says.
fn delivery(source: &str) -> Vec<u8> {
    let length = u8::try_from(source.len()).unwrap();
    let mut body = vec![0, 0, 0, 0, length + 2, 10, length];
    body.extend_from_slice(source.as_bytes());
    body
}

fn number(line: &str) -> u64 {
    let (_, rest) = line.split_once("audit.number=").unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Calls, and returns what the audit log says about it.
async fn told(lines: &Lines, channel: &Traced, method: &str, token: Option<&String>, body: &[u8]) -> Vec<String> {
    let headers = token.map_or_else(HeaderMap::new, |token| authorization(&format!("Bearer {token}")));
    ask_with(channel, method, headers, body.to_vec()).await;
    let told = lines.take();
    if let Some((_, signature)) = token.and_then(|token| token.rsplit_once('.')) {
        assert!(!told.concat().contains(signature));
    }
    told
}

#[tokio::test]
async fn refused_and_privileged_calls_are_told_without_their_token() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let secured = serve(&load(&folder.tokens(&mint))).await;
    let insecure = SecuritySettings {
        insecure: true,
        ..SecuritySettings::default()
    };
    let (insecure, alone) = (serve(&load(&insecure)).await, serve(&Security::default()).await);
    let [secured, insecure, alone] =
        [&secured, &insecure, &alone].map(|running| channel(running, &Security::default()));
    let with = |name: &str, value| {
        let mut claims = claims();
        claims[name] = value;
        mint.es256(&claims)
    };
    let operator = &with("roles", json!(["upswell-operator"]));
    let offers = &with("sub", json!(account("offers")));
    let csm = &mint.es256(&claims());
    let forged = &Mint::new().es256(&claims());
    let none = delivery("ok");
    let anothers = delivery("another's");
    let calls = [
        (
            &secured,
            REQUEUE,
            Some(operator),
            &none,
            &["allowed", "anna", "operator", "UNIMPLEMENTED", "127.0.0.1", REQUEUE][..],
        ),
        (
            &secured,
            REQUEUE,
            Some(csm),
            &none,
            &["refused", "anna", "csm", "no role", REQUEUE],
        ),
        (
            &secured,
            REQUEUE,
            Some(forged),
            &none,
            &["refused", "signature", "127.0.0.1", REQUEUE],
        ),
        (
            &secured,
            REQUEUE,
            None,
            &none,
            &["refused", "no token and no certificate", REQUEUE],
        ),
        (
            &secured,
            "a.B/C",
            Some(operator),
            &none,
            &["refused", "has no rule", "a.B/C"],
        ),
        (&secured, OUTBOX, Some(operator), &none, &[]),
        (&secured, DELIVER, Some(offers), &none, &[]),
        // What the service itself refuses.
        (
            &secured,
            DELIVER,
            Some(offers),
            &anothers,
            &["refused", "NOT_YOURS", "service:offers", "127.0.0.1", DELIVER],
        ),
        // Where nobody is asked, strangers are told of all the same.
        (&insecure, REQUEUE, None, &none, &["allowed", "127.0.0.1", REQUEUE]),
        (&insecure, OUTBOX, None, &none, &[]),
        (&alone, REQUEUE, None, &none, &[]),
    ];
    let lines = Lines::default();
    // Every record is met once before somebody listens: one that another thread meets first just then would stay mute.
    for (channel, method, token, body, _) in calls {
        told(&lines, channel, method, token, body).await;
    }
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("audit=info"))
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let mut numbers = Vec::new();
    for (channel, method, token, body, parts) in calls {
        let told = told(&lines, channel, method, token, body).await;
        assert_eq!(told.len(), usize::from(!parts.is_empty()), "{method}: {told:?}");
        for part in parts {
            assert!(told[0].contains(part), "{part} in {told:?}");
        }
        numbers.extend(told.iter().map(|line| number(line)));
    }
    let (secured, insecure) = numbers.split_at(numbers.len() - 1);
    assert!(secured.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    assert_eq!(insecure, [2], "every process counts for itself");
}
