//! Who is away, and who stands in (C-14, RN-2).

use anyhow::Result;
use clap::Subcommand;
use jiff::civil::Date;
use serde::Serialize;
use upswell_proto::renewals::v1::{
    self as pb, ListAbsencesRequest, RemoveAbsenceRequest, SetAbsenceRequest, duty_service_client::DutyServiceClient,
};
use upswell_renewals::NAME;

use crate::{
    cli::{
        context::Context,
        output::{Column, Listing, Row, View, day, left},
        pages::Limit,
        words::{self, RequestId},
    },
    wire::{date, to_date},
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Absence {
    /// Say that somebody is away; late work goes to the delegate meanwhile.
    #[command(after_long_help = "\
Example:
  upswell absence set anna --from 2026-10-20 --until 2026-10-31 --delegate boris --actor anna")]
    Set {
        /// Who.
        person: String,
        /// First day.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Date,
        /// Last day.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        until: Date,
        /// Who stands in; the lead if absent.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        delegate: String,
        /// Version of the absence that this one replaces; absent for a new one.
        #[arg(long, default_value_t, hide_default_value = true)]
        etag: String,
        #[command(flatten)]
        request: RequestId,
    },
    /// Take an absence back.
    #[command(
        after_long_help = "Example:\n  upswell absence remove 77ab8f5e-0d55-5c0b-b5a0-9c1d2e3f4a5b --etag 1 --actor anna"
    )]
    Remove {
        /// The absence's id.
        absence: String,
        /// Version of the absence as you saw it.
        #[arg(long)]
        etag: String,
        #[command(flatten)]
        request: RequestId,
    },
    /// Absences by first day.
    #[command(after_long_help = "Example:\n  upswell absence list --person anna")]
    List {
        /// Only of this person.
        #[arg(long, default_value_t, hide_default_value = true, value_name = "NAME")]
        person: String,
        /// Only those that last on this day or longer.
        #[arg(long, value_name = "DAY", value_parser = words::day)]
        from: Option<Date>,
        #[command(flatten)]
        limit: Limit,
    },
}

impl Absence {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Set {
                person: person_id,
                from,
                until,
                delegate: delegate_id,
                etag,
                request,
            } => {
                let request = SetAbsenceRequest {
                    person_id,
                    from_date: Some(to_date(from)),
                    until_date: Some(to_date(until)),
                    delegate_id,
                    etag,
                    request_id: request.text(),
                };
                let send = |channel, request| async move { DutyServiceClient::new(channel).set_absence(request).await };
                let answer = context.ask(NAME, request, send).await?;
                context.show(&AbsenceRow::from(answer.absence.unwrap_or_default()))
            }
            Self::Remove {
                absence: absence_id,
                etag,
                request,
            } => {
                let removed = Removed {
                    removed: absence_id.clone(),
                };
                let request = RemoveAbsenceRequest {
                    absence_id,
                    etag,
                    request_id: request.text(),
                };
                let send =
                    |channel, request| async move { DutyServiceClient::new(channel).remove_absence(request).await };
                context.ask(NAME, request, send).await?;
                context.show(&removed)
            }
            Self::List {
                person: person_id,
                from,
                limit,
            } => {
                let request = ListAbsencesRequest {
                    person_id,
                    from_date: from.map(to_date),
                    ..Default::default()
                };
                let send =
                    |channel, request| async move { DutyServiceClient::new(channel).list_absences(request).await };
                let found: Listing<AbsenceRow> = context.list(NAME, limit, request, send).await?;
                context.show(&found)
            }
        }
    }
}

#[derive(Serialize)]
struct Removed {
    removed: String,
}

impl View for Removed {
    fn render(&self) -> String {
        format!("absence {} is taken back", self.removed)
    }
}

#[derive(Serialize)]
struct AbsenceRow {
    absence: String,
    person: String,
    from: Option<Date>,
    until: Option<Date>,
    delegate: String,
    etag: String,
}

impl From<pb::Absence> for AbsenceRow {
    fn from(absence: pb::Absence) -> Self {
        Self {
            from: date(absence.from_date.as_ref()),
            until: date(absence.until_date.as_ref()),
            absence: absence.absence_id,
            person: absence.person_id,
            delegate: absence.delegate_id,
            etag: absence.etag,
        }
    }
}

impl Row for AbsenceRow {
    const COLUMNS: &'static [Column] = &[
        left("absence"),
        left("who"),
        left("from"),
        left("until"),
        left("stands in"),
        left("etag"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.absence.clone(),
            self.person.clone(),
            day(self.from),
            day(self.until),
            self.delegate.clone(),
            self.etag.clone(),
        ]
    }
}

impl View for AbsenceRow {
    fn render(&self) -> String {
        let who = if self.delegate.is_empty() {
            "the lead"
        } else {
            &self.delegate
        };
        format!(
            "{} is away from {} until {}, and {who} stands in; absence {}, etag {}",
            self.person,
            day(self.from),
            day(self.until),
            self.absence,
            self.etag
        )
    }
}
