//! The whole picture of an account.

mod parts;

use serde::Serialize;
use upswell_proto::ingestion::v1 as pb;
use upswell_runtime::money::Money;

use self::parts::{
    Contact, Invoice, OfferRecord, Provenance, Reply, Series, Subscription, Survey, Ticket, TouchRecord,
};
use super::output::{View, card, cashes, day, part, wire_moneys, yes};
use crate::wire::date;

/// Everything known about one account; every part names the fact behind it.
#[derive(Serialize)]
pub(super) struct Account360 {
    account: String,
    profile: Option<Profile>,
    mrr: Vec<Money>,
    contacts: Vec<Contact>,
    subscriptions: Vec<Subscription>,
    series: Vec<Series>,
    tickets: Vec<Ticket>,
    surveys: Vec<Survey>,
    invoices: Vec<Invoice>,
    touches: Vec<TouchRecord>,
    replies: Vec<Reply>,
    offers: Vec<OfferRecord>,
}

/// Who the account is.
#[derive(Serialize)]
struct Profile {
    name: String,
    segment: String,
    industry: String,
    country: String,
    time_zone: String,
    language: String,
    enterprise: bool,
    csm: String,
    customer_since: Option<jiff::civil::Date>,
    primary_metric: String,
    provenance: Option<Provenance>,
}

impl From<pb::GetAccount360Response> for Account360 {
    fn from(answer: pb::GetAccount360Response) -> Self {
        let account = answer.account.unwrap_or_default();
        let provenance = account.provenance;
        Self {
            account: account.account_id,
            profile: account.profile.map(|profile| profile_of(profile, provenance)),
            mrr: wire_moneys(&answer.mrr),
            contacts: each(answer.contacts),
            subscriptions: each(answer.subscriptions),
            series: each(answer.series),
            tickets: each(answer.tickets),
            surveys: each(answer.surveys),
            invoices: each(answer.invoices),
            touches: each(answer.touches),
            replies: each(answer.replies),
            offers: each(answer.offers),
        }
    }
}

fn each<T, V: From<T>>(items: Vec<T>) -> Vec<V> {
    items.into_iter().map(V::from).collect()
}

fn profile_of(profile: pb::AccountProfile, provenance: Option<pb::Provenance>) -> Profile {
    Profile {
        name: profile.display_name,
        segment: profile.segment,
        industry: profile.industry,
        country: profile.country_code,
        time_zone: profile.time_zone,
        language: profile.language_code,
        enterprise: profile.enterprise,
        csm: profile.csm_id,
        customer_since: date(profile.customer_since.as_ref()),
        primary_metric: profile.primary_metric,
        provenance: provenance.map(Provenance::from),
    }
}

impl View for Account360 {
    fn render(&self) -> String {
        let mut lines = vec![("account", self.account.clone()), ("MRR", cashes(&self.mrr))];
        if let Some(profile) = &self.profile {
            lines.extend([
                ("name", profile.name.clone()),
                ("segment", profile.segment.clone()),
                ("enterprise", yes(profile.enterprise)),
                ("industry", profile.industry.clone()),
                ("country", profile.country.clone()),
                ("time zone", profile.time_zone.clone()),
                ("language", profile.language.clone()),
                ("csm", profile.csm.clone()),
                ("customer since", day(profile.customer_since)),
                ("volume", profile.primary_metric.clone()),
            ]);
        } else {
            lines.push(("profile", "none arrived yet".to_owned()));
        }
        [
            card(&lines),
            part("People", &self.contacts),
            part("Subscriptions", &self.subscriptions),
            part("Use", &self.series),
            part("Tickets", &self.tickets),
            part("Surveys", &self.surveys),
            part("Invoices", &self.invoices),
            part("Offers", &self.offers),
            part("Touches", &self.touches),
            part("Replies", &self.replies),
        ]
        .concat()
    }
}
