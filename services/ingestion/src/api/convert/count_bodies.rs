//! Bodies that count something on a day.

use upswell_proto::ingestion::v1 as pb;

use super::fields::Fields;
use crate::domain::{
    fact::{ActivityCount, Body, FeatureUse, UsageCount},
    moment::{ExportCount, TrialUse},
    rules::{COUNT_MAX, Reach, UNITS_MAX},
};

pub(super) fn usage(wire: &pb::UsageCount, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::UsageCount { metric, day, value } = wire;
    let metric = fields.key("metric", metric);
    let day = fields.day("day", day.as_ref(), Reach::Day);
    let value = fields.count("value", *value, 0, COUNT_MAX);
    Some(Body::Usage(UsageCount {
        metric: metric?,
        day: day?,
        value: value?,
    }))
}

pub(super) fn activity(wire: &pb::ActivityCount, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::ActivityCount {
        day,
        active_users,
        logins,
    } = wire;
    let day = fields.day("day", day.as_ref(), Reach::Day);
    let active_users = fields.count("active_users", *active_users, 0, UNITS_MAX);
    let logins = fields.count("logins", *logins, 0, COUNT_MAX);
    Some(Body::Activity(ActivityCount {
        day: day?,
        active_users: active_users?,
        logins: logins?,
    }))
}

pub(super) fn feature_use(wire: &pb::FeatureUse, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::FeatureUse {
        feature,
        day,
        users,
        uses,
    } = wire;
    let feature = fields.key("feature", feature);
    let day = fields.day("day", day.as_ref(), Reach::Day);
    let users = fields.count("users", *users, 0, UNITS_MAX);
    let uses = fields.count("uses", *uses, 0, COUNT_MAX);
    Some(Body::FeatureUse(FeatureUse {
        feature: feature?,
        day: day?,
        users: users?,
        uses: uses?,
    }))
}

pub(super) fn trial_use(wire: &pb::TrialUse, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::TrialUse {
        feature,
        day,
        users,
        uses,
    } = wire;
    let feature = fields.key("feature", feature);
    let day = fields.day("day", day.as_ref(), Reach::Day);
    let users = fields.count("users", *users, 0, UNITS_MAX);
    let uses = fields.count("uses", *uses, 0, COUNT_MAX);
    Some(Body::TrialUse(TrialUse {
        feature: feature?,
        day: day?,
        users: users?,
        uses: uses?,
    }))
}

pub(super) fn export(wire: &pb::ExportCount, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::ExportCount { tool, day, exports } = wire;
    let tool = fields.key("tool", tool);
    let day = fields.day("day", day.as_ref(), Reach::Day);
    let exports = fields.count("exports", *exports, 0, COUNT_MAX);
    Some(Body::Export(ExportCount {
        tool: tool?,
        day: day?,
        exports: exports?,
    }))
}
