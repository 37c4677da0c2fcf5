//! `--keep`: the played services stay, and people may ask and act.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::folder::Folder;
use crate::{
    cluster::Cluster,
    demo::{case::Case, report::Report},
};

/// How soon the services take note of what a person did: their own background work rests, because the clock is the case's.
const PERIOD: Duration = Duration::from_millis(500);

/// Settings of a client of this run.
#[derive(Serialize)]
struct ClientFile<'a> {
    peers: &'a BTreeMap<String, String>,
}

/// Says how to ask, and serves until `stop`. The clock stands at the end of the case.
pub(super) async fn keep(
    case: &Case,
    cluster: Cluster,
    folder: &Folder,
    report: &Report,
    mut stop: impl Future<Output = ()> + Unpin,
) -> Result<()> {
    let file = folder.path().join("client.toml");
    let settings = toml::to_string(&ClientFile {
        peers: &cluster.addresses,
    })?;
    fs::write(&file, settings).with_context(|| file.display().to_string())?;
    eprint!("{}", invitation(&cluster.addresses, report, &file));
    loop {
        tokio::select! {
            () = &mut stop => return cluster.stop().await,
            () = tokio::time::sleep(PERIOD) => {}
        }
        if let Err(error) = cluster.drain(case.end()).await {
            tracing::error!(error = %format_args!("{error:#}"), "the services did not come to rest");
        }
    }
}

fn invitation(addresses: &BTreeMap<String, String>, report: &Report, file: &Path) -> String {
    let program = env::args().next().unwrap_or_else(|| "upswell".to_owned());
    let mut text = format!("\nThe services keep running; their clock stands at {}.\n", report.end);
    for (name, address) in addresses {
        let _ = writeln!(text, "  {name:10} {address}");
    }
    text.push_str("\nAsk them from another terminal:\n");
    let window = format!("--from {} --to {}", report.start, report.end);
    let account = report.longest_waits.first().map_or("<account>", |wait| &wait.account);
    for command in [
        "accounts".to_owned(),
        format!("account {account}"),
        format!("explain {account} --at {}", report.end),
        "signals".to_owned(),
        "offers --state accepted".to_owned(),
        "approvals".to_owned(),
        "touches".to_owned(),
        "renewals".to_owned(),
        format!("metrics revenue {window}"),
        format!("metrics weekly {window}"),
        "outbox".to_owned(),
    ] {
        let _ = writeln!(text, "  {program} --config {} {command}", quoted(file));
    }
    text.push_str("\nctrl-c ends them.\n");
    text
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    if plain {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
