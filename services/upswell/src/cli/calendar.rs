//! An account's calendar, and holds in it (C-17).

use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use upswell_offers::NAME;
use upswell_proto::offers::v1::{
    self as pb, ExportAccountCalendarRequest, LiftHoldRequest, ListAccountCalendarRequest, PlaceHoldRequest,
    calendar_service_client::CalendarServiceClient,
};

use super::{
    context::Context,
    output::{Column, Listing, Row, View, left, time},
    pages::Limit,
    words::{self, RequestId},
};
use crate::wire::{instant, to_instant, word};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What stands in an account's calendar: touches, places, renewals with the zones before them, holds, suppressions.
    #[command(after_long_help = "\
Examples:
  upswell calendar acct-01
  upswell calendar acct-01 --from 2026-10-01 --to 2026-12-01 --ics")]
    Calendar {
        /// The account's id.
        account: String,
        /// From here; 30 days ago if absent.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        from: Option<Timestamp>,
        /// To here; 120 days later if absent.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        to: Option<Timestamp>,
        /// As an iCalendar document (RFC 5545), for any calendar program.
        #[arg(long, conflicts_with = "limit")]
        ics: bool,
        #[command(flatten)]
        limit: Limit,
    },
    /// Keep an account free of all but contractual touches for a time.
    #[command(after_long_help = "\
Example:
  upswell hold acct-01 --why 'we negotiate' --until 2026-11-01 --actor anna")]
    Hold {
        /// The account's id.
        account: String,
        /// Why.
        #[arg(long)]
        why: String,
        /// From here; now if absent.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        from: Option<Timestamp>,
        /// Until before here.
        #[arg(long, value_name = "TIME", value_parser = words::instant)]
        until: Timestamp,
        #[command(flatten)]
        request: RequestId,
    },
    /// End a hold before its time.
    #[command(after_long_help = "Example:\n  upswell lift-hold 2f1f9a55-7c55-5c0f-9e1c-6a1d0f3b8a77 --actor anna")]
    LiftHold {
        /// The hold's id.
        hold: String,
        #[command(flatten)]
        request: RequestId,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Calendar {
                account: account_id,
                from,
                to,
                ics,
                limit,
            } => {
                let (start_time, end_time) = (from.map(to_instant), to.map(to_instant));
                if ics {
                    let request = ExportAccountCalendarRequest {
                        account_id,
                        start_time,
                        end_time,
                    };
                    let send = |channel, request| async move {
                        CalendarServiceClient::new(channel)
                            .export_account_calendar(request)
                            .await
                    };
                    let document = context.ask(NAME, request, send).await?.document;
                    return context.show(&Document { document });
                }
                let request = ListAccountCalendarRequest {
                    account_id,
                    start_time,
                    end_time,
                    ..Default::default()
                };
                let send = |channel, request| async move {
                    CalendarServiceClient::new(channel).list_account_calendar(request).await
                };
                let found: Listing<Entry> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
            Self::Hold {
                account,
                why,
                from,
                until,
                request,
            } => {
                context.actor()?;
                let request = PlaceHoldRequest {
                    account_id: account,
                    reason: why,
                    start_time: from.map(to_instant),
                    end_time: Some(to_instant(until)),
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { CalendarServiceClient::new(channel).place_hold(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Hold::from(answer.hold.unwrap_or_default()))
            }
            Self::LiftHold { hold, request } => {
                context.actor()?;
                let request = LiftHoldRequest {
                    hold_id: hold,
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { CalendarServiceClient::new(channel).lift_hold(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&Hold::from(answer.hold.unwrap_or_default()))
            }
        }
    }
}

/// A document as it is.
#[derive(Serialize)]
struct Document {
    document: String,
}

impl View for Document {
    fn render(&self) -> String {
        self.document.trim_end().to_owned()
    }
}

#[derive(Serialize)]
struct Entry {
    kind: String,
    entry: String,
    account: String,
    start_at: Option<Timestamp>,
    end_at: Option<Timestamp>,
    title: String,
}

impl From<pb::CalendarEntry> for Entry {
    fn from(entry: pb::CalendarEntry) -> Self {
        Self {
            kind: word(entry.kind().as_str_name(), "KIND"),
            start_at: instant(entry.start_time.as_ref()),
            end_at: instant(entry.end_time.as_ref()),
            entry: entry.entry_id,
            account: entry.account_id,
            title: entry.title,
        }
    }
}

impl Row for Entry {
    const COLUMNS: &'static [Column] = &[left("from"), left("until"), left("what"), left("title"), left("id")];

    fn cells(&self) -> Vec<String> {
        vec![
            time(self.start_at),
            time(self.end_at),
            self.kind.clone(),
            self.title.clone(),
            self.entry.clone(),
        ]
    }
}

#[derive(Serialize)]
struct Hold {
    hold: String,
    account: String,
    reason: String,
    author: String,
    start_at: Option<Timestamp>,
    end_at: Option<Timestamp>,
    lifted_at: Option<Timestamp>,
}

impl From<pb::Hold> for Hold {
    fn from(hold: pb::Hold) -> Self {
        Self {
            start_at: instant(hold.start_time.as_ref()),
            end_at: instant(hold.end_time.as_ref()),
            lifted_at: instant(hold.lift_time.as_ref()),
            hold: hold.hold_id,
            account: hold.account_id,
            reason: hold.reason,
            author: hold.author,
        }
    }
}

impl View for Hold {
    fn render(&self) -> String {
        let Self { hold, account, .. } = self;
        if self.lifted_at.is_some() {
            return format!("hold {hold} is lifted: {account} may be contacted again");
        }
        let (from, until) = (time(self.start_at), time(self.end_at));
        format!("{account} is held free from {from} until {until}; hold {hold}")
    }
}
