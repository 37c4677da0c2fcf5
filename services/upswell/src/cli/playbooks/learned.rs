//! What became of offers, and which playbooks wait.

use jiff::Timestamp;
use serde::Serialize;
use upswell_proto::offers::v1 as pb;

use crate::{
    cli::output::{Column, Row, View, card, left, percent, right, rows, time},
    wire::{instant, word},
};

#[derive(Serialize)]
pub(super) struct Conversions {
    counted_at: Option<Timestamp>,
    conversions: Vec<Conversion>,
}

#[derive(Serialize)]
struct Conversion {
    motion: String,
    segment: String,
    accepted: i64,
    refused: i64,
    acceptance_probability: f64,
    band: [f64; 2],
    drift: String,
    since: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct Pause {
    pause: String,
    playbook: String,
    reason: String,
    paused_by: String,
    paused_at: Option<Timestamp>,
    resumed_at: Option<Timestamp>,
    resumed_by: String,
    comment: String,
}

impl From<pb::GetConversionsResponse> for Conversions {
    fn from(answer: pb::GetConversionsResponse) -> Self {
        Self {
            counted_at: instant(answer.count_time.as_ref()),
            conversions: answer.conversions.into_iter().map(Conversion::from).collect(),
        }
    }
}

impl From<pb::Conversion> for Conversion {
    fn from(row: pb::Conversion) -> Self {
        let drift = match row.drift() {
            pb::conversion::Drift::Unspecified => String::new(),
            drift => word(drift.as_str_name(), "DRIFT"),
        };
        Self {
            motion: word(row.motion().as_str_name(), "MOTION"),
            drift,
            since: instant(row.drift_time.as_ref()),
            segment: row.segment,
            accepted: row.accepted,
            refused: row.refused,
            acceptance_probability: row.acceptance_probability,
            band: [row.band_low, row.band_high],
        }
    }
}

impl From<pb::PlaybookPause> for Pause {
    fn from(pause: pb::PlaybookPause) -> Self {
        Self {
            paused_at: instant(pause.pause_time.as_ref()),
            resumed_at: instant(pause.resume_time.as_ref()),
            pause: pause.pause_id,
            playbook: pause.playbook,
            reason: pause.reason,
            paused_by: pause.paused_by,
            resumed_by: pause.resumed_by,
            comment: pause.comment,
        }
    }
}

impl Row for Conversion {
    const COLUMNS: &'static [Column] = &[
        left("motion"),
        left("segment"),
        right("accepted"),
        right("not"),
        right("next"),
        right("band"),
        left("stands"),
    ];

    fn cells(&self) -> Vec<String> {
        let [low, high] = self.band;
        vec![
            self.motion.clone(),
            self.segment.clone(),
            self.accepted.to_string(),
            self.refused.to_string(),
            percent(Some(self.acceptance_probability)),
            format!("{} to {}", percent(Some(low)), percent(Some(high))),
            self.drift.clone(),
        ]
    }
}

impl View for Conversions {
    fn render(&self) -> String {
        if self.conversions.is_empty() {
            return "no offer was answered yet".to_owned();
        }
        format!("{}\n\ncounted {}", rows(&self.conversions), time(self.counted_at))
    }
}

impl Row for Pause {
    const COLUMNS: &'static [Column] = &[
        left("playbook"),
        left("since"),
        left("by"),
        left("why"),
        left("until"),
        left("let go on by"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.playbook.clone(),
            time(self.paused_at),
            self.paused_by.clone(),
            self.reason.clone(),
            time(self.resumed_at),
            self.resumed_by.clone(),
        ]
    }
}

impl View for Pause {
    fn render(&self) -> String {
        let until = if self.resumed_at.is_some() {
            format!("{} by {}: {}", time(self.resumed_at), self.resumed_by, self.comment)
        } else {
            "a person lets it go on".to_owned()
        };
        card(&[
            ("playbook", self.playbook.clone()),
            ("paused", format!("{} by {}", time(self.paused_at), self.paused_by)),
            ("why", self.reason.clone()),
            ("until", until),
        ])
    }
}
