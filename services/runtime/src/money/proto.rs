//! `google.type.Money` on the wire.

use upswell_proto::gtype;

use super::{Currency, Money, MoneyFault};

const NANOS: i128 = 1_000_000_000;

/// Reads a wire amount exactly; what does not fit the currency's minor unit is refused.
pub fn from_proto(wire: &gtype::Money) -> Result<Money, MoneyFault> {
    let gtype::Money {
        currency_code,
        units,
        nanos,
    } = wire;
    let currency: Currency = currency_code.parse()?;
    if !(-999_999_999..=999_999_999).contains(nanos) {
        return Err(MoneyFault::NanosOutOfRange);
    }
    if units.signum() * i64::from(nanos.signum()) < 0 {
        return Err(MoneyFault::SignMismatch);
    }
    let exponent = currency.exponent();
    let scaled = (i128::from(*units) * NANOS + i128::from(*nanos)) * 10_i128.pow(exponent);
    if scaled % NANOS != 0 {
        return Err(MoneyFault::TooPrecise { currency, exponent });
    }
    let minor = i64::try_from(scaled / NANOS).map_err(|_| MoneyFault::Overflow)?;
    Ok(Money { minor, currency })
}

/// Writes an amount for the wire; nothing is lost.
pub fn to_proto(money: Money) -> gtype::Money {
    let scale = 10_i64.pow(money.currency.exponent());
    let nanos = (money.minor % scale) * (1_000_000_000 / scale);
    gtype::Money {
        currency_code: money.currency.to_string(),
        units: money.minor / scale,
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}
