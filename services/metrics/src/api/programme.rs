//! `upswell.metrics.v1.ProgrammeService`: one line per RPC, and its answers.

mod convert;

use async_trait::async_trait;
use tonic::{Request, Response};
use upswell_proto::metrics::v1::{
    CountedStep as WireStep, GetLoyaltyRequest, GetLoyaltyResponse, GetProgrammeBreakdownRequest,
    GetProgrammeBreakdownResponse, GetProgrammeReturnRequest, GetProgrammeReturnResponse, GetTargetsRequest,
    GetTargetsResponse, GetWeeklyBreakdownRequest, GetWeeklyBreakdownResponse, Heard as WireHeard,
    ListProgrammeStepsRequest, ListProgrammeStepsResponse, LoyaltyChange, LoyaltyVerdict, ProgrammeMoney,
    ProgrammeSlice, ProgrammeStep, SegmentLoyalty, SliceWeek, StepCount, TargetStanding, TargetState, WeeklySlice,
    programme_service_server::ProgrammeService,
};
use upswell_runtime::{
    money::{MoneyFault, to_proto},
    problem::Problem,
};

use super::{
    Answer, Api,
    answers::largest_loss,
    convert::{window, wire_date, wire_motion, wire_time},
};
use crate::{
    app::Loyalty,
    domain::{
        funnel::{Stage, StageCount},
        loyalty::{Change, Heard, Verdict},
        payoff::Payoff,
        programme::{Slice, SliceMoney},
        rates::Week,
        targets::{Standing, State},
        window::Window,
    },
    store::CountedStep,
};

#[async_trait]
impl ProgrammeService for Api {
    async fn get_programme_breakdown(
        &self,
        request: Request<GetProgrammeBreakdownRequest>,
    ) -> Answer<GetProgrammeBreakdownResponse> {
        let (window, cut) = convert::breakdown(request.into_inner())?;
        let found = self.app.programme(window, cut).await?.into_iter();
        let slices = found.map(|found| slice(found, window, cut.is_of_accounts()));
        let slices = slices.collect::<Result<_, MoneyFault>>().map_err(Problem::internal)?;
        Ok(Response::new(GetProgrammeBreakdownResponse { slices }))
    }

    async fn get_weekly_breakdown(
        &self,
        request: Request<GetWeeklyBreakdownRequest>,
    ) -> Answer<GetWeeklyBreakdownResponse> {
        let (window, cut) = convert::weeks(request.into_inner())?;
        let found = self.app.weekly_cut(window, cut).await?.into_iter();
        let slices = found.map(|(value, weeks)| WeeklySlice {
            value,
            weeks: weeks.into_iter().map(week).collect(),
        });
        Ok(Response::new(GetWeeklyBreakdownResponse {
            slices: slices.collect(),
        }))
    }

    async fn list_programme_steps(
        &self,
        request: Request<ListProgrammeStepsRequest>,
    ) -> Answer<ListProgrammeStepsResponse> {
        let list = convert::StepList::try_from(request.into_inner())?;
        let (steps, last) = self
            .app
            .counted_steps(&list.filter, list.after.clone(), list.size)
            .await?;
        let token = last.map(|key| list.next_token(&key)).transpose()?;
        Ok(Response::new(ListProgrammeStepsResponse {
            steps: steps.into_iter().map(|step| counted(step, list.filter.stage)).collect(),
            next_page_token: token.unwrap_or_default(),
        }))
    }

    async fn get_programme_return(
        &self,
        request: Request<GetProgrammeReturnRequest>,
    ) -> Answer<GetProgrammeReturnResponse> {
        let GetProgrammeReturnRequest { window: asked } = request.into_inner();
        let found = self.app.programme_return(window(asked)?).await?;
        Ok(Response::new(found.map(returned).unwrap_or_default()))
    }

    async fn get_targets(&self, request: Request<GetTargetsRequest>) -> Answer<GetTargetsResponse> {
        let GetTargetsRequest { window: asked } = request.into_inner();
        let dashboard = self.app.dashboard(window(asked)?).await?;
        Ok(Response::new(GetTargetsResponse {
            targets: dashboard.standings.into_iter().map(standing).collect(),
            baseline_start_date: dashboard.baseline.map(|window| wire_date(window.start())),
            baseline_end_date: dashboard.baseline.map(|window| wire_date(window.end())),
        }))
    }

    async fn get_loyalty(&self, request: Request<GetLoyaltyRequest>) -> Answer<GetLoyaltyResponse> {
        let (before, after) = convert::loyalty(request.into_inner())?;
        let found = self.app.loyalty(before, after).await?;
        Ok(Response::new(GetLoyaltyResponse {
            segments: found.into_iter().map(loyalty).collect(),
        }))
    }
}

fn slice(slice: Slice, window: Window, of_accounts: bool) -> Result<ProgrammeSlice, MoneyFault> {
    let money = slice.money.iter().map(|part| money(part, window));
    Ok(ProgrammeSlice {
        steps: slice.way.stages().into_iter().map(step).collect(),
        largest_loss_step: largest_loss(&slice.way),
        customers: slice.customers,
        accounts_offered: slice.accounts_offered,
        accounts_accepted: slice.accounts_accepted,
        conversion_of_customers: slice.of_customers(),
        conversion_of_offers: slice.of_offers(),
        conversion_a_year: slice.a_year(window),
        money: money.collect::<Result<_, _>>()?,
        attach_rate: slice.attach_rate().filter(|_| of_accounts),
        value: slice.value,
    })
}

fn week(week: Week) -> SliceWeek {
    let Week {
        start,
        way,
        touches,
        expansion,
    } = week;
    SliceWeek {
        start_date: Some(wire_date(start)),
        steps: way.stages().into_iter().map(step).collect(),
        largest_loss_step: largest_loss(&way),
        touches,
        expansion: expansion.into_iter().map(to_proto).collect(),
    }
}

fn step(step: StageCount) -> StepCount {
    StepCount {
        step: wire_stage(step.stage).into(),
        count: step.count,
        conversion: step.conversion,
    }
}

const fn wire_stage(stage: Stage) -> ProgrammeStep {
    match stage {
        Stage::Signals => ProgrammeStep::Signals,
        Stage::Sent => ProgrammeStep::OffersSent,
        Stage::Delivered => ProgrammeStep::Delivered,
        Stage::Opened => ProgrammeStep::Opened,
        Stage::Clicked => ProgrammeStep::Clicked,
        Stage::Accepted => ProgrammeStep::Accepted,
        Stage::Paid => ProgrammeStep::Paid,
    }
}

fn money(part: &SliceMoney, window: Window) -> Result<ProgrammeMoney, MoneyFault> {
    Ok(ProgrammeMoney {
        expansion: Some(to_proto(part.expansion)),
        orders: part.orders,
        average: part.average()?.map(to_proto),
        velocity: Some(to_proto(part.velocity(window)?)),
        earned: Some(to_proto(part.earned()?)),
    })
}

fn counted(step: CountedStep, stage: Stage) -> WireStep {
    let CountedStep {
        key,
        at,
        account_id,
        offer_id,
        order_id,
        motion,
        reason,
    } = step;
    WireStep {
        time: Some(wire_time(at)),
        account_id,
        signal_id: if stage == Stage::Signals { key.1 } else { String::new() },
        offer_id: offer_id.unwrap_or_default(),
        order_id: order_id.unwrap_or_default(),
        motion: motion.as_deref().map(wire_motion).unwrap_or_default().into(),
        reason,
    }
}

fn returned(payoff: Payoff) -> GetProgrammeReturnResponse {
    let Payoff {
        earned,
        margin,
        cost,
        returned,
        payback_days,
    } = payoff;
    GetProgrammeReturnResponse {
        currency_code: earned.currency.to_string(),
        earned: Some(to_proto(earned)),
        margin: margin.map(to_proto),
        cost: cost.map(to_proto),
        return_on_investment: returned,
        payback_days,
    }
}

fn standing(standing: Standing) -> TargetStanding {
    let Standing {
        name,
        target,
        at_most,
        value,
        baseline,
        state,
    } = standing;
    let state = match state {
        State::Unknown => TargetState::Unspecified,
        State::Met => TargetState::Met,
        State::Missed => TargetState::Missed,
        State::Alarm => TargetState::Alarm,
    };
    TargetStanding {
        name: name.to_owned(),
        target,
        at_most,
        value: value.ok(),
        baseline,
        state: state.into(),
        reason: value.err().unwrap_or_default().to_owned(),
    }
}

fn loyalty(loyalty: Loyalty) -> SegmentLoyalty {
    let Loyalty {
        segment,
        heard: [before, after],
        changes: [nps, csat, complaints, unsubscribes],
    } = loyalty;
    SegmentLoyalty {
        segment,
        before: Some(heard(before)),
        after: Some(heard(after)),
        nps_change: nps.map(change),
        csat_change: csat.map(change),
        complaints_change: complaints.map(change),
        unsubscribes_change: unsubscribes.map(change),
    }
}

fn heard(heard: Heard) -> WireHeard {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    WireHeard {
        nps_answers: count(heard.nps.iter().sum()),
        nps: heard.score(),
        csat_answers: count(heard.csat.iter().sum()),
        csat: heard.satisfaction(),
        complaints: count(heard.complaints),
        accounts: count(heard.accounts),
        complaints_per_hundred: heard.complaint_rate(),
        unsubscribes: count(heard.unsubscribes),
        unsubscribes_per_hundred: heard.unsubscribe_rate(),
    }
}

fn change(change: Change) -> LoyaltyChange {
    let verdict = match change.verdict {
        Verdict::NotWorse => LoyaltyVerdict::NotWorse,
        Verdict::Worse => LoyaltyVerdict::Worse,
        Verdict::Undecided => LoyaltyVerdict::Undecided,
    };
    LoyaltyChange {
        difference: change.difference,
        low: change.interval.low,
        high: change.interval.high,
        verdict: verdict.into(),
    }
}
