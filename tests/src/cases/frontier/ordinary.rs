//! What every account has: a profile, people, a contract, use, invoices; and what makes some of them special.

use serde_json::{Value, json};

use super::{HISTORY_DAYS, PLAYED_DAYS, START};
use crate::cases::lines::{Lines, at, day, is_workday, plus};

const ACCOUNTS: i64 = 40;
/// Days from the start to the renewal, for those accounts whose renewal matters to the case.
const RENEWALS: [(i64, i64); 5] = [(6, 25), (7, 200), (17, 64), (18, 125), (14, 20)];
/// Accounts whose use grows by a quarter before the start.
const GROWING: [i64; 16] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 16, 23, 26, 29, 32, 35, 38];

/// One account.
pub(super) struct Account {
    pub(super) id: String,
    number: i64,
}

/// The accounts, by number.
pub(super) fn accounts() -> impl Iterator<Item = Account> {
    (1..=ACCOUNTS).map(|number| Account {
        id: format!("f-{number:02}"),
        number,
    })
}

/// What an account pays for.
struct Plan {
    product: &'static str,
    price: &'static str,
    period: &'static str,
    seats: i64,
    records: i64,
}

impl Account {
    /// All its facts.
    pub(super) fn write(&self, lines: &mut Lines) {
        self.who(lines);
        self.contract(lines);
        self.product(lines);
        self.invoices(lines);
    }

    fn is_enterprise(&self) -> bool {
        (3..=5).contains(&self.number) || self.number > 37
    }

    fn plan(&self) -> Plan {
        if self.is_enterprise() {
            return Plan {
                product: "enterprise",
                price: "48000.00 USD",
                period: "year",
                seats: 120,
                records: 900_000,
            };
        }
        if self.number % 2 == 0 {
            return Plan {
                product: "pro",
                price: "99.00 USD",
                period: "month",
                seats: 25,
                records: 90_000,
            };
        }
        Plan {
            product: "basic",
            price: "87.00 USD",
            period: "quarter",
            seats: 5,
            records: 9_000,
        }
    }

    fn segment(&self) -> &'static str {
        match self.plan().product {
            "enterprise" => "enterprise",
            "pro" => "mid-market",
            _ => "smb",
        }
    }

    fn who(&self, lines: &mut Lines) {
        let Self { id, number } = self;
        let (country, zone) = [
            ("US", "America/New_York"),
            ("DE", "Europe/Berlin"),
            ("MY", "Asia/Kuala_Lumpur"),
        ][(number % 3) as usize];
        // Account 20 has nobody in charge.
        let csm = if *number == 20 {
            Value::Null
        } else {
            json!(format!("csm-{}", ["ada", "ben", "cho"][(number % 3) as usize]))
        };
        let profile = json!({
            "name": format!("Frontier {number}"), "segment": self.segment(), "industry": "software", "country": country,
            "time_zone": zone, "language": "en", "enterprise": self.is_enterprise(), "csm_id": csm,
            "customer_since": "2024-05-01", "primary_metric": "records",
        });
        let known = at(plus(day(START), -HISTORY_DAYS), 4, 0);
        lines.fact("crm", &format!("{id}@1"), id, known, "account_profile", profile);
        let first_name = ["Kim", "Alex", "Sam"][(number % 3) as usize];
        for (role, budget, champion) in [
            ("business", true, true),
            ("finance", true, false),
            ("end_user", false, false),
        ] {
            let contact_id = format!("{id}-{role}");
            let contact = json!({
                "contact_id": contact_id, "first_name": first_name, "role": role,
                "budget_holder": budget, "renewal_decision_maker": role == "finance", "champion": champion,
                "points": [{"channel": "email", "address": format!("{role}@{id}.example"), "consent": true}],
            });
            lines.fact("crm", &format!("{contact_id}@1"), id, known, "contact", contact);
        }
        let survey = json!({"survey": "nps", "score": if *number == 21 { 10 } else { 8 }, "contact_id": format!("{id}-business")});
        lines.fact(
            "survey",
            &format!("nps-{id}"),
            id,
            at(plus(day(START), -30), 6, 0),
            "survey",
            survey,
        );
    }

    fn renewal_offset(&self) -> i64 {
        RENEWALS
            .iter()
            .find(|(number, _)| *number == self.number)
            .map_or(150 + self.number * 3, |(_, offset)| *offset)
    }

    fn terms(&self) -> Value {
        let plan = self.plan();
        let renewal = plus(day(START), self.renewal_offset());
        json!({
            "subscription_id": format!("sub-{}", self.id), "product": plan.product, "kind": "plan",
            "unit_price": plan.price, "quantity": 1, "period": plan.period, "effective": plus(renewal, -365).to_string(),
            "renewal": renewal.to_string(), "seats": plan.seats,
            "limits": [{"metric": "records", "value": plan.records}],
        })
    }

    fn contract(&self, lines: &mut Lines) {
        let id = &self.id;
        let signed = at(plus(day(START), -HISTORY_DAYS), 5, 0);
        lines.fact(
            "billing",
            &format!("sub-{id}@1"),
            id,
            signed,
            "subscription",
            self.terms(),
        );
        let change = |lines: &mut Lines, offset: i64, with: &[(&str, Value)]| {
            let when = plus(day(START), offset);
            let mut terms = self.terms();
            terms["effective"] = json!(when.to_string());
            for (key, value) in with {
                terms[*key] = value.clone();
            }
            lines.fact(
                "billing",
                &format!("sub-{id}@2"),
                id,
                at(when, 5, 0),
                "subscription",
                terms,
            );
        };
        match self.number {
            // The renewal moves from far away into the window of two touches a week.
            7 => change(lines, 10, &[("renewal", json!(plus(day(START), 55).to_string()))]),
            // It ends with its term.
            14 => change(lines, 1, &[("end", json!(plus(day(START), 20).to_string()))]),
            // It gets by with less.
            15 => change(lines, 15, &[("unit_price", json!("60.00 USD"))]),
            _ => {}
        }
    }

    fn product(&self, lines: &mut Lines) {
        let id = &self.id;
        let base = self.plan().records / 60;
        for offset in -HISTORY_DAYS..PLAYED_DAYS {
            let today = plus(day(START), offset);
            let date = today.to_string();
            let noise = 1.0 + 0.02 * (2.0 * lines.chance(&["noise", id, &date]) - 1.0);
            let value = (base as f64 * self.level(offset) * noise).round() as i64;
            let usage = json!({"metric": "records", "day": date, "value": value});
            let name = format!("u-{id}-{date}");
            let told = at(today, 23, 30);
            // Account 9's use becomes known five days late; account 8's is sent again and again.
            let head: Vec<(&str, Value)> = if self.number == 9 {
                vec![("known_at", json!(at(plus(today, 5), 6, 0).to_string()))]
            } else {
                Vec::new()
            };
            let copies = if self.number == 8 {
                1 + (offset.rem_euclid(3))
            } else {
                1
            };
            for _ in 0..copies {
                lines.full_fact("product", &name, id, told, "usage", usage.clone(), &head);
            }
            if offset >= -60 && is_workday(today) {
                let seats = self.plan().seats;
                let users = (seats * 2 / 3).max(1);
                let activity = json!({"day": date, "active_users": users, "logins": users * 2});
                lines.fact("product", &format!("a-{id}-{date}"), id, told, "activity", activity);
                if self.number == 12 && offset >= -20 {
                    let feature = json!({"feature": "reports-export", "day": date, "users": 4, "uses": 9});
                    lines.fact("product", &format!("x-{id}-{date}"), id, told, "feature_use", feature);
                }
            }
        }
    }

    /// Use against the base.
    fn level(&self, offset: i64) -> f64 {
        match self.number {
            // Close to the limit all the time.
            11 => 1.85,
            // Falls by a fifth three weeks before the start.
            13 if offset >= -21 => 0.8,
            number if GROWING.contains(&number) => 1.0 + 0.25 * ((offset + 56).clamp(0, 42) as f64 / 42.0),
            _ => 1.0,
        }
    }

    fn invoices(&self, lines: &mut Lines) {
        let id = &self.id;
        let amount = if self.is_enterprise() {
            "4000.00 USD"
        } else {
            "99.00 USD"
        };
        for month in [
            "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04",
        ] {
            let issued = day(&format!("{month}-01"));
            if issued < plus(day(START), -HISTORY_DAYS) {
                continue;
            }
            let invoice_id = format!("inv-{id}-{month}");
            let invoice = json!({
                "invoice_id": invoice_id, "amount": amount, "issued": issued.to_string(), "due": plus(issued, 14).to_string(),
            });
            lines.fact("billing", &invoice_id, id, at(issued, 5, 0), "invoice", invoice);
            let paid = plus(issued, lines.pick(2, 12, &["paid", &invoice_id]));
            let payment = json!({"invoice_id": invoice_id, "amount": amount, "paid": paid.to_string()});
            lines.fact(
                "billing",
                &format!("pay-{invoice_id}"),
                id,
                at(paid, 9, 0),
                "payment",
                payment,
            );
        }
    }
}
