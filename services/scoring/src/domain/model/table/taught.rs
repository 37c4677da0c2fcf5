//! Learns from a table: from every row alone, and with what came before it. The latter stands only where it tells more
//! of rows that were not seen; the former stands beside it, for tables whose rows come without their past.

use serde::{Deserialize, Serialize};

use super::{
    super::{
        frame::{Dataset, Frame},
        train::{Cancelled, Options, Step, train},
        trained::Trained,
    },
    Reading, Table, TableFault,
};

/// Share of the log-loss by which the past must lower it.
const WORTH: f64 = 0.002;

/// What was learnt from a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taught {
    /// The model; it knows what came before if the reading has a past.
    pub model: Trained,
    /// The model of rows alone, beside one that knows the past.
    #[serde(default)]
    pub alone: Option<Trained>,
}

/// A model with the features that it asks for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The model that fits the table.
    pub model: &'a Trained,
    /// The features of all rows, in its order.
    pub frame: Frame,
    /// The model knows the past and the table does not hold it.
    pub is_without_past: bool,
}

impl Taught {
    /// Learns from the labelled rows of `table`, which [`super::learn`] read into `dataset`; a past that does not tell
    /// more is taken out of the reading. Errors: `told` said no.
    pub fn of(
        table: &Table,
        reading: &mut Reading,
        dataset: &Dataset,
        options: &Options,
        told: &mut dyn FnMut(Step) -> bool,
    ) -> Result<Self, Cancelled> {
        let alone = train(dataset, options, told)?;
        let rows = reading.labelled(table);
        let past = reading
            .frame(table)
            .ok()
            .and_then(|frame| reading.past_frame(table, &frame));
        let Some(frame) = past.filter(|_| alone.logistic.is_some() || alone.trees.is_some()) else {
            reading.past = None;
            return Ok(Self {
                model: alone,
                alone: None,
            });
        };
        let dataset = Dataset {
            frame: frame.select(&rows),
            ..dataset.clone()
        };
        let told = &mut |step: Step| {
            told(Step {
                what: format!("with what came before, {}", step.what),
                ..step
            })
        };
        let model = train(&dataset, options, told)?;
        if model.report.log_loss < alone.report.log_loss * (1.0 - WORTH) {
            return Ok(Self {
                model,
                alone: Some(alone),
            });
        }
        reading.past = None;
        Ok(Self {
            model: alone,
            alone: None,
        })
    }

    /// The model for `table` and the features that it asks for. Errors: every column that is missing.
    pub fn asked(&self, reading: &Reading, table: &Table) -> Result<Asked<'_>, TableFault> {
        let frame = reading.frame(table)?;
        let Some(alone) = &self.alone else {
            return Ok(Asked {
                model: &self.model,
                frame,
                is_without_past: false,
            });
        };
        Ok(match reading.past_frame(table, &frame) {
            Some(frame) => Asked {
                model: &self.model,
                frame,
                is_without_past: false,
            },
            None => Asked {
                model: alone,
                frame,
                is_without_past: true,
            },
        })
    }

    /// Checks what was read: see [`Trained::check`].
    pub fn check(&self) -> Result<(), &'static str> {
        self.model.check()?;
        self.alone.as_ref().map_or(Ok(()), Trained::check)
    }
}
