//! F44: the disk is full, under SQLite and under PostgreSQL. What cannot be kept is refused, nobody says that he is ready,
//! and with room again everything goes on as if nothing had been.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::{Instant, interval};

use crate::{
    fleet::{Fleet, PATIENCE, Plan},
    load::{Load, settings},
    oracles,
};

/// Answered calls before and after.
const SOME: u64 = 60;

/// A folder with a small file system of its own, which only the processes that are started inside can see. Only root may
/// have one.
pub(crate) struct SmallDisk {
    folder: PathBuf,
    holder: Child,
}

impl SmallDisk {
    /// Mounts it; none where that is not allowed, which is said.
    pub(crate) fn start(folder: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let place = folder.display();
        let script = format!("mount -t tmpfs -o size={megabytes}m tmpfs '{place}' && echo mounted && exec cat");
        let holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut holder) = holder else {
            eprintln!("skipped: there is no unshare");
            return None;
        };
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line.trim() != "mounted" {
            eprintln!("skipped: no file system may be mounted here");
            return None;
        }
        let folder = folder.to_path_buf();
        Some(Self { folder, holder })
    }

    /// A program that sees it, in the folder around it.
    pub(crate) fn inside(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let namespace = format!("--mount=/proc/{}/ns/mnt", self.holder.id());
        let around = format!("--wdns={}", self.folder.parent().unwrap().display());
        command.args([namespace, around]).arg(program);
        command
    }

    /// The folder, from outside.
    pub(crate) fn seen(&self) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        PathBuf::from(root).join(self.folder.strip_prefix("/").unwrap())
    }

    fn filler(&self) -> PathBuf {
        self.seen().join("filler")
    }

    /// Takes what room there is.
    fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 20, 1 << 12] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives it back.
    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

/// Waits until every process says of itself that it is ready, or (`ready` is false) one that it is not: who has to write
/// nothing new needs no room.
async fn until_ready(fleet: &Fleet, ready: bool) {
    let (begun, mut each) = (Instant::now(), interval(Duration::from_millis(200)));
    loop {
        let mut all = true;
        for index in 0..fleet.replicas.len() {
            all &= fleet.is_ready(index).await;
        }
        if all == ready {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "ready is not {ready}: {}", fleet.told(0));
        each.tick().await;
    }
}

async fn full_disk(fleet: Fleet) {
    let disk = fleet.disk().unwrap();
    let load = Load::start(&fleet.peers(&settings())).await;
    load.answers(SOME).await;
    until_ready(&fleet, true).await;
    let (begun, mut each) = (Instant::now(), interval(Duration::from_millis(50)));
    let refused = |text: &String| text.contains("STORE_FULL") || text.contains("STORE_UNAVAILABLE");
    while !load.tally.failed().iter().any(refused) {
        assert!(
            begun.elapsed() < PATIENCE,
            "nothing is refused: {:?}",
            load.tally.failed()
        );
        // Others may give room back meanwhile.
        disk.fill();
        each.tick().await;
    }
    let filling = async {
        loop {
            disk.fill();
            each.tick().await;
        }
    };
    tokio::select! {
        () = until_ready(&fleet, false) => {}
        () = filling => {}
    }
    disk.free();
    fleet.postgres_if_any().inspect(|postgres| postgres.start_again());
    until_ready(&fleet, true).await;
    load.answers(SOME).await;
    let tally = load.end().await;
    let inner = |text: &&String| text.starts_with("INTERNAL");
    assert_eq!(
        tally.failed().iter().find(inner),
        None,
        "a full disk is no fault of ours"
    );
    eprintln!("F44: {}", tally.summary());
    oracles::check(&fleet, &tally).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f44_the_disk_under_sqlite_is_full() {
    let Some(fleet) = Fleet::start(Plan::of(1).on_sqlite().on_small_disk(64)) else {
        return;
    };
    full_disk(fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f44_the_disk_under_postgresql_is_full() {
    let Some(fleet) = Fleet::start(Plan::of(1).on_small_disk(400)) else {
        return;
    };
    full_disk(fleet).await;
}
