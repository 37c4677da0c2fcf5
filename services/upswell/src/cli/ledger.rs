//! The touch ledger: what an account has felt, and what it may still be asked to bear.

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::{
    offers::v1::{
        self as pb, GetAllowanceRequest, ListTouchesRequest, touch_ledger_service_client::TouchLedgerServiceClient,
    },
    vocabulary::v1::TouchClass,
};

use super::{
    context::Context,
    output::{Column, Listing, Row, View, left, part, time, yes},
    pages::Limit,
    words,
};
use crate::wire::{date, instant, to_instant, word};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// May this account be contacted, and if not, why not and when? Changes nothing.
    #[command(after_long_help = "\
Examples:
  upswell allowance acct-01 --class commercial
  upswell allowance acct-01 --class renewal --proposes-expansion --at 2026-03-02T10:00:00Z")]
    Allowance(Allowance),
    /// The touches of the ledger by planned time.
    #[command(after_long_help = "Example:\n  upswell touches --account acct-01 --from 2026-03-01")]
    Touches(Touches),
}

#[derive(Debug, Args)]
pub(super) struct Allowance {
    /// The account's id.
    account: String,
    /// What the touch would be about.
    #[arg(long, value_parser = words::touch_class())]
    class: TouchClass,
    /// When it would be made; now if absent.
    #[arg(long, value_name = "TIME", value_parser = words::instant)]
    at: Option<Timestamp>,
    /// A renewal message that proposes expansion: it counts as commercial too.
    #[arg(long)]
    proposes_expansion: bool,
}

#[derive(Debug, Args)]
pub(super) struct Touches {
    /// Only this account.
    #[arg(long, default_value_t, hide_default_value = true)]
    account: String,
    /// Only those planned from here on.
    #[arg(long, value_name = "TIME", value_parser = words::instant)]
    from: Option<Timestamp>,
    /// Only those planned before this.
    #[arg(long, value_name = "TIME", value_parser = words::instant)]
    to: Option<Timestamp>,
    #[command(flatten)]
    limit: Limit,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Allowance(allowance) => allowance.run(context).await,
            Self::Touches(touches) => touches.run(context).await,
        }
    }
}

impl Allowance {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetAllowanceRequest {
            account_id: self.account,
            class: self.class.into(),
            proposes_expansion: self.proposes_expansion,
            planned_time: self.at.map(to_instant),
            ..Default::default()
        };
        let send =
            |channel, request| async move { TouchLedgerServiceClient::new(channel).get_allowance(request).await };
        let answer = context.ask(NAME, request, send).await?;
        context.show(&Verdict::from(answer))
    }
}

impl Touches {
    async fn run(self, context: &Context) -> Result<()> {
        let request = ListTouchesRequest {
            account_id: self.account,
            start_time: self.from.map(to_instant),
            end_time: self.to.map(to_instant),
            ..Default::default()
        };
        let send = |channel, request| async move { TouchLedgerServiceClient::new(channel).list_touches(request).await };
        let found: Listing<TouchView> = context.list(NAME, self.limit, request, send).await?;
        context.show(&found)
    }
}

#[derive(Serialize)]
struct Verdict {
    allowed: bool,
    earliest_at: Option<Timestamp>,
    blocking: Vec<Blocking>,
}

#[derive(Serialize)]
struct Blocking {
    rule: String,
    detail: String,
    touches: Vec<String>,
    earliest_at: Option<Timestamp>,
}

impl From<pb::GetAllowanceResponse> for Verdict {
    fn from(answer: pb::GetAllowanceResponse) -> Self {
        let blocking = |rule: pb::BlockingRule| Blocking {
            earliest_at: instant(rule.earliest_time.as_ref()),
            rule: rule.rule_id,
            detail: rule.detail,
            touches: rule.touch_ids,
        };
        Self {
            allowed: answer.allowed,
            earliest_at: instant(answer.earliest_time.as_ref()),
            blocking: answer.blocking.into_iter().map(blocking).collect(),
        }
    }
}

impl View for Verdict {
    fn render(&self) -> String {
        if self.allowed {
            return "allowed".to_owned();
        }
        let when = self.earliest_at.map_or("at no time within a year".to_owned(), |at| {
            format!("not before {}", time(Some(at)))
        });
        format!("not allowed: {when}{}", part("Because", &self.blocking))
    }
}

impl Row for Blocking {
    const COLUMNS: &'static [Column] = &[left("rule"), left("why"), left("this rule allows from")];

    fn cells(&self) -> Vec<String> {
        vec![self.rule.clone(), self.detail.clone(), time(self.earliest_at)]
    }
}

#[derive(Serialize)]
struct TouchView {
    touch: String,
    account: String,
    class: String,
    proposes_expansion: bool,
    channel: String,
    sender: String,
    contact: String,
    offer: String,
    state: String,
    planned_at: Option<Timestamp>,
    made_at: Option<Timestamp>,
    recorded_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    judged_renewal: Option<Date>,
    policy: String,
    release_reason: String,
}

impl From<pb::Touch> for TouchView {
    fn from(touch: pb::Touch) -> Self {
        Self {
            class: word(touch.class().as_str_name(), "TOUCH_CLASS"),
            channel: word(touch.channel().as_str_name(), "CHANNEL"),
            state: word(touch.state().as_str_name(), "STATE"),
            planned_at: instant(touch.planned_time.as_ref()),
            made_at: instant(touch.actual_time.as_ref()),
            recorded_at: instant(touch.record_time.as_ref()),
            expires_at: instant(touch.expire_time.as_ref()),
            judged_renewal: date(touch.judged_renewal_date.as_ref()),
            touch: touch.touch_id,
            account: touch.account_id,
            proposes_expansion: touch.proposes_expansion,
            sender: touch.sender,
            contact: touch.contact_id,
            offer: touch.offer_id,
            policy: touch.policy_version,
            release_reason: touch.release_reason,
        }
    }
}

impl Row for TouchView {
    const COLUMNS: &'static [Column] = &[
        left("planned"),
        left("account"),
        left("class"),
        left("expansion"),
        left("channel"),
        left("by"),
        left("state"),
        left("made"),
        left("released because"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            time(self.planned_at),
            self.account.clone(),
            self.class.clone(),
            yes(self.proposes_expansion),
            self.channel.clone(),
            self.sender.clone(),
            self.state.clone(),
            time(self.made_at),
            self.release_reason.clone(),
        ]
    }
}
