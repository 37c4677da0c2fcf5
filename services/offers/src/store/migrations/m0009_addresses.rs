//! Opt-outs of single addresses stand beside each other, and a message knows where it went.

use sea_orm_migration::{MigrationTrait, async_trait, prelude::*, schema};

/// The migration.
pub(super) struct Addresses;

impl MigrationName for Addresses {
    fn name(&self) -> &'static str {
        "m0009_addresses"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Addresses {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change
            .table("deliveries")
            .add_column(schema::string("address").default(""));
        manager.alter_table(change).await?;
        // SQLite cannot change the key of a table.
        manager.create_table(opt_outs()).await?;
        let copy = "INSERT INTO opt_outs_new (contact_id, channel, address, account_id, reason, opted_out_at) \
                    SELECT contact_id, channel, address, account_id, reason, opted_out_at FROM opt_outs";
        manager.get_connection().execute_unprepared(copy).await?;
        let mut drop = Table::drop();
        drop.table("opt_outs");
        manager.drop_table(drop).await?;
        let mut rename = Table::rename();
        rename.table("opt_outs_new", "opt_outs");
        manager.rename_table(rename).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn opt_outs() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("opt_outs_new");
    for name in ["contact_id", "channel", "address", "account_id", "reason"] {
        table.col(schema::string(name));
    }
    table.col(schema::big_integer("opted_out_at"));
    table.primary_key(Index::create().col("contact_id").col("channel").col("address"));
    table
}
