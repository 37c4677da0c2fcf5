//! The runtime's own tables, which stand beside the tables of every service.

mod lanes;

use sea_orm::{
    DbErr, DeriveIden,
    sea_query::{ColumnDef, Index, IntoIden, Table, TableCreateStatement},
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

/// The migrations of the runtime's tables. A service puts them first in its own migrator.
pub fn runtime_migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Delivery), Box::new(lanes::Lanes)]
}

/// The log of events to send: one row per event and destination, never changed.
#[derive(Clone, Copy, DeriveIden)]
enum Outbox {
    Table,
    Id,
    EventId,
    Dest,
    Key,
    Seq,
    Topic,
    Payload,
    OccurredAt,
    Traceparent,
    Tracestate,
}

/// The last sequence number given per (destination, key).
#[derive(Clone, Copy, DeriveIden)]
enum OutboxSeq {
    Table,
    Dest,
    Key,
    LastSeq,
}

/// What the lanes replaced.
#[derive(Clone, Copy, DeriveIden)]
enum OutboxCursor {
    Table,
    Dest,
    Position,
    LeaseEpoch,
}

/// The keys that lag behind their destination's cursor: `seq` is the event at which the key stands.
#[derive(Clone, Copy, DeriveIden)]
pub(crate) enum OutboxBlocked {
    Table,
    Dest,
    Key,
    Seq,
    EventId,
    Attempts,
    Error,
    RetryAt,
    ParkedAt,
    Shard,
}

/// Events that have been applied.
#[derive(Clone, Copy, DeriveIden)]
enum Inbox {
    Table,
    Source,
    EventId,
    OccurredAt,
}

/// The last sequence number applied per (source, key).
#[derive(Clone, Copy, DeriveIden)]
enum InboxPos {
    Table,
    Source,
    Key,
    Seq,
}

/// The highest relay epoch seen per (source, shard).
#[derive(Clone, Copy, DeriveIden)]
pub(crate) enum InboxLease {
    Table,
    Source,
    Shard,
    Epoch,
}

/// Answers that were given, by the caller's request id.
#[derive(Clone, Copy, DeriveIden)]
pub(crate) enum RequestLog {
    Table,
    Method,
    RequestId,
    Fingerprint,
    Response,
    AnsweredAt,
}

struct Delivery;

impl MigrationName for Delivery {
    fn name(&self) -> &str {
        "runtime_0001_delivery"
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives a written lifetime a name that the trait has not"
)]
impl MigrationTrait for Delivery {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [outbox(), outbox_seq(), outbox_cursor(), outbox_blocked()] {
            manager.create_table(table).await?;
        }
        for table in [inbox(), inbox_pos(), inbox_lease(), request_log()] {
            manager.create_table(table).await?;
        }
        let by_key = Index::create()
            .name("outbox_by_key")
            .table(Outbox::Table)
            .col(Outbox::Dest)
            .col(Outbox::Key)
            .col(Outbox::Seq)
            .unique()
            .take();
        manager.create_index(by_key).await?;
        let by_position = Index::create()
            .name("outbox_by_position")
            .table(Outbox::Table)
            .col(Outbox::Dest)
            .col(Outbox::Id)
            .take();
        manager.create_index(by_position).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table(Outbox::Table)
        // A plain row id could be used again after the highest row was deleted, and the cursor would skip it.
        .col(
            ColumnDef::new(Outbox::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(ColumnDef::new(Outbox::EventId).uuid().not_null())
        .col(text(Outbox::Dest))
        .col(text(Outbox::Key))
        .col(number(Outbox::Seq))
        .col(text(Outbox::Topic))
        .col(ColumnDef::new(Outbox::Payload).blob().not_null())
        .col(number(Outbox::OccurredAt))
        .col(text(Outbox::Traceparent))
        .col(text(Outbox::Tracestate))
        .take()
}

fn outbox_seq() -> TableCreateStatement {
    Table::create()
        .table(OutboxSeq::Table)
        .col(text(OutboxSeq::Dest))
        .col(text(OutboxSeq::Key))
        .col(number(OutboxSeq::LastSeq))
        .primary_key(Index::create().col(OutboxSeq::Dest).col(OutboxSeq::Key))
        .take()
}

fn outbox_cursor() -> TableCreateStatement {
    Table::create()
        .table(OutboxCursor::Table)
        .col(text(OutboxCursor::Dest).primary_key())
        .col(number(OutboxCursor::Position))
        .col(number(OutboxCursor::LeaseEpoch))
        .take()
}

fn outbox_blocked() -> TableCreateStatement {
    Table::create()
        .table(OutboxBlocked::Table)
        .col(text(OutboxBlocked::Dest))
        .col(text(OutboxBlocked::Key))
        .col(number(OutboxBlocked::Seq))
        .col(ColumnDef::new(OutboxBlocked::EventId).uuid().not_null())
        .col(ColumnDef::new(OutboxBlocked::Attempts).integer().not_null())
        .col(text(OutboxBlocked::Error))
        .col(number(OutboxBlocked::RetryAt))
        .col(ColumnDef::new(OutboxBlocked::ParkedAt).big_integer())
        .primary_key(Index::create().col(OutboxBlocked::Dest).col(OutboxBlocked::Key))
        .take()
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table(Inbox::Table)
        .col(text(Inbox::Source))
        .col(ColumnDef::new(Inbox::EventId).uuid().not_null())
        .col(number(Inbox::OccurredAt))
        .primary_key(Index::create().col(Inbox::Source).col(Inbox::EventId))
        .take()
}

fn inbox_pos() -> TableCreateStatement {
    Table::create()
        .table(InboxPos::Table)
        .col(text(InboxPos::Source))
        .col(text(InboxPos::Key))
        .col(number(InboxPos::Seq))
        .primary_key(Index::create().col(InboxPos::Source).col(InboxPos::Key))
        .take()
}

fn inbox_lease() -> TableCreateStatement {
    Table::create()
        .table(InboxLease::Table)
        .col(text(InboxLease::Source))
        .col(ColumnDef::new(InboxLease::Shard).integer().not_null())
        .col(number(InboxLease::Epoch))
        .primary_key(Index::create().col(InboxLease::Source).col(InboxLease::Shard))
        .take()
}

fn request_log() -> TableCreateStatement {
    Table::create()
        .table(RequestLog::Table)
        .col(text(RequestLog::Method))
        .col(ColumnDef::new(RequestLog::RequestId).uuid().not_null())
        .col(ColumnDef::new(RequestLog::Fingerprint).blob().not_null())
        .col(ColumnDef::new(RequestLog::Response).blob().not_null())
        .col(number(RequestLog::AnsweredAt))
        .primary_key(Index::create().col(RequestLog::Method).col(RequestLog::RequestId))
        .take()
}

fn text(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn number(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}
