//! What a failure of the store means to a caller. `DbErr::sql_err` knows only unique and foreign
//! keys, so the codes of SQLite and PostgreSQL are read here.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use super::{Kind, Problem};

const RETRY: Duration = Duration::from_millis(100);
const RETRY_FULL: Duration = Duration::from_secs(30);
/// How often a store of this process was found full.
static FULL: AtomicU64 = AtomicU64::new(0);

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        let problem = match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                Self::new(Kind::AlreadyExists, "ALREADY_EXISTS", "it exists already")
            }
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::new(
                Kind::FailedPrecondition,
                "REFERENCE_MISSING",
                "it refers to something which does not exist",
            ),
            _ => match &error {
                DbErr::ConnectionAcquire(_) => busy(),
                DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner) => runtime(inner),
                _ => Self::internal(""),
            },
        };
        problem.caused_by(error)
    }
}

fn runtime(error: &RuntimeErr) -> Problem {
    let RuntimeErr::SqlxError(error) = error else {
        return Problem::internal("");
    };
    match error.as_ref() {
        sqlx::Error::Database(database) => by_code(database.code().as_deref().unwrap_or("")),
        sqlx::Error::PoolTimedOut => busy(),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => away(),
        _ => Problem::internal(""),
    }
}

/// SQLite gives extended result codes in decimal (the low byte is the class), PostgreSQL SQLSTATE
/// of five characters. SQLite's largest code has four digits, so the two cannot meet.
fn by_code(code: &str) -> Problem {
    if code.len() == 5 {
        return match code {
            "40001" | "40P01" => {
                Problem::aborted("CONCURRENT_CHANGE", "a concurrent change got in between").retry_after_set(RETRY)
            }
            // A lock or a statement took too long. Nothing of it was kept, so that it may be tried again.
            "55P03" => Problem::unavailable("STORE_LOCKED", "somebody else is at it for long").retry_after_set(RETRY),
            "57014" => busy(),
            "53100" => full(),
            // Nobody knows whether the statement was completed: the same request again will tell.
            "40003" => away(),
            // The server gave up a session that held a transaction without working on it.
            "25P03" => away(),
            class if ["08", "53", "57"].iter().any(|known| class.starts_with(known)) => away(),
            _ => Problem::internal(""),
        };
    }
    match code.parse::<u32>().map(|code| code & 0xFF) {
        Ok(5 | 6) => busy(),
        Ok(13) => full(),
        Ok(10 | 14) => away(),
        _ => Problem::internal(""),
    }
}

fn busy() -> Problem {
    Problem::unavailable("STORE_BUSY", "the store is busy").retry_after_set(RETRY)
}

fn away() -> Problem {
    Problem::unavailable("STORE_UNAVAILABLE", "the store is not available")
}

/// How often a store of this process was found full, since it began.
pub(crate) fn times_full() -> u64 {
    FULL.load(Ordering::Relaxed)
}

fn full() -> Problem {
    FULL.fetch_add(1, Ordering::Relaxed);
    Problem::resource_exhausted("STORE_FULL", "the store is full", RETRY_FULL)
}

#[cfg(test)]
mod tests {
    use super::{Kind, by_code};

    #[test]
    fn codes_of_both_stores_have_a_meaning() {
        for (code, kind) in [
            ("5", Kind::Unavailable),
            ("517", Kind::Unavailable),
            ("6", Kind::Unavailable),
            ("13", Kind::ResourceExhausted),
            ("1034", Kind::Unavailable),
            ("11", Kind::Internal),
            ("40001", Kind::Aborted),
            ("40P01", Kind::Aborted),
            ("55P03", Kind::Unavailable),
            ("57014", Kind::Unavailable),
            ("40003", Kind::Unavailable),
            ("25P03", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("57P01", Kind::Unavailable),
            ("53100", Kind::ResourceExhausted),
            ("08006", Kind::Unavailable),
            ("42P01", Kind::Internal),
            ("", Kind::Internal),
        ] {
            assert_eq!(by_code(code).kind(), kind, "{code}");
        }
    }
}
