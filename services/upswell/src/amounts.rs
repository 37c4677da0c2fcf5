//! Amounts of money for people.

use upswell_runtime::money::{Currency, Money};

/// An amount for people: thousands apart, the minor part only where there is one, the currency's sign where it has a
/// common one. An unknown currency counts as one with two decimals.
pub fn amount(minor: i64, currency: &str) -> String {
    let exponent = currency.parse::<Currency>().map_or(2, Currency::exponent);
    let unit = 10_u64.pow(exponent);
    let whole = (minor.unsigned_abs() / unit).to_string();
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let rest = minor.unsigned_abs() % unit;
    let rest = if rest == 0 {
        String::new()
    } else {
        format!(".{rest:0width$}", width = exponent as usize)
    };
    let sign = if minor < 0 { "−" } else { "" };
    let name = match currency {
        "KZT" => "₸",
        "USD" => "$",
        "EUR" => "€",
        other => other,
    };
    format!("{sign}{grouped}{rest} {name}")
}

/// [`amount`] of money.
pub fn money(money: Money) -> String {
    amount(money.minor, money.currency.as_str())
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_are_read_by_people() {
        let narrow = |text: &str| text.replace('_', "\u{202f}");
        assert_eq!(amount(151_200_000, "KZT"), narrow("1_512_000 ₸"));
        assert_eq!(amount(-4_167, "USD"), "−41.67 $");
        assert_eq!(amount(5_000, "JPY"), narrow("5_000 JPY"));
        assert_eq!(amount(0, "USD"), "0 $");
    }
}
