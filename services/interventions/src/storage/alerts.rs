//! Rows of alerts.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::alert::{Alert, AlertKind};

struct AlertRow {
    account_id: String,
    alert_id: Uuid,
    kind: i16,
    subject: String,
    headline: String,
    details: Vec<String>,
    state: i16,
    severity: i16,
    owner_email: String,
    owner_is_fallback: bool,
    happened_at: DateTime<Utc>,
    occurrence_count: i32,
    last_occurred_at: DateTime<Utc>,
    next_due_at: Option<DateTime<Utc>>,
    has_breach: bool,
    escalation_count: i32,
    policy_id: String,
    policy_version: i32,
    case_id: Option<Uuid>,
    score: Option<i32>,
    assessment: String,
    immediate_action_needed: bool,
    plan: String,
    execution: String,
    follow_up: String,
    issue_resolved: Option<bool>,
    resolution: Option<i16>,
    resolution_notes: String,
    closed_at: Option<DateTime<Utc>>,
    version: i64,
}

impl TryFrom<AlertRow> for Alert {
    type Error = StorageError;

    fn try_from(row: AlertRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.alert_id,
            account: codes::account_id(&row.account_id)?,
            kind: codes::alert_kind(row.kind)?,
            subject: row.subject,
            headline: row.headline,
            details: row.details,
            state: codes::alert_state(row.state)?,
            severity: codes::severity(row.severity)?,
            owner_email: row.owner_email,
            owner_is_fallback: row.owner_is_fallback,
            happened_at: row.happened_at,
            occurrence_count: row.occurrence_count,
            last_occurred_at: row.last_occurred_at,
            next_due_at: row.next_due_at,
            has_breach: row.has_breach,
            escalation_count: row.escalation_count,
            policy: codes::policy_id(&row.policy_id)?,
            policy_version: row.policy_version,
            case: row.case_id,
            score: row.score.map(Points::from_units),
            assessment: row.assessment,
            immediate_action_needed: row.immediate_action_needed,
            plan: row.plan,
            execution: row.execution,
            follow_up: row.follow_up,
            issue_resolved: row.issue_resolved,
            resolution: row.resolution.map(codes::resolution).transpose()?,
            resolution_notes: row.resolution_notes,
            closed_at: row.closed_at,
            version: row.version,
        })
    }
}

/// `query_as!` for whole alerts, so that the columns stand here once.
macro_rules! select_alerts {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            AlertRow,
            "SELECT account_id, alert_id, kind, subject, headline, details, state, severity, owner_email,
                    owner_is_fallback, happened_at, occurrence_count, last_occurred_at, next_due_at, has_breach,
                    escalation_count, policy_id, policy_version, case_id, score, assessment, immediate_action_needed,
                    plan, execution, follow_up, issue_resolved, resolution, resolution_notes, closed_at, version
               FROM interventions.alerts " + $tail
            $(, $argument)*
        )
    };
}

fn alerts(rows: Vec<AlertRow>) -> Result<Vec<Alert>, StorageError> {
    rows.into_iter().map(Alert::try_from).collect()
}

/// The alert, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: Uuid) -> Result<Option<Alert>, StorageError> {
    let row = select_alerts!("WHERE alert_id = $1", id).fetch_optional(conn).await?;
    row.map(Alert::try_from).transpose()
}

/// The open alert of an account, kind and subject. The account's row is held by the caller.
pub(crate) async fn lookup_open(
    conn: &mut PgConnection,
    account: &AccountId,
    kind: AlertKind,
    subject: &str,
) -> Result<Option<Alert>, StorageError> {
    let row = select_alerts!(
        "WHERE account_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL",
        account.as_str(),
        codes::alert_kind_number(kind),
        subject
    )
    .fetch_optional(conn)
    .await?;
    row.map(Alert::try_from).transpose()
}

/// Whether an alert about this that began at or after a moment was closed: a condition that is told again after a person
/// has dealt with it is the same one.
pub(crate) async fn was_closed_since(
    conn: &mut PgConnection,
    account: &AccountId,
    kind: AlertKind,
    subject: &str,
    happened_at: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let is_there = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM interventions.alerts
                WHERE account_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NOT NULL AND happened_at >= $4
           ) AS "is_there!""#,
        account.as_str(),
        codes::alert_kind_number(kind),
        subject,
        happened_at
    )
    .fetch_one(conn)
    .await?;
    Ok(is_there)
}

/// All open alerts of an account.
pub(crate) async fn open_of_account(conn: &mut PgConnection, account: &AccountId) -> Result<Vec<Alert>, StorageError> {
    let rows = select_alerts!("WHERE account_id = $1 AND closed_at IS NULL ORDER BY alert_id", account.as_str())
        .fetch_all(conn);
    alerts(rows.await?)
}

/// Which alerts a list holds; all conditions given must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertFilter {
    pub account: Option<AccountId>,
    pub kinds: Vec<AlertKind>,
    pub owner_email: Option<String>,
    pub is_breached_only: bool,
}

impl AlertFilter {
    fn kind_numbers(&self) -> Option<Vec<i16>> {
        (!self.kinds.is_empty()).then(|| self.kinds.iter().map(|kind| codes::alert_kind_number(*kind)).collect())
    }
}

/// A page of open alerts, what is due first first, after the due time and id given.
pub(crate) async fn list_open(
    conn: &mut PgConnection,
    filter: &AlertFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Alert>, StorageError> {
    let (after_due, after_id) = after.unzip();
    let kind_numbers = filter.kind_numbers();
    let rows = select_alerts!(
        "WHERE closed_at IS NULL
           AND ($1::text IS NULL OR account_id = $1)
           AND ($2::smallint[] IS NULL OR kind = ANY($2))
           AND ($3::text IS NULL OR owner_email = $3)
           AND (NOT $4 OR has_breach)
           AND ($5::timestamptz IS NULL OR (next_due_at, alert_id) > ($5, $6::uuid))
         ORDER BY next_due_at, alert_id LIMIT $7",
        filter.account.as_ref().map(AccountId::as_str),
        kind_numbers.as_deref(),
        filter.owner_email.as_deref(),
        filter.is_breached_only,
        after_due,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?;
    alerts(rows)
}

/// A page of closed alerts, the last closed first, after the end and id given.
pub(crate) async fn list_closed(
    conn: &mut PgConnection,
    filter: &AlertFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Alert>, StorageError> {
    let (after_end, after_id) = after.unzip();
    let kind_numbers = filter.kind_numbers();
    let rows = select_alerts!(
        "WHERE closed_at IS NOT NULL
           AND ($1::text IS NULL OR account_id = $1)
           AND ($2::smallint[] IS NULL OR kind = ANY($2))
           AND ($3::text IS NULL OR owner_email = $3)
           AND (NOT $4 OR has_breach)
           AND ($5::timestamptz IS NULL OR (closed_at, alert_id) < ($5, $6::uuid))
         ORDER BY closed_at DESC, alert_id DESC LIMIT $7",
        filter.account.as_ref().map(AccountId::as_str),
        kind_numbers.as_deref(),
        filter.owner_email.as_deref(),
        filter.is_breached_only,
        after_end,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?;
    alerts(rows)
}

/// Stores a new alert.
pub(crate) async fn insert(conn: &mut PgConnection, alert: &Alert) -> Result<(), StorageError> {
    let stored = sqlx::query!(
        "INSERT INTO interventions.alerts (account_id, alert_id, kind, subject, headline, details, state, severity,
             owner_email, owner_is_fallback, happened_at, occurrence_count, last_occurred_at, next_due_at, policy_id,
             policy_version, case_id, score)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        alert.account.as_str(),
        alert.id,
        codes::alert_kind_number(alert.kind),
        alert.subject,
        alert.headline,
        &alert.details,
        codes::alert_state_number(alert.state),
        codes::severity_number(alert.severity),
        alert.owner_email,
        alert.owner_is_fallback,
        alert.happened_at,
        alert.occurrence_count,
        alert.last_occurred_at,
        alert.next_due_at,
        alert.policy.text(),
        alert.policy_version,
        alert.case,
        alert.score.map(Points::units),
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}

/// Writes what may change of an alert, whose version must still be that of the row. The row's version grows.
pub(crate) async fn update(conn: &mut PgConnection, alert: &Alert) -> Result<(), StorageError> {
    let stored = sqlx::query!(
        "UPDATE interventions.alerts
            SET headline = $4, details = $5, state = $6, owner_email = $7, owner_is_fallback = $8,
                occurrence_count = $9, last_occurred_at = $10, next_due_at = $11, has_breach = $12,
                escalation_count = $13, case_id = $14, assessment = $15, immediate_action_needed = $16, plan = $17,
                execution = $18, follow_up = $19, issue_resolved = $20, resolution = $21, resolution_notes = $22,
                closed_at = $23, version = version + 1
          WHERE account_id = $1 AND alert_id = $2 AND version = $3",
        alert.account.as_str(),
        alert.id,
        alert.version,
        alert.headline,
        &alert.details,
        codes::alert_state_number(alert.state),
        alert.owner_email,
        alert.owner_is_fallback,
        alert.occurrence_count,
        alert.last_occurred_at,
        alert.next_due_at,
        alert.has_breach,
        alert.escalation_count,
        alert.case,
        alert.assessment,
        alert.immediate_action_needed,
        alert.plan,
        alert.execution,
        alert.follow_up,
        alert.issue_resolved,
        alert.resolution.map(codes::resolution_number),
        alert.resolution_notes,
        alert.closed_at,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}
