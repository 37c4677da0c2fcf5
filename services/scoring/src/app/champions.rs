//! Which models stand behind the scores of a pass. They are looked up at its beginning, so that a promotion, a roll-back
//! or an alarm of drift holds from the next scoring on; what was read is kept while it is in use.

use std::sync::{Arc, Mutex, PoisonError};

use upswell_runtime::problem::Problem;

use super::App;
use crate::{
    domain::{
        assess::Rulebook,
        model::{
            champion::{Champion, Champions, Seat},
            history::Kind,
        },
    },
    store::{self, InUse},
};

/// The models read last.
#[derive(Default)]
pub(super) struct Cache(Mutex<Vec<Arc<Champion>>>);

impl Cache {
    fn get(&self, model_id: &str) -> Option<Arc<Champion>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|champion| champion.model_id == model_id).cloned()
    }

    fn set(&self, champions: Vec<Arc<Champion>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = champions;
    }
}

impl App {
    /// By what accounts are judged now.
    pub(super) async fn rulebook(&self) -> Result<Arc<Rulebook>, Problem> {
        let in_use = store::models_in_use(self.0.db.reader()).await?;
        let fallbacks = if in_use.len() < Kind::ALL.len() {
            store::fallbacks_list(self.0.db.reader()).await?
        } else {
            Vec::new()
        };
        let mut seats = Vec::new();
        for kind in Kind::ALL {
            let seat = match in_use.iter().find(|model| model.kind == kind) {
                Some(model) => self.seat(model).await?,
                None => Seat::Rules(reason(kind, &fallbacks)),
            };
            seats.push(seat);
        }
        let kept = seats.iter().filter_map(|seat| match seat {
            Seat::Model(champion) => Some(Arc::clone(champion)),
            Seat::Rules(_) => None,
        });
        self.0.champions.set(kept.collect());
        let mut champions = Champions::default();
        if let Ok([churn, expansion]) = <[Seat; 2]>::try_from(seats) {
            champions = Champions { churn, expansion };
        }
        Ok(Arc::new(Rulebook {
            champions: Arc::new(champions),
            ..self.0.rules.clone()
        }))
    }

    async fn seat(&self, model: &InUse) -> Result<Seat, Problem> {
        let id = model.model_id.as_str();
        if let Some(drift) = model.drift.as_ref().filter(|drift| drift.is_set_aside) {
            let psi = drift.predictions;
            return Ok(Seat::Rules(format!(
                "{id} has drifted: PSI {psi:.2} of its predictions"
            )));
        }
        if let Some(known) = self.0.champions.get(id) {
            return Ok(Seat::Model(known));
        }
        match store::model_fetch(self.0.db.reader(), id).await {
            Ok(Some(made)) => Ok(Seat::Model(Arc::new(Champion {
                model_id: made.model_id,
                model: made.model,
            }))),
            Ok(None) => Ok(Seat::Rules(format!("{id} was taken away"))),
            Err(problem) if problem.kind() == upswell_runtime::problem::Kind::Internal => {
                tracing::error!(model.id = id, error = %problem, "the model in use cannot be read: rules stand in");
                Ok(Seat::Rules(format!("{id} cannot be read")))
            }
            Err(problem) => Err(problem),
        }
    }
}

fn reason(kind: Kind, fallbacks: &[(Kind, String)]) -> String {
    let known = fallbacks.iter().find(|(of, reason)| *of == kind && !reason.is_empty());
    known.map_or_else(|| "no model is in use".to_owned(), |(_, reason)| reason.clone())
}
