//! `PlaybookService`: by what rules, what was learned, and which playbooks wait.

use tonic::{Request, Response, Status};
use upswell_proto::offers::v1::{self as pb, conversion::Drift as WireDrift, playbook_service_server::PlaybookService};
use upswell_runtime::{
    db::from_micros,
    problem::{Problem, Violations},
    text,
};

use super::{
    Api, Cursor,
    approvals::acting,
    convert,
    replay::{Begun, begin},
    words::motion_to_wire,
};
use crate::{
    domain::{
        conversion::{Drift, Outcomes},
        vocabulary::Motion,
    },
    store::{entities::pause, learning, pauses, word},
};

const LIST: &str = "upswell.offers.v1.PlaybookService/ListPlaybookPauses";
const PAUSE: &str = "upswell.offers.v1.PlaybookService/PausePlaybook";
const RESUME: &str = "upswell.offers.v1.PlaybookService/ResumePlaybook";
const REASON_MAX: usize = 500;

#[tonic::async_trait]
impl PlaybookService for Api {
    async fn get_policy(
        &self,
        request: Request<pb::GetPolicyRequest>,
    ) -> Result<Response<pb::GetPolicyResponse>, Status> {
        let pb::GetPolicyRequest { with_files } = request.into_inner();
        let mut policy = convert::policy(&self.0.policy);
        let file = |(name, text): &(String, String)| pb::PolicyFile {
            name: name.clone(),
            text: text.clone(),
        };
        if with_files {
            policy.files = self.0.sources.iter().map(file).collect();
        }
        Ok(Response::new(policy))
    }

    async fn simulate_policy(
        &self,
        request: Request<pb::SimulatePolicyRequest>,
    ) -> Result<Response<pb::SimulatePolicyResponse>, Status> {
        Ok(Response::new(self.simulated(request.into_inner()).await?))
    }

    async fn get_conversions(
        &self,
        _: Request<pb::GetConversionsRequest>,
    ) -> Result<Response<pb::GetConversionsResponse>, Status> {
        Ok(Response::new(self.conversions().await?))
    }

    async fn list_playbook_pauses(
        &self,
        request: Request<pb::ListPlaybookPausesRequest>,
    ) -> Result<Response<pb::ListPlaybookPausesResponse>, Status> {
        let pb::ListPlaybookPausesRequest {
            active_only,
            page_size,
            page_token,
        } = request.into_inner();
        let cursor = Cursor::parse(LIST, vec![u8::from(active_only)], page_size, &page_token)?;
        let mut found = pauses::pause_list(self.0.db.reader(), active_only, cursor.after, cursor.limit()).await?;
        let next_page_token = cursor.cut(&mut found, |row| (row.paused_at, row.pause_id));
        Ok(Response::new(pb::ListPlaybookPausesResponse {
            pauses: found.into_iter().map(pause).collect(),
            next_page_token,
        }))
    }

    async fn pause_playbook(
        &self,
        request: Request<pb::PausePlaybookRequest>,
    ) -> Result<Response<pb::PausePlaybookResponse>, Status> {
        let actor = acting(&request)?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let (playbook, reason) = named(&request.playbook, "reason", &request.reason)?;
        let call = match begin(&self.0, PAUSE, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let paused = self.0.pause_playbook(&call.tx, &playbook, reason, &actor).await;
        let answer = pb::PausePlaybookResponse {
            pause: Some(pause(paused.map_err(Problem::from)?)),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }

    async fn resume_playbook(
        &self,
        request: Request<pb::ResumePlaybookRequest>,
    ) -> Result<Response<pb::ResumePlaybookResponse>, Status> {
        let actor = acting(&request)?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let (playbook, comment) = named(&request.playbook, "comment", &request.comment)?;
        let call = match begin(&self.0, RESUME, request_id, &request, Some(&actor)).await? {
            Begun::Answered(answer) => return Ok(Response::new(answer)),
            Begun::New(call) => call,
        };
        let resumed = self.0.resume_playbook(&call.tx, &playbook, comment, &actor).await;
        let answer = pb::ResumePlaybookResponse {
            pause: Some(pause(resumed.map_err(Problem::from)?)),
        };
        Ok(Response::new(call.finish(&self.0, answer).await?))
    }
}

impl Api {
    async fn conversions(&self) -> Result<pb::GetConversionsResponse, Problem> {
        let reader = self.0.db.reader();
        let counted = learning::conversion_list(reader).await?;
        let drifts = learning::drift_list(reader).await?;
        let all = learning::outcomes(&counted)?;
        let weight = self.0.policy.rules.conversion_weight;
        let mut rows = Vec::new();
        for (motion, segments) in &all {
            let whole = segments.values().fold(Outcomes::default(), |sum, one| sum.plus(*one));
            let left = drifts.iter().find(|row| row.motion == motion.as_str());
            let drift = left.map_or(Ok(Drift::Within), |row| word(&row.drift))?;
            rows.push(pb::Conversion {
                acceptance_probability: whole.mean(self.band(*motion), weight),
                drift: drift_to_wire(drift).into(),
                drift_time: left.map(|row| convert::instant(from_micros(row.since_at))),
                ..self.conversion(*motion, "", whole)
            });
            for (segment, outcomes) in segments {
                let learned = learning::learned(&all, segment).remove(motion).unwrap_or_default();
                rows.push(pb::Conversion {
                    acceptance_probability: learned.acceptance(self.band(*motion), weight),
                    ..self.conversion(*motion, segment, *outcomes)
                });
            }
        }
        let counted_at = learning::look_fetch(reader, crate::app::learn::JOB).await?;
        Ok(pb::GetConversionsResponse {
            conversions: rows,
            count_time: counted_at.map(|at| convert::instant(from_micros(at))),
        })
    }

    fn band(&self, motion: Motion) -> (f64, f64) {
        self.0.policy.rules.conversion.get(&motion).copied().unwrap_or_default()
    }

    fn conversion(&self, motion: Motion, segment: &str, outcomes: Outcomes) -> pb::Conversion {
        let (band_low, band_high) = self.band(motion);
        pb::Conversion {
            motion: motion_to_wire(motion).into(),
            segment: segment.to_owned(),
            accepted: outcomes.accepted.into(),
            refused: outcomes.refused.into(),
            band_low,
            band_high,
            ..pb::Conversion::default()
        }
    }
}

const fn drift_to_wire(drift: Drift) -> WireDrift {
    match drift {
        Drift::Within => WireDrift::Within,
        Drift::Below => WireDrift::Below,
        Drift::Above => WireDrift::Above,
    }
}

/// The playbook and the words of a person about it. Errors: whatever is missing.
fn named(playbook: &str, field: &str, words: &str) -> Result<(String, String), Problem> {
    let mut violations = Violations::new();
    let playbook = violations.take("playbook", text::key(playbook));
    let words = violations.take(field, text::clean(words, REASON_MAX));
    if words.as_deref() == Some("") {
        violations.add(field, "is required");
    }
    violations.into_result()?;
    Ok((playbook.unwrap_or_default(), words.unwrap_or_default()))
}

fn pause(row: pause::Model) -> pb::PlaybookPause {
    pb::PlaybookPause {
        pause_id: row.pause_id.to_string(),
        playbook: row.playbook,
        reason: row.reason,
        paused_by: row.paused_by,
        pause_time: Some(convert::instant(from_micros(row.paused_at))),
        resume_time: row.resumed_at.map(|at| convert::instant(from_micros(at))),
        resumed_by: row.resumed_by,
        comment: row.comment,
    }
}
