use proptest::prelude::*;

use super::{Drift, Learned, Outcomes};

const BAND: (f64, f64) = (0.20, 0.30);
const WEIGHT: f64 = 50.0;

fn of(accepted: u32, refused: u32) -> Outcomes {
    Outcomes { accepted, refused }
}

#[test]
fn m1_the_posterior_is_counted_by_hand() {
    for (segment, others, expected) in [
        (of(0, 0), of(0, 0), 0.25),
        // (0.25 × 50 + 9) / (50 + 12)
        (of(9, 3), of(0, 0), 21.5 / 62.0),
        // The motion comes to (12.5 + 50) / 150; that is where the segment begins.
        (of(0, 0), of(50, 50), 62.5 / 150.0),
        (of(0, 50), of(50, 50), 62.5 / 150.0 * 50.0 / 100.0),
    ] {
        let found = Learned { segment, others }.acceptance(BAND, WEIGHT);
        assert!((found - expected).abs() < 1e-12, "{segment:?} {others:?}: {found}");
    }
}

#[test]
fn m1_without_outcomes_it_is_the_middle_of_the_band_to_the_last_bit() {
    for band in [(0.08, 0.15), (0.10, 0.18), (0.05, 0.12), (0.20, 0.35)] {
        let acceptance = Learned::default().acceptance(band, WEIGHT);
        assert_eq!(acceptance.to_bits(), f64::midpoint(band.0, band.1).to_bits());
    }
}

#[test]
fn m1_a_motion_that_leaves_its_band_is_told_when_it_is_certain() {
    for (outcomes, expected) in [
        (of(0, 0), Drift::Within),
        (of(25, 75), Drift::Within),
        // Nobody of 20: the mean is 0.18, but that may be chance.
        (of(0, 20), Drift::Within),
        (of(2, 98), Drift::Below),
        (of(9, 3), Drift::Within),
        (of(60, 40), Drift::Above),
        (of(230, 770), Drift::Within),
    ] {
        assert_eq!(outcomes.drift(BAND, WEIGHT, 0.9), expected, "{outcomes:?}");
    }
}

proptest! {
    #[test]
    fn m1_the_posterior_lies_between_what_was_believed_and_what_was_seen(
        segment in (0_u32..500, 0_u32..500),
        others in (0_u32..500, 0_u32..500),
        low in 0.01_f64..0.5,
        width in 0.0_f64..0.4,
        weight in 1.0_f64..1_000.0,
    ) {
        let band = (low, low + width);
        let learned = Learned { segment: of(segment.0, segment.1), others: of(others.0, others.1) };
        let found = learned.acceptance(band, weight);
        let mut seen = vec![f64::midpoint(band.0, band.1)];
        for (accepted, refused) in [segment, others] {
            if accepted + refused > 0 {
                seen.push(f64::from(accepted) / f64::from(accepted + refused));
            }
        }
        let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
        let most = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(found >= least - 1e-12 && found <= most + 1e-12, "{} not in {}..{}", found, least, most);
        // One acceptance more never makes acceptance less probable.
        let more = Learned { segment: of(segment.0 + 1, segment.1), ..learned };
        prop_assert!(more.acceptance(band, weight) > found - 1e-12);
    }
}
