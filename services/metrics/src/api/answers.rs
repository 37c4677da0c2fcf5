//! Answers for the wire.

use upswell_proto::metrics::v1::{
    CauseTotal as WireCauseTotal, FunnelStep, GetFunnelResponse, GetLeadTimesResponse, GetMotionConversionResponse,
    GetPressureResponse, GetRevenueMetricsResponse, GetWeeklyCutResponse, LeadTime as WireLeadTime,
    ListMovementsResponse, LongestWait, MotionConversion, MotionDrift as WireDrift, Movement as WireMovement,
    MovementCause as WireCause, MovementKind as WireKind, MovementTotal, RevenueMetrics, Week as WireWeek,
};
use upswell_runtime::{money::to_proto, problem::Problem};

use super::convert::{MovementList, wire_date, wire_motion, wire_time};
use crate::{
    app::{LeadTimes, MovementPage},
    domain::{
        drift::{Drift, standing},
        funnel::{Stage, StageCount, Way},
        lead_time::{LeadTime, Wait},
        movement::{Cause, Movement, MovementKind},
        rates::{Conversion, Pressure, Week},
        revenue::{CauseTotal, Revenue, Total},
    },
    store::ListedMovement,
};

pub(super) fn revenue(currencies: Vec<Revenue>) -> GetRevenueMetricsResponse {
    GetRevenueMetricsResponse {
        currencies: currencies.into_iter().map(of_currency).collect(),
    }
}

pub(super) fn of_currency(revenue: Revenue) -> RevenueMetrics {
    let Revenue {
        mrr_start,
        mrr_end,
        totals,
        paying_start,
        paying_end,
        arpa,
        arr,
        retained_end,
        retained_gross,
        nrr,
        grr,
        expansion_net,
        expansion_gross,
        expansion_attributed,
        expansion_cumulative,
        churned_accounts,
        causes,
        logo_churn,
        gross_mrr_churn,
        net_mrr_churn,
        quick_ratio,
    } = revenue;
    RevenueMetrics {
        currency_code: mrr_start.currency.to_string(),
        mrr_start: Some(to_proto(mrr_start)),
        mrr_end: Some(to_proto(mrr_end)),
        movements: totals.into_iter().map(movement_total).collect(),
        paying_accounts_start: paying_start,
        paying_accounts_end: paying_end,
        arpa: arpa.map(to_proto),
        arr: Some(to_proto(arr)),
        retained_end: Some(to_proto(retained_end)),
        retained_gross: Some(to_proto(retained_gross)),
        nrr,
        grr,
        expansion_net: Some(to_proto(expansion_net)),
        expansion_gross: Some(to_proto(expansion_gross)),
        expansion_attributed: Some(to_proto(expansion_attributed)),
        expansion_cumulative: Some(to_proto(expansion_cumulative)),
        churned_accounts,
        causes: causes.into_iter().map(cause_total).collect(),
        logo_churn,
        gross_mrr_churn,
        net_mrr_churn,
        quick_ratio,
    }
}

fn cause_total(total: CauseTotal) -> WireCauseTotal {
    let CauseTotal {
        kind,
        cause,
        amount,
        count,
    } = total;
    WireCauseTotal {
        kind: wire_kind(kind).into(),
        cause: wire_cause(cause).into(),
        amount: Some(to_proto(amount)),
        count,
    }
}

pub(super) fn movement_total(total: Total) -> MovementTotal {
    let Total { kind, amount, count } = total;
    MovementTotal {
        kind: wire_kind(kind).into(),
        amount: Some(to_proto(amount)),
        count,
    }
}

fn wire_kind(kind: MovementKind) -> WireKind {
    match kind {
        MovementKind::New => WireKind::New,
        MovementKind::Reactivation => WireKind::Reactivation,
        MovementKind::Expansion => WireKind::Expansion,
        MovementKind::Contraction => WireKind::Contraction,
        MovementKind::Churn => WireKind::Churn,
        MovementKind::Fx => WireKind::Fx,
    }
}

fn wire_cause(cause: Cause) -> WireCause {
    match cause {
        Cause::Offer => WireCause::Offer,
        Cause::Added => WireCause::Added,
        Cause::Ended => WireCause::Ended,
        Cause::Migration => WireCause::Migration,
        Cause::Seats => WireCause::Seats,
        Cause::Price => WireCause::Price,
        Cause::Discount => WireCause::Discount,
        Cause::DiscountExpiry => WireCause::DiscountExpiry,
        Cause::Escalator => WireCause::Escalator,
        Cause::Currency => WireCause::Currency,
        Cause::Credit => WireCause::Credit,
        Cause::Fx => WireCause::Fx,
    }
}

pub(super) fn movements(list: &MovementList, page: MovementPage) -> Result<ListMovementsResponse, Problem> {
    let MovementPage { movements, last_key } = page;
    let next_page_token = last_key
        .map(|key| list.next_token(&key))
        .transpose()?
        .unwrap_or_default();
    Ok(ListMovementsResponse {
        movements: movements.into_iter().map(movement).collect(),
        next_page_token,
    })
}

fn movement(listed: ListedMovement) -> WireMovement {
    let ListedMovement {
        account_id,
        movement,
        motion,
        key: _,
    } = listed;
    let Movement {
        day,
        kind,
        cause,
        amount,
        mrr_after,
        order_id,
        version_ids,
        earns_until: _,
    } = movement;
    WireMovement {
        account_id,
        day: Some(wire_date(day)),
        kind: wire_kind(kind).into(),
        amount: Some(to_proto(amount)),
        mrr_after: Some(to_proto(mrr_after)),
        order_id: order_id.unwrap_or_default(),
        motion: motion.as_deref().map(wire_motion).unwrap_or_default().into(),
        version_ids,
        cause: wire_cause(cause).into(),
    }
}

pub(super) fn funnel(way: &Way) -> GetFunnelResponse {
    let stages = way.stages();
    let name = |step: &StageCount| step.stage.name().to_owned();
    let measured = |step: &StageCount| {
        Some(FunnelStep {
            step: name(step),
            count: step.count?,
            conversion: step.conversion,
        })
    };
    let unmeasured = stages.iter().filter(|step| step.count.is_none());
    GetFunnelResponse {
        steps: stages.iter().filter_map(measured).collect(),
        largest_loss_step: largest_loss(way),
        unmeasured_steps: unmeasured.map(name).collect(),
    }
}

/// Name of the step with the largest loss; empty without one.
pub(super) fn largest_loss(way: &Way) -> String {
    way.largest_loss().map(Stage::name).unwrap_or_default().to_owned()
}

pub(super) fn weekly_cut(weeks: Vec<Week>) -> GetWeeklyCutResponse {
    let week = |week: Week| {
        let [signals, sent, delivered, opened, clicked, accepted, paid] = counts(&week.way);
        WireWeek {
            start_date: Some(wire_date(week.start)),
            signals: signals.unwrap_or_default(),
            offers_sent: sent.unwrap_or_default(),
            accepted: accepted.unwrap_or_default(),
            paid: paid.unwrap_or_default(),
            touches: week.touches.unwrap_or_default(),
            expansion: week.expansion.into_iter().map(to_proto).collect(),
            delivered,
            opened,
            clicked,
        }
    };
    GetWeeklyCutResponse {
        weeks: weeks.into_iter().map(week).collect(),
    }
}

fn counts(way: &Way) -> [Option<i64>; 7] {
    let mut counts = [None; 7];
    for (count, stage) in counts.iter_mut().zip(way.stages()) {
        *count = stage.count;
    }
    counts
}

/// In the order of the vocabulary.
pub(super) fn motion_conversion(conversions: Vec<Conversion>) -> GetMotionConversionResponse {
    let conversion = |conversion| {
        let Conversion {
            motion,
            sent,
            accepted,
            paid,
            accounts,
            settled,
            expansion,
        } = conversion;
        let standing = standing(&motion, accepted, settled);
        let expansion = expansion.into_iter().map(to_proto).collect();
        MotionConversion {
            motion: wire_motion(&motion).into(),
            sent,
            accepted,
            paid,
            expansion,
            accounts,
            settled,
            acceptance: standing.map(|standing| standing.mean),
            band_low: standing.map(|standing| standing.band.0),
            band_high: standing.map(|standing| standing.band.1),
            drift: wire_drift(standing.map(|standing| standing.drift)).into(),
        }
    };
    let mut motions: Vec<_> = conversions.into_iter().map(conversion).collect();
    motions.sort_by_key(|conversion| conversion.motion);
    GetMotionConversionResponse { motions }
}

fn wire_drift(drift: Option<Drift>) -> WireDrift {
    match drift {
        None => WireDrift::Unspecified,
        Some(Drift::Within) => WireDrift::Within,
        Some(Drift::Below) => WireDrift::Below,
        Some(Drift::Above) => WireDrift::Above,
    }
}

pub(super) fn pressure(pressure: Pressure) -> GetPressureResponse {
    let touches_per_account_week = pressure.per_account_week();
    let Pressure {
        touches,
        accounts,
        weeks,
        busiest,
    } = pressure;
    let (busiest_account_id, busiest_touches) = busiest.unwrap_or_default();
    GetPressureResponse {
        touches,
        accounts,
        weeks,
        touches_per_account_week,
        busiest_account_id,
        busiest_touches,
    }
}

pub(super) fn lead_times(times: LeadTimes) -> GetLeadTimesResponse {
    let LeadTimes {
        signal_to_payment,
        approval_wait,
        onboarding,
        to_expansion,
        longest_waits,
    } = times;
    GetLeadTimesResponse {
        signal_to_payment_days: Some(lead_time(signal_to_payment)),
        approval_wait_hours: Some(lead_time(approval_wait)),
        longest_waits: longest_waits.into_iter().map(longest_wait).collect(),
        onboarding_ttv_days: Some(lead_time(onboarding)),
        time_to_expansion_days: Some(lead_time(to_expansion)),
    }
}

fn lead_time(time: LeadTime) -> WireLeadTime {
    let LeadTime {
        complete,
        open,
        mean,
        median,
        p90,
        median_with_open,
        p90_with_open,
    } = time;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    WireLeadTime {
        complete: count(complete),
        open: count(open),
        mean,
        median,
        p90,
        median_with_open,
        p90_with_open,
    }
}

fn longest_wait(wait: Wait) -> LongestWait {
    let Wait { approval, waited } = wait;
    LongestWait {
        approval_id: approval.approval_id,
        account_id: approval.account_id,
        approver_id: approval.approver_id,
        request_time: Some(wire_time(approval.requested_at)),
        hours: waited.as_secs_f64() / 3_600.0,
        state: approval.state.as_str().to_owned(),
    }
}
