use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::*;
use crate::security::token::tests::mint::claims;

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

#[tokio::test]
async fn refused_and_privileged_calls_are_told_without_their_token() {
    let (folder, mint) = (Folder::new(), Mint::new());
    let running = serve(&load(&folder.tokens(&mint))).await;
    let channel = channel(&running, &Security::default());
    let mut operator = claims();
    operator["roles"] = json!(["upswell-operator"]);
    let operator = mint.es256(&operator);
    let csm = mint.es256(&claims());
    let forged = Mint::new().es256(&claims());
    let calls = [
        (
            REQUEUE,
            &operator,
            &["allowed", "anna", "operator", "UNIMPLEMENTED", REQUEUE][..],
        ),
        (REQUEUE, &csm, &["refused", "anna", "csm", "no role", REQUEUE]),
        (REQUEUE, &forged, &["refused", "signature", "127.0.0.1", REQUEUE]),
        ("a.B/C", &operator, &["refused", "has no rule", "a.B/C"]),
        (OUTBOX, &operator, &[]),
    ];
    // Every record is met once before somebody listens: one that another thread meets first just then would stay mute.
    for (method, token, _) in calls {
        ask(&channel, method, authorization(&format!("Bearer {token}"))).await;
    }
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("audit=info"))
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    for (method, token, parts) in calls {
        ask(&channel, method, authorization(&format!("Bearer {token}"))).await;
        let told = lines.take();
        assert_eq!(told.len(), usize::from(!parts.is_empty()), "{method}: {told:?}");
        for part in parts {
            assert!(told[0].contains(part), "{part} in {told:?}");
        }
        let (_, signature) = token.rsplit_once('.').unwrap();
        assert!(!told.concat().contains(signature));
    }
}
