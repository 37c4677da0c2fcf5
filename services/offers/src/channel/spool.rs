//! A durable spool: one JSON file per message, `<spool>/<channel>/<touch_id>.json`, for other programs to pick up.
//!
//! A file appears whole or not at all, and survives a power cut once its receipt was given: it is written beside, synced,
//! renamed, and the folder synced.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use super::{Channel, DeliveryFault, Outgoing, Receipt};

/// Where the files go.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// A spool below `folder`, which is made when the first message comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

#[async_trait]
impl Channel for Spool {
    async fn deliver(&self, message: &Outgoing) -> Result<Receipt, DeliveryFault> {
        let folder = self.folder.join(message.channel.as_str());
        let name = format!("{}.json", message.touch_id);
        let mut text = serde_json::to_vec_pretty(message).map_err(|fault| DeliveryFault::Refused(fault.to_string()))?;
        text.push(b'\n');
        let written = tokio::task::spawn_blocking(move || put(&folder, &name, &text)).await;
        written.map_err(|fault| DeliveryFault::Unknown(fault.to_string()))?
    }
}

fn put(folder: &Path, name: &str, text: &[u8]) -> Result<Receipt, DeliveryFault> {
    let target = folder.join(name);
    let unavailable = |fault: std::io::Error| DeliveryFault::NotSent(format!("{}: {fault}", target.display()));
    let doubtful = |fault: std::io::Error| DeliveryFault::Unknown(format!("{}: {fault}", target.display()));
    let receipt = Receipt {
        reference: name.to_owned(),
    };
    fs::create_dir_all(folder).map_err(unavailable)?;
    match fs::read(&target) {
        Ok(before) => {
            if before != text {
                // An address may have changed between a crash and now. What left, left: one touch is one message.
                tracing::warn!(
                    file.name = name,
                    "a touch was spooled before with other content, which stands"
                );
            }
            // The file may have been renamed just before a crash: its name must be durable before we say so.
            sync_folder(folder).map_err(doubtful)?;
            return Ok(receipt);
        }
        Err(fault) if fault.kind() == ErrorKind::NotFound => {}
        Err(fault) => return Err(unavailable(fault)),
    }
    write(folder, name, &target, text).map_err(doubtful)?;
    Ok(receipt)
}

fn write(folder: &Path, name: &str, target: &Path, text: &[u8]) -> std::io::Result<()> {
    let beside = folder.join(format!(".{name}.tmp"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Messages hold addresses of people.
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&beside, target)?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        offer::Message,
        vocabulary::{Channel as Way, Motion, Owner, TouchClass},
    };

    fn outgoing(body: &str) -> Outgoing {
        Outgoing {
            touch_id: Uuid::nil(),
            offer_id: Uuid::nil(),
            account_id: "acme".into(),
            motion: Motion::Capacity,
            about: "shipments".into(),
            playbook: "capacity-growth".into(),
            class: TouchClass::Commercial,
            owner: Owner::ProductLed,
            channel: Way::Email,
            contact: None,
            assignee: None,
            message: Message {
                language: "en".into(),
                subject: "s".into(),
                body: body.into(),
                banner: String::new(),
            },
            terms: None,
            sent_time: "2026-10-12T05:00:00Z".parse().unwrap(),
            offer_link: None,
            opt_out_link: None,
        }
    }

    #[tokio::test]
    async fn c6_a_touch_is_spooled_once() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("out"));
        let first = spool.deliver(&outgoing("hello")).await.unwrap();
        assert_eq!(spool.deliver(&outgoing("hello")).await.unwrap(), first);
        assert_eq!(spool.deliver(&outgoing("other")).await.unwrap(), first);
        let files: Vec<_> = fs::read_dir(folder.path().join("out/email")).unwrap().collect();
        assert_eq!(files.len(), 1);
        let text = fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
        assert_eq!(serde_json::from_str::<Outgoing>(&text).unwrap(), outgoing("hello"));
    }

    #[tokio::test]
    async fn a_crash_while_writing_leaves_nothing_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("email")).unwrap();
        fs::write(
            folder.path().join(format!("email/.{}.json.tmp", Uuid::nil())),
            b"{\"half",
        )
        .unwrap();
        Spool::new(folder.path()).deliver(&outgoing("hello")).await.unwrap();
    }
}
