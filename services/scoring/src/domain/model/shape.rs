//! Brings features into a shape that a linear model can use: signed logarithm, standardised, gaps flagged.

use serde::{Deserialize, Serialize};

use super::frame::Frame;

/// How features are brought into shape; learnt on the rows of training only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    logarithm: bool,
    columns: Vec<ColumnShape>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ColumnShape {
    /// Of the values after the logarithm.
    mean: f64,
    /// 0 for a column that never varies: it is left out.
    deviation: f64,
    /// Share of gaps where a gap is worth a flag of its own, so that the flag is centred.
    gaps: Option<f64>,
}

impl Shape {
    /// Learns the shape of `frame`; with `logarithm`, of sign(x) · ln(1 + |x|).
    pub fn of(frame: &Frame, logarithm: bool) -> Self {
        let columns = frame
            .columns()
            .map(|column| ColumnShape::of(column, logarithm))
            .collect();
        Self { logarithm, columns }
    }

    /// Number of columns it reads.
    pub fn inputs(&self) -> usize {
        self.columns.len()
    }

    /// Number of columns it makes.
    pub fn width(&self) -> usize {
        let flags = self.columns.iter().filter(|column| column.gaps.is_some()).count();
        self.columns.len() + flags
    }

    /// The source column of every column it makes: a flag belongs to the feature whose gap it tells.
    pub fn sources(&self) -> Vec<usize> {
        let flags = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.gaps.is_some());
        (0..self.columns.len()).chain(flags.map(|(index, _)| index)).collect()
    }

    /// A row in shape: every feature, then the flags of gaps. A gap stands at the mean.
    pub fn apply(&self, row: &[f64], out: &mut Vec<f64>) {
        out.clear();
        for (column, value) in self.columns.iter().zip(row) {
            out.push(column.standardised(*value, self.logarithm));
        }
        for (column, value) in self.columns.iter().zip(row) {
            if let Some(gaps) = column.gaps {
                out.push(f64::from(u8::from(value.is_nan())) - gaps);
            }
        }
    }
}

impl ColumnShape {
    fn of(column: &[f64], logarithm: bool) -> Self {
        let known: Vec<f64> = column
            .iter()
            .filter(|value| !value.is_nan())
            .map(|value| scale(*value, logarithm))
            .collect();
        let count = known.len().max(1) as f64;
        let mean = known.iter().sum::<f64>() / count;
        let variance = known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let deviation = variance.sqrt();
        let gaps = (column.len() - known.len()) as f64 / column.len().max(1) as f64;
        Self {
            mean,
            // Rounding leaves a constant column with a deviation that is not quite zero.
            deviation: if deviation > mean.abs() * 1e-12 { deviation } else { 0.0 },
            // A flag that is almost always or almost never up tells nothing that can be learnt.
            gaps: (0.005..=0.995).contains(&gaps).then_some(gaps),
        }
    }

    fn standardised(&self, value: f64, logarithm: bool) -> f64 {
        if value.is_nan() || self.deviation <= 0.0 {
            return 0.0;
        }
        // Values far outside of what was seen must not drive a prediction alone.
        ((scale(value, logarithm) - self.mean) / self.deviation).clamp(-8.0, 8.0)
    }
}

fn scale(value: f64, logarithm: bool) -> f64 {
    if logarithm {
        value.signum() * value.abs().ln_1p()
    } else {
        value
    }
}
