//! The way from signals to money, counted step by step (K-9).
//!
//! Between the sending and the answer only some channels tell how far a message came. A step that no channel of a slice
//! tells of is not measured, which is something else than 0; and a share compares only what the same channels tell of.

use std::collections::BTreeMap;

use super::revenue::share;

/// Steps from a signal to money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Signals that opened.
    Signals,
    /// Offers sent.
    Sent,
    /// Offers that reached a person.
    Delivered,
    /// Offers that were opened.
    Opened,
    /// Offers whose link was followed.
    Clicked,
    /// Offers accepted.
    Accepted,
    /// Orders paid.
    Paid,
}

impl Stage {
    /// All of them in order; the place is the number on the wire less one.
    pub const ALL: [Self; 7] = [
        Self::Signals,
        Self::Sent,
        Self::Delivered,
        Self::Opened,
        Self::Clicked,
        Self::Accepted,
        Self::Paid,
    ];

    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signals => "signals",
            Self::Sent => "offers_sent",
            Self::Delivered => "delivered",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Accepted => "accepted",
            Self::Paid => "paid",
        }
    }
}

/// How far the offers of one channel came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Offers sent in the window.
    pub sent: i64,
    /// Offers delivered, opened and clicked in the window.
    pub reached: [i64; 3],
    /// The channel tells of these steps.
    pub told: [bool; 3],
}

/// What is counted on the way, each step when it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Signals that opened in the window.
    pub signals: i64,
    /// Offers by channel.
    pub channels: BTreeMap<String, Reach>,
    /// Offers accepted in the window.
    pub accepted: i64,
    /// Orders paid in the window.
    pub paid: i64,
}

/// One step with its count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageCount {
    /// The step.
    pub stage: Stage,
    /// How many; `None` when not measured.
    pub count: Option<i64>,
    /// Share of the measured step before. It may pass 1, where a step answers what was done before the window.
    pub conversion: Option<f64>,
}

impl Way {
    /// Offers sent in the window.
    pub fn sent(&self) -> i64 {
        self.channels.values().map(|reach| reach.sent).sum()
    }

    /// Something was counted.
    pub fn is_active(&self) -> bool {
        let reached = self.channels.values().flat_map(|reach| reach.reached).sum::<i64>();
        self.signals + self.sent() + reached + self.accepted + self.paid > 0
    }

    /// The steps in order.
    pub fn stages(&self) -> Vec<StageCount> {
        let step = |stage| {
            let (count, before) = self.count(stage);
            StageCount {
                stage,
                count,
                conversion: count.zip(before).and_then(|(count, before)| share(count, before)),
            }
        };
        Stage::ALL.into_iter().map(step).collect()
    }

    /// The step that the smallest share reached of the measured one before; nothing when no step loses.
    pub fn largest_loss(&self) -> Option<Stage> {
        let lossy = self
            .stages()
            .into_iter()
            .filter_map(|step| Some((step.stage, step.conversion.filter(|share| *share < 1.0)?)));
        lossy.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(stage, _)| stage)
    }

    /// How many, and how many of the step before.
    fn count(&self, stage: Stage) -> (Option<i64>, Option<i64>) {
        match stage {
            Stage::Signals => (Some(self.signals), None),
            Stage::Sent => (Some(self.sent()), Some(self.signals)),
            Stage::Delivered => self.told(0),
            Stage::Opened => self.told(1),
            Stage::Clicked => self.told(2),
            // The answer follows the last step that every channel tells of.
            Stage::Accepted => (
                Some(self.accepted),
                Some(before(3, &self.channels.values().collect::<Vec<_>>())),
            ),
            Stage::Paid => (Some(self.paid), Some(self.accepted)),
        }
    }

    fn told(&self, index: usize) -> (Option<i64>, Option<i64>) {
        let telling: Vec<&Reach> = self.channels.values().filter(|reach| reach.told[index]).collect();
        if telling.is_empty() {
            return (None, None);
        }
        let count = telling.iter().map(|reach| reach.reached[index]).sum();
        (Some(count), Some(before(index, &telling)))
    }
}

/// The last step before `index` that all of these channels tell of, else what they sent.
fn before(index: usize, channels: &[&Reach]) -> i64 {
    let step = (0..index)
        .rev()
        .find(|&step| !channels.is_empty() && channels.iter().all(|reach| reach.told[step]));
    let count = |reach: &&Reach| step.map_or(reach.sent, |step| reach.reached[step]);
    channels.iter().map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(signals: i64, channels: &[(&str, i64, [Option<i64>; 3])], accepted: i64, paid: i64) -> Way {
        let reach = |sent, steps: [Option<i64>; 3]| Reach {
            sent,
            reached: steps.map(Option::unwrap_or_default),
            told: steps.map(|step| step.is_some()),
        };
        Way {
            signals,
            channels: channels
                .iter()
                .map(|&(name, sent, steps)| (name.to_owned(), reach(sent, steps)))
                .collect(),
            accepted,
            paid,
        }
    }

    #[test]
    fn k9_a_step_is_a_share_of_what_the_same_channels_tell_of() {
        let not = [None; 3];
        let all = |way: Way| {
            way.stages()
                .iter()
                .map(|step| (step.count, step.conversion))
                .collect::<Vec<_>>()
        };
        // Nobody tells: the answer follows the sending.
        let steps = all(way(20, &[("csm_task", 10, not)], 0, 1));
        assert_eq!(
            steps,
            [
                (Some(20), None),
                (Some(10), Some(0.5)),
                (None, None),
                (None, None),
                (None, None),
                (Some(0), Some(0.0)),
                (Some(1), None)
            ]
        );
        // A telephone tells of delivery only, a product of everything, a task of nothing.
        let mixed = [
            ("csm_task", 40, not),
            ("in_app", 10, [Some(8), Some(4), Some(1)]),
            ("sms", 50, [Some(40), None, None]),
        ];
        let steps = all(way(200, &mixed, 5, 4));
        assert_eq!(steps[1], (Some(100), Some(0.5)));
        assert_eq!(steps[2], (Some(48), Some(0.8)), "of the 60 that may be told");
        assert_eq!(steps[3], (Some(4), Some(0.5)), "of the 8 that the product delivered");
        assert_eq!(steps[4], (Some(1), Some(0.25)));
        assert_eq!(steps[5], (Some(5), Some(0.05)), "of all that were sent");
        // Mail without receipts knows who followed the link, not who read.
        let steps = all(way(10, &[("email", 10, [None, None, Some(2)])], 1, 1));
        assert_eq!(
            (steps[2], steps[3], steps[4]),
            ((None, None), (None, None), (Some(2), Some(0.2)))
        );
        assert_eq!(steps[5], (Some(1), Some(0.5)), "all channels tell of the click");
        // A channel that tells may tell of none: that is 0.
        let steps = all(way(1, &[("in_app", 1, [Some(0), Some(0), Some(0)])], 0, 0));
        assert_eq!((steps[2], steps[3]), ((Some(0), Some(0.0)), (Some(0), None)));
    }

    #[test]
    fn k9_the_largest_loss_is_named() {
        let named =
            |signals, sent, accepted, paid| way(signals, &[("email", sent, [None; 3])], accepted, paid).largest_loss();
        assert_eq!(named(20, 10, 3, 3), Some(Stage::Accepted));
        assert_eq!(named(20, 2, 2, 1), Some(Stage::Sent));
        assert_eq!(named(2, 2, 3, 3), None, "nothing was lost");
        assert_eq!(way(0, &[], 0, 0).largest_loss(), None);
        let seen = [("in_app", 10, [Some(9), Some(1), Some(1)])];
        assert_eq!(way(10, &seen, 1, 1).largest_loss(), Some(Stage::Opened));
    }
}
