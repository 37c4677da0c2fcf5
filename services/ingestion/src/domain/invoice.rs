//! Invoices and what was paid of them.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::civil::Date;
use upswell_runtime::money::Money;

use super::{
    fact::{Body, Invoice, Payment},
    standing::{Document, standing},
    words::Kind,
};

/// An invoice with its payments.
#[derive(Clone, Copy, Debug)]
pub struct InvoiceState<'a> {
    /// The invoice as it stands.
    pub invoice: &'a Invoice,
    /// The fact behind it.
    pub document: &'a Document,
    /// Sum of its payments in its currency.
    pub paid: Money,
    /// The day on which the payments reached the amount.
    pub paid_in_full: Option<Date>,
}

/// All invoices, the newest first. A payment in another currency is kept but pays nothing: there is no rate to judge by.
pub fn invoices(documents: &[Document]) -> Vec<InvoiceState<'_>> {
    let mut payments: BTreeMap<&str, Vec<&Payment>> = BTreeMap::new();
    for document in documents {
        if let Body::Payment(payment) = &document.fact.body {
            payments.entry(&payment.invoice_id).or_default().push(payment);
        }
    }
    let latest = standing(
        documents
            .iter()
            .filter(|document| document.fact.body.kind() == Kind::Invoice),
    );
    let states = latest.into_values().filter_map(|document| match &document.fact.body {
        Body::Invoice(invoice) => {
            let payments = payments.get(invoice.invoice_id.as_str()).map_or(&[][..], Vec::as_slice);
            Some(state(invoice, document, payments))
        }
        _ => None,
    });
    let mut states: Vec<_> = states.collect();
    states.sort_by_key(|state| (Reverse(state.invoice.issue_date), &state.invoice.invoice_id));
    states
}

fn state<'a>(invoice: &'a Invoice, document: &'a Document, payments: &[&Payment]) -> InvoiceState<'a> {
    let currency = invoice.amount.currency;
    let mut fitting: Vec<_> = payments
        .iter()
        .filter(|payment| payment.amount.currency == currency)
        .collect();
    fitting.sort_by_key(|payment| payment.pay_date);
    let mut paid = Money::zero(currency);
    let mut paid_in_full = invoice.amount.is_zero().then_some(invoice.issue_date);
    for payment in fitting {
        // Payments beyond 64 bits of minor units stop adding up, which is beyond any amount due as well.
        paid = paid.checked_add(payment.amount).unwrap_or(paid);
        if paid >= invoice.amount && paid_in_full.is_none() {
            paid_in_full = Some(payment.pay_date);
        }
    }
    InvoiceState {
        invoice,
        document,
        paid,
        paid_in_full,
    }
}
