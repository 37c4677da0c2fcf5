//! The rows that order the changes of an account are written anew with each of them: with room on their page that costs
//! no entry in an index.

use sea_orm::{ConnectionTrait as _, DbBackend};
use sea_orm_migration::{MigrationTrait, async_trait, prelude::*};

/// The migration.
pub(super) struct Room;

impl MigrationName for Room {
    fn name(&self) -> &'static str {
        "m0010_room"
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and a named one would not match"
)]
#[async_trait::async_trait]
impl MigrationTrait for Room {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            let room = "ALTER TABLE account_touch_state SET (fillfactor = 70)";
            manager.get_connection().execute_unprepared(room).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
