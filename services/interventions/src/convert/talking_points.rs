//! What to talk about.

use mainstay_api::mainstay::interventions::v1 as proto;

use crate::app::talking_points::{TalkingPoints, Topic};

/// Talking points as messages have them.
pub(crate) fn message(points: TalkingPoints) -> proto::TalkingPoints {
    let point = |(topic, text)| proto::TalkingPoint { topic: topic_message(topic).into(), text };
    proto::TalkingPoints {
        account: points.account.name(),
        account_display_name: points.account_name,
        points: points.points.into_iter().map(point).collect(),
        health_explained: points.is_health_explained,
    }
}

fn topic_message(topic: Topic) -> proto::TalkingPointTopic {
    match topic {
        Topic::Person => proto::TalkingPointTopic::Person,
        Topic::Health => proto::TalkingPointTopic::Health,
        Topic::Alert => proto::TalkingPointTopic::Alert,
        Topic::Case => proto::TalkingPointTopic::Case,
        Topic::Renewal => proto::TalkingPointTopic::Renewal,
        Topic::Playbook => proto::TalkingPointTopic::Playbook,
    }
}
