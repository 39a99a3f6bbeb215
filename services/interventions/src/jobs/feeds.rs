//! What other services tell.

use async_trait::async_trait;
use mainstay_accounts::Accounts;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::AccountId;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::Name;
use sqlx::PgConnection;

use crate::app::apply_account_event::{self, handler_error};
use crate::app::survey_answered::{self, SurveyAnswer};
use crate::app::{App, Session, clear_alert, raise_alert};
use crate::convert::occurrence;
use crate::domain::alert::Resolution;

/// What scoring tells: accounts, health, risk triggers.
pub(crate) struct ScoringFeed(pub App);

impl ScoringFeed {
    /// The events it wants.
    pub(crate) fn types() -> Vec<String> {
        let mut types = Accounts::event_types();
        types.extend([
            scoring::RiskTriggerRaised::full_name(),
            scoring::RiskTriggerUpdated::full_name(),
            scoring::RiskTriggerCleared::full_name(),
        ]);
        types
    }
}

#[async_trait]
impl EventHandler for ScoringFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        if event.is::<scoring::RiskTriggerRaised>() {
            let raised: scoring::RiskTriggerRaised = event.decode()?;
            return happened(&self.0, conn, event, raised.trigger.as_ref()).await;
        }
        if event.is::<scoring::RiskTriggerUpdated>() {
            let updated: scoring::RiskTriggerUpdated = event.decode()?;
            return happened(&self.0, conn, event, updated.trigger.as_ref()).await;
        }
        if event.is::<scoring::RiskTriggerCleared>() {
            let cleared: scoring::RiskTriggerCleared = event.decode()?;
            return ended(&self.0, conn, event, cleared.trigger.as_ref()).await;
        }
        apply_account_event::execute(&self.0, conn, event).await
    }
}

async fn happened(
    app: &App,
    conn: &mut PgConnection,
    event: &Event,
    trigger: Option<&scoring::RiskTrigger>,
) -> Result<(), HandlerError> {
    let occurrence = trigger.and_then(occurrence::of_trigger);
    let occurrence =
        occurrence.ok_or_else(|| HandlerError::Skip("a trigger that this version does not know".to_owned()))?;
    let mut session =
        Session::begin_as_of(app, conn, &occurrence.account, event.event_time).await.map_err(handler_error)?;
    raise_alert::told_by_others(&mut session, &occurrence).await.map_err(handler_error)
}

async fn ended(
    app: &App,
    conn: &mut PgConnection,
    event: &Event,
    trigger: Option<&scoring::RiskTrigger>,
) -> Result<(), HandlerError> {
    let skip = || HandlerError::Skip("a trigger that this version does not know".to_owned());
    let trigger = trigger.ok_or_else(skip)?;
    let kind = occurrence::kind_of_trigger(trigger.kind()).ok_or_else(skip)?;
    let account = AccountId::parse_name(&trigger.account).map_err(|_| skip())?;
    let resolution = match trigger.clear_reason() {
        scoring::RiskTriggerClearReason::AccountGone => Resolution::AccountGone,
        scoring::RiskTriggerClearReason::Ended | scoring::RiskTriggerClearReason::Unspecified => {
            Resolution::ConditionEnded
        }
    };
    let began_at = trigger.raise_time.as_ref().and_then(occurrence::time).ok_or_else(skip)?;
    let mut session = Session::begin_as_of(app, conn, &account, event.event_time).await.map_err(handler_error)?;
    clear_alert::in_session(&mut session, kind, &trigger.subject, began_at, resolution).await.map_err(handler_error)
}

/// What surveys tells: answers.
pub(crate) struct SurveysFeed(pub App);

impl SurveysFeed {
    /// The events it wants.
    pub(crate) fn types() -> Vec<String> {
        vec![surveys::ResponseReceived::full_name()]
    }
}

#[async_trait]
impl EventHandler for SurveysFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let received: surveys::ResponseReceived = event.decode()?;
        let skip = || HandlerError::Skip("an answer that this version does not understand".to_owned());
        let response = received.response.ok_or_else(skip)?;
        let account = AccountId::parse_name(&response.account).map_err(|_| skip())?;
        let detractor = if response.category() == surveys::ResponseCategory::Detractor {
            Some(occurrence::of_response(&response).ok_or_else(skip)?)
        } else {
            None
        };
        let score = response.score.and_then(|score| i16::try_from(score).ok()).ok_or_else(skip)?;
        let answer = SurveyAnswer { score, resurvey_of: response.resurvey_of, detractor };
        let mut session =
            Session::begin_as_of(&self.0, conn, &account, event.event_time).await.map_err(handler_error)?;
        survey_answered::in_session(&mut session, &answer).await.map_err(handler_error)
    }
}
