//! People pause playbooks, and let paused ones go on (C-15).

use upswell_runtime::db::{Tx, micros};

use super::App;
use crate::{
    error::OfferError,
    store::{entities::pause, pauses},
};

impl App {
    /// Pauses a playbook by hand; of a paused one the pause that stands.
    pub(crate) async fn pause_playbook(
        &self,
        tx: &Tx,
        playbook: &str,
        reason: String,
        actor: &str,
    ) -> Result<pause::Model, OfferError> {
        if !self.policy.playbooks.contains_key(playbook) {
            return Err(OfferError::PlaybookNotFound(playbook.to_owned()));
        }
        let standing = pauses::pause_list_active(&**tx).await?;
        match standing.into_iter().find(|pause| pause.playbook == playbook) {
            Some(pause) => Ok(pause),
            None => Ok(self.pause_in(tx, playbook, reason, actor, self.clock.now()).await?),
        }
    }

    /// Lets a playbook go on; the guard watches it anew from now.
    pub(crate) async fn resume_playbook(
        &self,
        tx: &Tx,
        playbook: &str,
        comment: String,
        actor: &str,
    ) -> Result<pause::Model, OfferError> {
        let now = self.clock.now();
        let mut standing = pauses::pause_list_active(&**tx).await?;
        standing.retain(|pause| pause.playbook == playbook);
        for pause in &mut standing {
            (pause.resumed_at, pause.resumed_by) = (Some(micros(now)), actor.to_owned());
            pause.comment.clone_from(&comment);
        }
        let last = standing.last().cloned();
        let last = last.ok_or_else(|| OfferError::PlaybookNotPaused(playbook.to_owned()))?;
        pauses::pauses_save(tx, standing).await?;
        let note = format!("C-15: {playbook} goes on, says {actor}: {comment}");
        self.note(tx, note, now).await?;
        Ok(last)
    }
}
