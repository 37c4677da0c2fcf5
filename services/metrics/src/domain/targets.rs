//! Numbers of the dashboard against their targets and against the time before the launch (K-14).

/// What is to be reached, by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets {
    /// Net revenue retention, 1 = 100 %.
    pub nrr: f64,
    /// Gross revenue retention.
    pub grr: f64,
    /// Expansion of the window over MRR at its end.
    pub expansion_share: f64,
    /// Mean days from signal to payment, at most.
    pub signal_to_payment_days: f64,
    /// Median days until an account reached its first goal, at most.
    pub onboarding_ttv_days: f64,
    /// Lifetime value over the cost of acquisition.
    pub ltv_to_cac: f64,
    /// Net promoter score, −100 to 100.
    pub nps: f64,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            nrr: 1.10,
            grr: 0.85,
            expansion_share: 0.20,
            signal_to_payment_days: 14.0,
            onboarding_ttv_days: 14.0,
            ltv_to_cac: 3.0,
            nps: 50.0,
        }
    }
}

/// What was measured in a window; each may be unknown, and then says why.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// As in [`Targets`], in that order.
    pub values: [Result<f64, &'static str>; 7],
}

/// Where a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no value.
    Unknown,
    /// At the target or beyond.
    Met,
    /// Missed, and not known to be worse than before.
    Missed,
    /// Missed, and worse than before the launch.
    Alarm,
}

/// One number against its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Its name.
    pub name: &'static str,
    /// The target.
    pub target: f64,
    /// The target is the highest value that is good; else the lowest.
    pub at_most: bool,
    /// The value, or why there is none.
    pub value: Result<f64, &'static str>,
    /// The value before the launch, where it is known.
    pub baseline: Option<f64>,
    /// Where it stands.
    pub state: State,
}

/// Every target with the value of the window and of the time before the launch, where that is known.
pub fn standings(targets: &Targets, now: &Measured, before: Option<&Measured>) -> Vec<Standing> {
    let rows = [
        ("nrr", targets.nrr, false),
        ("grr", targets.grr, false),
        ("expansion_share", targets.expansion_share, false),
        ("signal_to_payment_days", targets.signal_to_payment_days, true),
        ("onboarding_ttv_days", targets.onboarding_ttv_days, true),
        ("ltv_to_cac", targets.ltv_to_cac, false),
        ("nps", targets.nps, false),
    ];
    let of = |(index, (name, target, at_most)): (usize, (&'static str, f64, bool))| {
        let value = now.values[index];
        let baseline = before.and_then(|before| before.values[index].ok());
        Standing {
            name,
            target,
            at_most,
            value,
            baseline,
            state: value.map_or(State::Unknown, |value| state(value, target, at_most, baseline)),
        }
    };
    rows.into_iter().enumerate().map(of).collect()
}

fn state(value: f64, target: f64, at_most: bool, baseline: Option<f64>) -> State {
    let worse = |value: f64, other: f64| if at_most { value > other } else { value < other };
    if !worse(value, target) {
        State::Met
    } else if baseline.is_some_and(|baseline| worse(value, baseline)) {
        State::Alarm
    } else {
        State::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k14_an_alarm_is_a_miss_that_is_worse_than_before() {
        for (value, target, at_most, baseline, expected) in [
            (1.10, 1.10, false, None, State::Met),
            (1.21, 1.10, false, Some(1.30), State::Met),
            (1.05, 1.10, false, None, State::Missed),
            (1.05, 1.10, false, Some(1.02), State::Missed),
            (1.05, 1.10, false, Some(1.08), State::Alarm),
            (9.0, 14.0, true, Some(5.0), State::Met),
            (20.0, 14.0, true, Some(25.0), State::Missed),
            (20.0, 14.0, true, Some(15.0), State::Alarm),
        ] {
            assert_eq!(
                state(value, target, at_most, baseline),
                expected,
                "{value} {target} {baseline:?}"
            );
        }
    }

    #[test]
    fn k14_what_is_not_known_has_no_standing() {
        let mut now = Measured {
            values: [Err("nothing"); 7],
        };
        now.values[1] = Ok(0.9);
        let told = standings(&Targets::default(), &now, None);
        let states: Vec<State> = told.iter().map(|standing| standing.state).collect();
        assert_eq!(states[..3], [State::Unknown, State::Met, State::Unknown]);
        assert_eq!((told[1].name, told[1].target), ("grr", 0.85));
    }
}
