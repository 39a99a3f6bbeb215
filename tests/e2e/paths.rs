//! Each path in each weather.

use crate::journeys;
use crate::services::Service;
use crate::world::{Weather, World};

macro_rules! in_all_weathers {
    ($journey:ident in $($name:ident: $weather:expr,)+) => {
        mod $journey {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                journeys::$journey(&mut World::new($weather).await).await;
            })+
        }
    };
    ($journey:ident, $($name:ident: $down:expr),+) => {
        in_all_weathers!(
            $journey in
            in_calm_weather: Weather::Calm,
            with_everything_sent_twice: Weather::SentTwice,
            with_all_services_restarted_at_each_turn: Weather::Restarts,
            with_two_replicas_of_each_service: Weather::TwoReplicas,
            $($name: Weather::Down($down),)+
        );
    };
}

in_all_weathers!(a_silent_account_is_saved, with_interventions_down_for_a_day: Service::Interventions);
in_all_weathers!(
    a_failed_payment_is_one_alert_until_it_is_paid,
    with_interventions_down_for_a_day: Service::Interventions,
    with_scoring_down_for_a_day: Service::Scoring
);
in_all_weathers!(
    a_detractor_is_called_and_asked_again,
    with_interventions_down_for_a_day: Service::Interventions,
    with_surveys_down_for_a_day: Service::Surveys
);
in_all_weathers!(a_customer_who_leaves_ends_the_case, with_interventions_down_for_a_day: Service::Interventions);
in_all_weathers!(
    a_limit_reached_becomes_an_opportunity_that_is_won,
    with_expansion_down_for_a_day: Service::Expansion
);
