//! What the other services tell about one account, in good health unless a test says otherwise.

use jiff::Timestamp;
use upswell_proto::{
    gtype,
    ingestion::v1::{self as ingestion, subscription_terms},
    renewals::v1::{self as renewals, deal},
    scoring::v1::{self as scoring, health, signal},
    vocabulary::v1::{BillingPeriod, Channel, ContactRole, SignalKind, TouchClass},
};

use super::world::{ACCOUNT, World, at, wire};

pub(crate) fn day(text: &str) -> Option<gtype::Date> {
    let date: jiff::civil::Date = text.parse().unwrap();
    Some(gtype::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    })
}

pub(crate) fn usd(units: i64) -> Option<gtype::Money> {
    Some(gtype::Money {
        currency_code: "USD".into(),
        units,
        nanos: 0,
    })
}

impl World {
    /// A key that belongs to the account of the moment.
    fn own(&self, key: &str) -> String {
        if self.account == ACCOUNT {
            key.to_owned()
        } else {
            format!("{key}-{}", self.account)
        }
    }

    /// Everything about the account but a reason to write to it; its arm is drawn.
    pub(crate) async fn known(&mut self) {
        self.profile(false, "csm-1").await;
        self.contact(true).await;
        self.plan().await;
        self.score(0.6, 0).await;
        self.run().await;
    }

    pub(crate) async fn profile(&mut self, enterprise: bool, csm: &str) {
        self.profile_of(&self.account.clone(), enterprise, csm).await;
    }

    pub(crate) async fn profile_of(&mut self, account: &str, enterprise: bool, csm: &str) {
        let profile = ingestion::AccountProfile {
            display_name: "Acme".into(),
            segment: "mid-market".into(),
            industry: "freight".into(),
            country_code: "KZ".into(),
            time_zone: "Asia/Almaty".into(),
            language_code: "en".into(),
            enterprise,
            csm_id: csm.into(),
            customer_since: day("2024-01-01"),
            primary_metric: "users".into(),
        };
        let event = ingestion::AccountProfileChanged {
            account_id: account.into(),
            profile: Some(profile),
        };
        self.tell("ingestion", account, &event).await;
    }

    pub(crate) async fn contact(&mut self, consent: bool) {
        let point = |channel: Channel, address: &str| ingestion::ContactPoint {
            channel: channel.into(),
            address: address.into(),
            consent,
        };
        let contact = ingestion::ContactProfile {
            contact_id: self.own("ann"),
            first_name: "Ann".into(),
            role: ContactRole::Business.into(),
            budget_holder: true,
            renewal_decision_maker: true,
            champion: true,
            points: vec![point(Channel::Email, "ann@acme.example"), point(Channel::InApp, "ann")],
            language_code: "en".into(),
        };
        let event = ingestion::ContactChanged {
            account_id: self.account.clone(),
            contact: Some(contact),
        };
        self.tell("ingestion", &self.account.clone(), &event).await;
    }

    /// The contact with other addresses, to all of which the person agreed.
    pub(crate) async fn contact_at(&mut self, points: &[(Channel, &str)]) {
        let point = |(channel, address): &(Channel, &str)| ingestion::ContactPoint {
            channel: (*channel).into(),
            address: (*address).into(),
            consent: true,
        };
        let contact = ingestion::ContactProfile {
            contact_id: "ann".into(),
            first_name: "Ann".into(),
            role: ContactRole::Business.into(),
            budget_holder: true,
            renewal_decision_maker: true,
            champion: true,
            points: points.iter().map(point).collect(),
            language_code: "en".into(),
        };
        let event = ingestion::ContactChanged {
            account_id: ACCOUNT.into(),
            contact: Some(contact),
        };
        self.tell("ingestion", ACCOUNT, &event).await;
    }

    pub(crate) async fn plan(&mut self) {
        let terms = ingestion::SubscriptionTerms {
            subscription_id: self.own("sub-1"),
            product: "pro".into(),
            kind: subscription_terms::Kind::Plan.into(),
            unit_price: usd(99),
            quantity: 1,
            period: BillingPeriod::Month.into(),
            effective_date: day("2026-01-01"),
            end_date: None,
            renewal_date: day("2027-06-01"),
            limits: vec![ingestion::Limit {
                metric: "users".into(),
                value: 25,
                standing: true,
            }],
            order_id: String::new(),
            seats: 25,
            ..ingestion::SubscriptionTerms::default()
        };
        let event = ingestion::SubscriptionChanged {
            account_id: self.account.clone(),
            version_id: self.own("crm/1"),
            terms: Some(terms),
            mrr: usd(99),
            occur_time: Some(wire(at("2026-01-01T00:00:00Z"))),
            superseded: false,
            renewal_mrr: None,
        };
        self.tell("ingestion", &self.account.clone(), &event).await;
    }

    pub(crate) async fn score(&mut self, propensity: f64, critical: i32) {
        let health = scoring::Health {
            value: 80,
            raw: 80,
            band: health::Band::Green.into(),
            components: vec![],
        };
        let score = scoring::Score {
            account_id: self.account.clone(),
            as_of_day: day("2026-10-11"),
            score_time: Some(wire(self.clock.now())),
            health: Some(health),
            health_change: None,
            churn_risk: 0.1,
            expansion_propensity: propensity,
            reasons: vec![],
            model_version: "rules-1".into(),
            open_critical_tickets: critical,
            oldest_critical_open_time: None,
            missing_inputs: vec![],
            ..Default::default()
        };
        self.tell(
            "scoring",
            &self.account.clone(),
            &scoring::ScoreChanged { score: Some(score) },
        )
        .await;
    }

    /// The seats are nearly used up: a reason for a capacity offer.
    pub(crate) async fn limit_signal(&mut self, state: signal::State) {
        let figures = [("used_percent", 92.0, "%"), ("days_to_limit", 9.0, "d")];
        self.signal(SignalKind::LimitApproach, "users", state, &figures).await;
    }

    /// Three tickets on one topic: a reason for a recipe, and later for premium support.
    pub(crate) async fn ticket_signal(&mut self) {
        self.signal(
            SignalKind::TicketCluster,
            "integrations",
            signal::State::Open,
            &[("tickets", 3.0, "tickets")],
        )
        .await;
    }

    pub(crate) async fn signal(
        &mut self,
        kind: SignalKind,
        subject: &str,
        state: signal::State,
        figures: &[(&str, f64, &str)],
    ) {
        let evidence = figures.iter().map(|(name, value, unit)| scoring::Evidence {
            name: (*name).into(),
            value: *value,
            unit: (*unit).into(),
            baseline: None,
            window_start_day: day("2026-10-01"),
            window_end_day: day("2026-10-11"),
            facts: format!("usage/{subject}"),
        });
        let signal = scoring::Signal {
            signal_id: self.own(&format!("signal-{subject}")),
            account_id: self.account.clone(),
            kind: kind.into(),
            subject: subject.into(),
            state: state.into(),
            grade: signal::Grade::High.into(),
            strength: 0.8,
            evidence: evidence.collect(),
            open_time: Some(wire(at("2026-10-12T01:00:00Z"))),
            last_seen_time: Some(wire(self.clock.now())),
            close_time: None,
            offer_id: String::new(),
        };
        self.tell(
            "scoring",
            &self.account.clone(),
            &scoring::SignalChanged { signal: Some(signal) },
        )
        .await;
    }

    pub(crate) async fn deal(&mut self, renewal: &str, stage: deal::Stage) {
        let deal = renewals::Deal {
            deal_id: self.own("deal-1"),
            account_id: self.account.clone(),
            subscription_id: self.own("sub-1"),
            renewal_date: day(renewal),
            stage: stage.into(),
            ..Default::default()
        };
        let event = renewals::DealChanged {
            deal: Some(deal),
            previous_renewal_date: None,
        };
        self.tell("renewals", &self.account.clone(), &event).await;
    }

    pub(crate) async fn ticket(&mut self, severity: ingestion::ticket::Severity, resolved: bool) {
        let ticket = ingestion::Ticket {
            ticket_id: self.own("t-1"),
            topic: "billing".into(),
            severity: severity.into(),
            open_time: Some(wire(at("2026-10-12T02:00:00Z"))),
            first_reply_time: None,
            resolve_time: resolved.then(|| wire(self.clock.now())),
        };
        let event = ingestion::TicketChanged {
            account_id: self.account.clone(),
            ticket: Some(ticket),
        };
        self.tell("ingestion", &self.account.clone(), &event).await;
    }

    pub(crate) async fn observed(&mut self, class: TouchClass, time: &str) {
        self.touch_told(&self.account.clone(), class, time, false).await;
    }

    pub(crate) async fn touch_told(&mut self, account: &str, class: TouchClass, time: &str, superseded: bool) {
        let touch = ingestion::ExternalTouch {
            class: class.into(),
            channel: Channel::Email.into(),
            contact_id: String::new(),
            sender: "crm".into(),
            proposes_expansion: false,
        };
        let event = ingestion::TouchObserved {
            account_id: account.into(),
            touch: Some(touch),
            touch_time: Some(wire(at(time))),
            fact_id: format!("crm/{time}"),
            superseded,
            ..Default::default()
        };
        self.tell("ingestion", account, &event).await;
    }

    pub(crate) async fn reply(&mut self, offer_id: &str, text: &str) {
        self.reply_of(offer_id, text, self.clock.now()).await;
    }

    /// A reply that was written at `time` and is told now.
    pub(crate) async fn reply_of(&mut self, offer_id: &str, text: &str, time: Timestamp) {
        let reply = ingestion::Reply {
            offer_id: offer_id.into(),
            contact_id: self.own("ann"),
            channel: Channel::Email.into(),
            text: text.into(),
        };
        let event = ingestion::ReplyReceived {
            account_id: self.account.clone(),
            reply: Some(reply),
            reply_time: Some(wire(time)),
            fact_id: format!("mail/{text}/{time}"),
            ..Default::default()
        };
        self.tell("ingestion", &self.account.clone(), &event).await;
    }

    /// The fact that `reply` told at `time` was corrected.
    pub(crate) async fn reply_corrected(&mut self, text: &str, time: &str) {
        let event = ingestion::ReplyReceived {
            account_id: self.account.clone(),
            reply: None,
            reply_time: Some(wire(at(time))),
            fact_id: format!("mail/{text}/{}", at(time)),
            superseded: true,
            ..Default::default()
        };
        self.tell("ingestion", &self.account.clone(), &event).await;
    }

    /// `merged` becomes part of the account, or is on its own again.
    pub(crate) async fn merge(&mut self, merged: &str, undone: bool) {
        let (account_id, merged_account_id, merge_id) =
            (self.account.clone(), merged.into(), format!("merge-{merged}"));
        if undone {
            let event = ingestion::AccountsUnmerged {
                account_id,
                merged_account_id,
                merge_id,
            };
            self.tell("ingestion", &self.account.clone(), &event).await;
        } else {
            let event = ingestion::AccountsMerged {
                account_id,
                merged_account_id,
                merge_id,
            };
            self.tell("ingestion", &self.account.clone(), &event).await;
        }
    }

    pub(crate) async fn payment(&mut self, order_id: &str) {
        self.payment_told("bank", order_id, false).await;
    }

    pub(crate) async fn payment_told(&mut self, source: &str, order_id: &str, superseded: bool) {
        let payment = ingestion::Payment {
            invoice_id: "inv-1".into(),
            amount: usd(25),
            pay_date: day("2026-10-15"),
            order_id: order_id.into(),
        };
        let event = ingestion::PaymentRecorded {
            account_id: self.account.clone(),
            payment: Some(payment),
            pay_time: Some(wire(self.clock.now())),
            fact_id: format!("{source}/{order_id}"),
            superseded,
            ..Default::default()
        };
        self.tell("ingestion", &self.account.clone(), &event).await;
    }
}
