//! The model case of the specification: 30 freight companies, 12 that grow, 11 that struggle with one topic.

use jiff::civil::Date;
use serde_json::json;

use super::lines::{Lines, at, day, is_workday, plus};

const START: &str = "2026-10-12";
const HISTORY_DAYS: i64 = 200;
const PLAYED_DAYS: i64 = 42;
const ACCOUNTS: i64 = 30;
/// Accounts 1 to 12 grow.
const GROWING: i64 = 12;
/// Accounts 9 to 19 open a cluster of tickets, so four of them do both.
const STRUGGLING: std::ops::RangeInclusive<i64> = 9..=19;
/// Growth begins this many days before the start, takes 42 days and ends in a plateau.
const GROWTH_BEGIN: i64 = -56;
const GROWTH_DAYS: i64 = 42;
const GROWTH: f64 = 0.18;
const NOISE: f64 = 0.03;
const SEATS: i64 = 25;

const NAMES: [&str; 30] = [
    "Алтын Жол Логистик",
    "Степь Карго",
    "Жібек Транс",
    "Ертіс Экспресс",
    "Тұлпар Фрахт",
    "Каспий Линк",
    "Медеу Карго",
    "Арал Транзит",
    "Алатау Логистика",
    "Сарыарқа Транс",
    "Достык Экспедиция",
    "Хоргос Хаб",
    "Бәйтерек Карго",
    "Шымкент Авто",
    "Турксиб Сервис",
    "Наурыз Логистик",
    "Балхаш Транс",
    "Атырау Порт Сервис",
    "Жайық Фрахт",
    "Көкжиек Карго",
    "Отрар Логистика",
    "Мангистау Лайн",
    "Семей Экспресс",
    "Тараз Транзит",
    "Кокшетау Карго",
    "Павлодар Рейл",
    "Актобе Терминал",
    "Костанай Агро Транс",
    "Талдыкорган Лайн",
    "Экибастуз Карго",
];

/// Content of `facts.jsonl`.
pub(super) fn facts() -> String {
    let mut lines = Lines::new("model-2026");
    for number in 1..=ACCOUNTS {
        let account = Account {
            id: format!("acct-{number:02}"),
            number,
        };
        account.who(&mut lines);
        account.contract(&mut lines);
        account.use_of_product(&mut lines);
        account.invoices(&mut lines);
        account.tickets(&mut lines);
    }
    lines.finish()
}

struct Account {
    id: String,
    number: i64,
}

impl Account {
    fn begin(&self) -> Date {
        plus(day(START), -HISTORY_DAYS)
    }

    fn who(&self, lines: &mut Lines) {
        let Self { id, number } = self;
        let profile = json!({
            "name": NAMES[(*number - 1) as usize], "segment": "mid-market", "industry": "freight", "country": "KZ",
            "time_zone": "Asia/Almaty", "language": "ru", "csm_id": format!("csm-{}", number % 3 + 1),
            "customer_since": plus(self.begin(), -365).to_string(), "primary_metric": "shipments",
        });
        let known = at(self.begin(), 4, 0);
        lines.fact("crm", &format!("{id}@1"), id, known, "account_profile", profile);
        let people = [
            ("business", "Айгуль", false, true, false),
            ("finance", "Марат", true, false, true),
            ("it", "Ержан", false, false, false),
        ];
        for (role, first_name, decides, champion, budget) in people {
            let contact_id = format!("{id}-{role}");
            let phone = format!("+7701{number:03}{:04}", lines.pick(0, 9999, &["phone", &contact_id]));
            // Every fifth company reads e-mail only.
            let points = json!([
                {"channel": "whatsapp", "address": phone, "consent": number % 5 != 0},
                {"channel": "email", "address": format!("{role}@{id}.example"), "consent": true},
            ]);
            let contact = json!({
                "contact_id": contact_id, "first_name": first_name, "role": role, "budget_holder": budget || champion,
                "renewal_decision_maker": decides, "champion": champion, "points": points,
            });
            lines.fact("crm", &format!("{contact_id}@1"), id, known, "contact", contact);
        }
        let score = lines.pick(7, 9, &["nps", id]);
        let answered = at(plus(day(START), -lines.pick(20, 60, &["nps-day", id])), 6, 0);
        let survey = json!({"survey": "nps", "score": score, "contact_id": format!("{id}-business")});
        lines.fact("survey", &format!("nps-{id}"), id, answered, "survey", survey);
    }

    fn contract(&self, lines: &mut Lines) {
        let Self { id, number } = self;
        // Renewals lie 170 to 344 days after the start, spread evenly.
        let renewal = plus(day(START), 170 + (number - 1) * 6);
        let terms = json!({
            "subscription_id": format!("sub-{id}"), "product": "freight-pro", "kind": "plan",
            "unit_price": "240000.00 KZT", "quantity": 1, "period": "month",
            "effective": plus(renewal, -365).to_string(), "renewal": renewal.to_string(), "seats": SEATS,
            "limits": [{"metric": "shipments", "value": 40_000}],
        });
        let signed = at(plus(renewal, -365), 4, 0);
        lines.fact("billing", &format!("sub-{id}@1"), id, signed, "subscription", terms);
    }

    fn use_of_product(&self, lines: &mut Lines) {
        let id = &self.id;
        let base = lines.pick(250, 600, &["base", id]) as f64;
        for offset in -HISTORY_DAYS..PLAYED_DAYS {
            let today = plus(day(START), offset);
            let date = today.to_string();
            let noise = 1.0 + NOISE * (2.0 * lines.chance(&["noise", id, &date]) - 1.0);
            let value = (base * self.growth(offset) * noise).round() as i64;
            let usage = json!({"metric": "shipments", "day": date, "value": value});
            lines.fact(
                "product",
                &format!("u-{id}-{date}"),
                id,
                at(today, 18, 30),
                "usage",
                usage,
            );
            if offset >= -70 && is_workday(today) {
                let users = lines.pick(15, 21, &["users", id, &date]);
                let activity = json!({"day": date, "active_users": users, "logins": users * 2});
                lines.fact(
                    "product",
                    &format!("a-{id}-{date}"),
                    id,
                    at(today, 18, 30),
                    "activity",
                    activity,
                );
            }
        }
    }

    /// Volume against the base: the same, or 18 % more in a slope over 42 days.
    fn growth(&self, offset: i64) -> f64 {
        if self.number > GROWING {
            return 1.0;
        }
        let risen = (offset - GROWTH_BEGIN).clamp(0, GROWTH_DAYS) as f64 / GROWTH_DAYS as f64;
        1.0 + GROWTH * risen
    }

    fn invoices(&self, lines: &mut Lines) {
        let id = &self.id;
        for month in [
            "2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11",
        ] {
            let issued = day(&format!("{month}-01"));
            let invoice_id = format!("inv-{id}-{month}");
            let due = plus(issued, 10);
            let invoice = json!({
                "invoice_id": invoice_id, "amount": "240000.00 KZT", "issued": issued.to_string(), "due": due.to_string(),
            });
            lines.fact("billing", &invoice_id, id, at(issued, 5, 0), "invoice", invoice);
            let paid = plus(issued, lines.pick(3, 9, &["paid", &invoice_id]));
            let payment = json!({"invoice_id": invoice_id, "amount": "240000.00 KZT", "paid": paid.to_string()});
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

    fn tickets(&self, lines: &mut Lines) {
        let Self { id, number } = self;
        let cluster = STRUGGLING.contains(number);
        let topic = if cluster && number % 5 == 4 {
            "reports"
        } else {
            "integrations"
        };
        let first = 1 + (number * 5) % 11;
        let days: &[i64] = if cluster {
            &[0, 2, 4, 5]
        } else {
            &[lines.pick(0, 12, &["ticket", id])]
        };
        // Only some of the struggling companies write a fourth time; the others hardly ever write.
        let count = if cluster {
            3 + (number % 2) as usize
        } else {
            usize::from(number % 4 == 0)
        };
        for (index, offset) in days.iter().take(count).enumerate() {
            let opened = plus(day(START), first + offset);
            let ticket_id = format!("t-{id}-{}", index + 1);
            let mut ticket = json!({
                "ticket_id": ticket_id, "topic": topic, "severity": "normal", "opened": at(opened, 4, 10).to_string(),
            });
            lines.fact(
                "helpdesk",
                &format!("{ticket_id}@1"),
                id,
                at(opened, 4, 10),
                "ticket",
                ticket.clone(),
            );
            let resolved = at(plus(opened, 1), 8, 0);
            ticket["first_reply"] = json!(at(opened, 8, 0).to_string());
            ticket["resolved"] = json!(resolved.to_string());
            lines.fact("helpdesk", &format!("{ticket_id}@2"), id, resolved, "ticket", ticket);
        }
    }
}
