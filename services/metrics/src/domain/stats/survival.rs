//! How long things take when some are not over yet (Kaplan and Meier).

/// One way: how long it took, or how long it has lasted so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Duration, 0 or more.
    pub length: f64,
    /// Whether it is over; else it is still open at `length`.
    pub complete: bool,
}

/// The share that is still open after each length at which a way ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survival {
    steps: Vec<(f64, f64)>,
}

impl Survival {
    /// Of spans in any order. Where one ends and another is left open at the same length, the open one counts as longer.
    pub fn of(mut spans: Vec<Span>) -> Self {
        spans.retain(|span| span.length.is_finite());
        spans.sort_by(|a, b| a.length.total_cmp(&b.length));
        let mut at_risk = spans.len();
        let (mut open, mut steps, mut index) = (1.0, Vec::new(), 0);
        while index < spans.len() {
            let length = spans[index].length;
            let tied = spans[index..].iter().take_while(|span| span.length == length);
            let (count, ended) = tied.fold((0, 0), |(count, ended), span| {
                (count + 1, ended + usize::from(span.complete))
            });
            if ended > 0 {
                open *= 1.0 - ended as f64 / at_risk as f64;
                steps.push((length, open));
            }
            at_risk -= count;
            index += count;
        }
        Self { steps }
    }

    /// The share that is still open after `length`.
    pub fn open_after(&self, length: f64) -> f64 {
        let last = self.steps.iter().take_while(|step| step.0 <= length).last();
        last.map_or(1.0, |step| step.1)
    }

    /// The shortest length after which at least the share `p` is over; `None` while too many are still open to say.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        // Rounding of the products must not push a share of exactly p beyond its step.
        let step = self.steps.iter().find(|step| 1.0 - step.1 >= p - 1e-12)?;
        Some(step.0)
    }
}
