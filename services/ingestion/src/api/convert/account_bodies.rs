//! Bodies that say who somebody is.

use upswell_proto::ingestion::v1 as pb;

use super::fields::Fields;
use crate::domain::{
    fact::{AccountProfile, Body, ContactPoint, ContactProfile},
    rules::{self, POINTS_MAX},
    words::Channel,
};

pub(super) fn profile(wire: &pb::AccountProfile, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::AccountProfile {
        display_name,
        segment,
        industry,
        country_code,
        time_zone,
        language_code,
        enterprise,
        csm_id,
        customer_since,
        primary_metric,
    } = wire;
    let display_name = fields.required_text("display_name", display_name, 200);
    let segment = fields.key("segment", segment);
    let industry = fields.optional_key("industry", industry);
    let country_code = fields.rule("country_code", rules::country(country_code));
    let time_zone = fields.rule("time_zone", rules::time_zone(time_zone));
    let language_code = fields.rule("language_code", rules::language(language_code));
    let csm_id = fields.optional_key("csm_id", csm_id);
    let customer_since = fields.optional_old_day("customer_since", customer_since.as_ref());
    let primary_metric = fields.optional_key("primary_metric", primary_metric);
    Some(Body::AccountProfile(AccountProfile {
        display_name: display_name?,
        segment: segment?,
        industry: industry?,
        country_code: country_code?,
        time_zone: time_zone?,
        language_code: language_code?,
        enterprise: *enterprise,
        csm_id: csm_id?,
        customer_since: customer_since?,
        primary_metric: primary_metric?,
    }))
}

pub(super) fn contact(wire: &pb::ContactProfile, fields: &mut Fields<'_>) -> Option<Body> {
    let pb::ContactProfile {
        contact_id,
        first_name,
        role,
        budget_holder,
        renewal_decision_maker,
        champion,
        points,
        language_code,
    } = wire;
    let contact_id = fields.key("contact_id", contact_id);
    let first_name = fields.text("first_name", first_name, 100);
    let role = fields.word("role", *role);
    let language_code = fields.optional_language("language_code", language_code);
    if points.len() > POINTS_MAX {
        fields.fault(
            "points",
            format!("{} addresses: expected at most {POINTS_MAX}", points.len()),
        );
        return None;
    }
    let points: Vec<Option<ContactPoint>> = (points.iter().enumerate())
        .map(|(index, point)| fields.at(&format!("points[{index}]"), |fields| contact_point(point, fields)))
        .collect();
    Some(Body::ContactProfile(ContactProfile {
        contact_id: contact_id?,
        first_name: first_name?,
        role: role?,
        budget_holder: *budget_holder,
        renewal_decision_maker: *renewal_decision_maker,
        champion: *champion,
        points: points.into_iter().collect::<Option<_>>()?,
        language_code: language_code?,
    }))
}

fn contact_point(wire: &pb::ContactPoint, fields: &mut Fields<'_>) -> Option<ContactPoint> {
    let pb::ContactPoint {
        channel,
        address,
        consent,
    } = wire;
    let channel: Option<Channel> = fields.word("channel", *channel);
    if channel.is_some_and(Channel::is_task) {
        fields.fault(
            "channel",
            "a task has no address: expected a channel that reaches the person",
        );
    }
    let address = fields.required_text("address", address, 320);
    Some(ContactPoint {
        channel: channel?,
        address: address?,
        consent: *consent,
    })
}
