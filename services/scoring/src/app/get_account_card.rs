//! An account at a glance.

use mainstay_domain::AccountId;

use super::account_series::load_series;
use super::explain_health::{self, Explained};
use super::{App, ScoringError, get_account};
use crate::domain::account::Account;
use crate::domain::account_card::AtAGlance;
use crate::domain::risk_trigger::RiskTrigger;
use crate::storage::risk_triggers;

/// What a card shows.
#[derive(Debug)]
pub(crate) struct AccountCard {
    pub account: Account,
    /// Absent: it was not scored yet.
    pub explained: Option<Explained>,
    pub lasting: Vec<RiskTrigger>,
    pub at_a_glance: AtAGlance,
}

/// The account's card of now. Its parts are read one after the other: each is as of now, as whoever looks at them would see them.
pub(crate) async fn execute(app: &App, id: &AccountId) -> Result<AccountCard, ScoringError> {
    let account = get_account::execute(app, id).await?;
    let explained = match explain_health::execute(app, id, None, None).await {
        Ok(explained) => Some(explained),
        Err(ScoringError::HealthNotScored { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut conn = app.core.pool.acquire().await?;
    let mut lasting = risk_triggers::lasting(&mut conn, &[id.as_str()]).await?;
    lasting.sort_by_key(|trigger| std::cmp::Reverse((trigger.raised_at, trigger.id)));
    let series = load_series(&mut conn, &[id.as_str()]).await?.remove(id.as_str()).unwrap_or_default();
    let at_a_glance = AtAGlance::of(&series, app.core.clock.today());
    Ok(AccountCard { account, explained, lasting, at_a_glance })
}
