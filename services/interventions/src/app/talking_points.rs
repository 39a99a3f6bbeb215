//! What to talk about with a customer.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;

use super::{App, InterventionsError};
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::storage::{alerts, cases};

/// How many saved cases are told of.
const PLAYBOOK_MAX: i64 = 3;

/// What a point is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Person,
    Health,
    Alert,
    Case,
    Renewal,
    Playbook,
}

/// What to talk about.
#[derive(Debug, Clone)]
pub(crate) struct TalkingPoints {
    pub account: AccountId,
    pub account_name: String,
    pub points: Vec<(Topic, String)>,
    /// Whether scoring said why the health is what it is.
    pub is_health_explained: bool,
}

/// Whom to ask for, why the health is what it is, what is open, what was found out, what comes next. Scoring is asked
/// before any row is read.
pub(crate) async fn execute(app: &App, id: &AccountId) -> Result<TalkingPoints, InterventionsError> {
    let explanation = match &app.scoring {
        Some(scoring) => scoring.explain(id).await.unwrap_or_else(|error| {
            tracing::warn!(account = id.as_str(), %error, "scoring did not explain a score");
            Vec::new()
        }),
        None => Vec::new(),
    };
    let mut conn = app.core.pool.acquire().await.map_err(StorageError::from)?;
    let account = app.accounts.lookup(&mut conn, id).await?;
    let account = account.ok_or_else(|| InterventionsError::AccountNotFound(id.name()))?;
    let mut points = vec![(Topic::Person, person(&account))];
    let is_health_explained = !explanation.is_empty();
    if is_health_explained {
        points.extend(explanation.into_iter().map(|sentence| (Topic::Health, sentence)));
    } else if let Some(score) = account.health.score {
        points.push((Topic::Health, format!("Health was {:.1} when scoring told of it last.", score.as_f64())));
    }
    for alert in alerts::open_of_account(&mut conn, id).await? {
        points.push((Topic::Alert, open_alert(&alert)));
    }
    for case in cases::open_of_account(&mut conn, id).await? {
        points.extend(findings(&case).map(|text| (Topic::Case, text)));
    }
    let worked = cases::what_worked(&mut conn, account.segment, PLAYBOOK_MAX).await?;
    points.extend(worked.into_iter().map(|(saved, text)| (Topic::Playbook, format!("It worked at {saved}: {text}"))));
    points.extend(contract(&account, app.core.clock.now()).map(|text| (Topic::Renewal, text)));
    Ok(TalkingPoints { account: account.id, account_name: account.display_name, points, is_health_explained })
}

fn person(account: &Account) -> String {
    match account.contacts.iter().find(|contact| contact.champion) {
        Some(champion) if champion.email.is_empty() => format!("Ask for {}, the champion.", champion.display_name),
        Some(champion) => format!("Ask for {} <{}>, the champion.", champion.display_name, champion.email),
        None => "No champion is known: find out who decides.".to_owned(),
    }
}

fn open_alert(alert: &Alert) -> String {
    let said = std::iter::once(&alert.headline).chain(&alert.details);
    said.map(|sentence| format!("{}.", sentence.trim_end_matches('.'))).collect::<Vec<_>>().join(" ")
}

fn findings(case: &Case) -> impl Iterator<Item = String> {
    let found = &case.findings;
    [("The root cause", &found.root_cause), ("The plan", &found.plan), ("What worked", &found.what_worked)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(what, text)| format!("{what}: {text}"))
}

fn contract(account: &Account, now: DateTime<Utc>) -> Option<String> {
    let worth = account.arr.map(|arr| format!("The contract is worth {arr} a year")).unwrap_or_default();
    let renewal = account.renewal_at.map(|renewal| {
        let days = (renewal.date_naive() - now.date_naive()).num_days();
        let when = renewal.format("%F");
        match days {
            0.. => format!("it renews on {when}, in {days} days"),
            _ => format!("its renewal was due on {when}"),
        }
    });
    match (worth.is_empty(), renewal) {
        (true, None) => None,
        (true, Some(renewal)) => Some(format!("The contract: {renewal}.")),
        (false, None) => Some(format!("{worth}.")),
        (false, Some(renewal)) => Some(format!("{worth}; {renewal}.")),
    }
}
