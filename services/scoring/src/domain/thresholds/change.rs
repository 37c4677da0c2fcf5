//! One threshold changed, by its key in the table, to try it on history (SG-R5).

use serde_json::{Number, Value};

use super::Thresholds;

/// A threshold that cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadThreshold {
    /// No number stands there.
    #[error("there is no threshold \"{0}\"; e.g. `volume_growth.percent`")]
    Unknown(String),
    /// The number does not fit.
    #[error("{value} does not fit the threshold \"{key}\"")]
    Misfit {
        /// The key.
        key: String,
        /// The number.
        value: String,
    },
}

impl Thresholds {
    /// The same table with `value` at `key`, e.g. `volume_growth.percent`. Whole numbers stay whole.
    pub fn with(&self, key: &str, value: f64) -> Result<Self, BadThreshold> {
        let unknown = || BadThreshold::Unknown(key.to_owned());
        let misfit = || BadThreshold::Misfit {
            key: key.to_owned(),
            value: value.to_string(),
        };
        let mut table = serde_json::to_value(self).map_err(|_| unknown())?;
        let place = table
            .pointer_mut(&format!("/{}", key.replace('.', "/")))
            .ok_or_else(unknown)?;
        let present = place.as_number().ok_or_else(unknown)?;
        *place = number(value, present.is_f64()).ok_or_else(misfit)?;
        serde_json::from_value(table).map_err(|_| misfit())
    }

    /// The number at `key`.
    pub fn get(&self, key: &str) -> Option<f64> {
        let table = serde_json::to_value(self).ok()?;
        table.pointer(&format!("/{}", key.replace('.', "/")))?.as_f64()
    }
}

fn number(value: f64, may_be_broken: bool) -> Option<Value> {
    if may_be_broken {
        Number::from_f64(value).map(Value::Number)
    } else {
        (value.fract() == 0.0 && value.abs() < 1e9).then(|| Value::from(value as i64))
    }
}
