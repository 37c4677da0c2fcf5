//! Faults on the real binaries: several replicas of every service over PostgreSQL (or one over SQLite), killed, cut off,
//! slowed and restarted under load. After each fault the oracles read what is stored and say whether anything was lost,
//! doubled, reordered or sent too often (O1–O6, O8).
//!
//! They take minutes and the whole machine, so they run when asked for:
//!
//! ```sh
//! UPSWELL_FAULTS=1 cargo test -p upswell-tests --test faults -- --test-threads 1              # everything
//! UPSWELL_FAULTS=1 UPSWELL_FAULT_SECONDS=5 cargo test … -- --test-threads 1 f12 f32 f39 f40   # a short look
//! UPSWELL_FAULTS=nightly UPSWELL_FAULT_SECONDS=60 cargo test --release …                      # rates are judged, too
//! ```
//!
//! Rates and times depend on the machine: they are always printed, and judged only by the profile `nightly`, on a machine
//! that does nothing else. `UPSWELL_BINARY` puts another binary to the test. Tests that need PostgreSQL, or root for a
//! file system of their own (F44), say so and end where that cannot be had.
//!
//! | fault | on processes, here | inside one process |
//! |---|---|---|
//! | F1–F4, F7, F8, F13, F14 delivery | | runtime `it/inbox.rs`, `it/lanes.rs`, `it/delivery.rs` |
//! | F5 open transaction, F6 old snapshots | `databases` | runtime `it/lanes.rs` |
//! | F9 SIGSTOP past the lease | `kills` | runtime `it/lanes.rs`, `it/inbox.rs`, `it/delivery.rs` |
//! | F10, F11 death around commit, answer and cursor | `points` | runtime `it/lanes.rs`, `it/delivery.rs` |
//! | F12 connection cut after COMMIT | `network` | |
//! | F15 partition of tomorrow | there are no partitions: see runtime `relay` | |
//! | F16–F19, F22–F25, F28 caps and approvals | `it/caps.rs` beside this | offers |
//! | F27 money, F30 steps repeated | | runtime `money`, ingestion, renewals |
//! | F29 every failpoint: error, panic, delay, death | `points`, on both databases | |
//! | F31 SIGKILL, F32 rolling restart, F33 SIGTERM | `kills` | runtime `client`, `server` |
//! | F34, F37 migrators | | runtime `it/postgres.rs` |
//! | F39 restart, F40 sessions ended, F41 no sessions, F42 SIGSTOP, F43 deadlocks | `databases` | runtime `it/postgres.rs`, `db/retry.rs` |
//! | F44 disk full | `disk`, on both databases | |
//! | F47 bad lines and names, F49 deaf peer, F50 no address | `network` | runtime `client` |
//! | F51 collector ill | `collector` | |
//! | F52 ten times the load | `overload` | runtime `server` |

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may give up")]

mod collector;
mod databases;
mod disk;
mod fleet;
mod kills;
mod load;
mod network;
mod oracles;
mod overload;
mod points;
mod postgres;
mod proxy;
mod stores;
