//! Names of tables and columns.

use sea_orm::DeriveIden;

/// One row per account of which any fact was recorded.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Account {
    Table,
    AccountId,
    CreatedAt,
    LastRecordedAt,
    Segment,
    DisplayName,
    NameKey,
    NameSkeleton,
}

/// Every fact, once, never changed. Instants in µs, `day` in days since 1970-01-01.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Fact {
    Table,
    Id,
    Source,
    ExternalId,
    AccountId,
    Kind,
    Name,
    Day,
    CountSum,
    CountMax,
    OccurredAt,
    RecordedAt,
    ContentHash,
    Payload,
}

/// Which numbers the facts of an account have that one batch recorded.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum FactRun {
    Table,
    AccountId,
    FirstId,
    LastId,
    RecordedAt,
}

/// Which fact is corrected by which; the corrected one may not have arrived.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Correction {
    Table,
    Source,
    CorrectedExternalId,
    ExternalId,
    AccountId,
    OccurredAt,
}

/// Every fact that is no count, by account and object.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Document {
    Table,
    FactId,
    AccountId,
    Kind,
    ObjectId,
    Counts,
}

/// What the counting facts of a day add up to.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Rollup {
    Table,
    AccountId,
    Kind,
    Name,
    Day,
    CountSum,
    CountMax,
    FactCount,
    FirstRecordedAt,
    LastRecordedAt,
}

/// Contents that were refused because another one stands.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Conflict {
    Table,
    Id,
    FactId,
    AccountId,
    RefusedHash,
    Refused,
    ConflictedAt,
    Resolution,
    Resolver,
    ResolvedAt,
    Reason,
}

/// Accounts that are one, or were.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Merge {
    Table,
    Id,
    MergeId,
    AccountId,
    MergedAccountId,
    Actor,
    MergedAt,
    Reason,
    UndoneAt,
    UndoActor,
    UndoReason,
}

/// Offers, as offers told them.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Offer {
    Table,
    OfferId,
    AccountId,
    Playbook,
    Motion,
    State,
    StateAt,
}

/// Touches of the ledger, as offers told them.
#[derive(Clone, Copy, DeriveIden)]
pub(super) enum Touch {
    Table,
    TouchId,
    AccountId,
    Class,
    Channel,
    Sender,
    TouchAt,
    State,
}
