//! Rows of conditions that put accounts at risk.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::codes;
use super::customer_filters::FilterParameters;
use crate::domain::risk_trigger::{
    ClearReason, Condition, RiskCause, RiskTrigger, RiskTriggerCursor, RiskTriggerFilter, RiskTriggerKind,
};

pub(super) const fn kind_number(kind: RiskTriggerKind) -> i16 {
    match kind {
        RiskTriggerKind::HealthCritical => 1,
        RiskTriggerKind::HealthAtRisk => 2,
        RiskTriggerKind::HealthDrop => 3,
        RiskTriggerKind::Inactivity => 4,
        RiskTriggerKind::PaymentFailed => 5,
        RiskTriggerKind::BillingDispute => 6,
        RiskTriggerKind::TicketUrgent => 7,
        RiskTriggerKind::TicketFrustrated => 8,
        RiskTriggerKind::UsageDecline => 9,
        RiskTriggerKind::LoginDrop => 10,
        RiskTriggerKind::FeatureNotAdopted => 11,
        RiskTriggerKind::ChampionSilent => 12,
        RiskTriggerKind::RenewalAtRisk => 13,
        RiskTriggerKind::PaymentSlowing => 14,
    }
}

pub(super) fn kind_of(number: i16) -> Result<RiskTriggerKind, StorageError> {
    match number {
        1 => Ok(RiskTriggerKind::HealthCritical),
        2 => Ok(RiskTriggerKind::HealthAtRisk),
        3 => Ok(RiskTriggerKind::HealthDrop),
        4 => Ok(RiskTriggerKind::Inactivity),
        5 => Ok(RiskTriggerKind::PaymentFailed),
        6 => Ok(RiskTriggerKind::BillingDispute),
        7 => Ok(RiskTriggerKind::TicketUrgent),
        8 => Ok(RiskTriggerKind::TicketFrustrated),
        9 => Ok(RiskTriggerKind::UsageDecline),
        10 => Ok(RiskTriggerKind::LoginDrop),
        11 => Ok(RiskTriggerKind::FeatureNotAdopted),
        12 => Ok(RiskTriggerKind::ChampionSilent),
        13 => Ok(RiskTriggerKind::RenewalAtRisk),
        14 => Ok(RiskTriggerKind::PaymentSlowing),
        _ => Err(codes::corrupt(format!("risk trigger kind {number}"))),
    }
}

const fn reason_number(reason: ClearReason) -> i16 {
    match reason {
        ClearReason::Ended => 1,
        ClearReason::AccountGone => 2,
    }
}

fn reason_of(number: i16) -> Result<ClearReason, StorageError> {
    match number {
        1 => Ok(ClearReason::Ended),
        2 => Ok(ClearReason::AccountGone),
        _ => Err(codes::corrupt(format!("clear reason {number}"))),
    }
}

struct TriggerRow {
    account_id: String,
    trigger_id: Uuid,
    kind: i16,
    subject: String,
    raised_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    cleared_at: Option<DateTime<Utc>>,
    clear_reason: Option<i16>,
    occurrence_count: i32,
    score: Option<i32>,
    cause: Json<RiskCause>,
}

impl TryFrom<TriggerRow> for RiskTrigger {
    type Error = StorageError;

    fn try_from(row: TriggerRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.trigger_id,
            account: codes::account_id(&row.account_id)?,
            kind: kind_of(row.kind)?,
            subject: row.subject,
            raised_at: row.raised_at,
            changed_at: row.changed_at,
            cleared: row.cleared_at.zip(row.clear_reason.map(reason_of).transpose()?),
            score: row.score.map(Points::from_units),
            condition: Condition { cause: row.cause.0, occurrence_count: row.occurrence_count },
        })
    }
}

macro_rules! select_triggers {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            TriggerRow,
            r#"SELECT account_id, trigger_id, kind, subject, raised_at, changed_at, cleared_at, clear_reason, occurrence_count,
                    score, cause AS "cause: Json<RiskCause>"
               FROM scoring.risk_triggers "# + $tail
            $(, $argument)*
        )
    };
}

/// Those of these accounts that last, an account's together. The accounts are locked.
pub(crate) async fn lasting(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<RiskTrigger>, StorageError> {
    let rows = select_triggers!(
        "WHERE account_id = ANY($1::text[]) AND cleared_at IS NULL ORDER BY account_id, kind, subject",
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(RiskTrigger::try_from).collect()
}

/// Those of an account that lasted at a time.
pub(crate) async fn lasting_at(
    conn: &mut PgConnection,
    account: &AccountId,
    at: DateTime<Utc>,
) -> Result<Vec<RiskTrigger>, StorageError> {
    let rows = select_triggers!(
        "WHERE account_id = $1 AND raised_at < $2 AND (cleared_at IS NULL OR cleared_at >= $2) ORDER BY kind, subject",
        account.as_str(),
        at
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(RiskTrigger::try_from).collect()
}

/// One of an account, if there is such a one.
pub(crate) async fn lookup(
    conn: &mut PgConnection,
    account: &AccountId,
    id: Uuid,
) -> Result<Option<RiskTrigger>, StorageError> {
    let row = select_triggers!("WHERE account_id = $1 AND trigger_id = $2", account.as_str(), id)
        .fetch_optional(conn)
        .await?;
    row.map(RiskTrigger::try_from).transpose()
}

/// A page of them, those that began last first, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &RiskTriggerFilter,
    after: Option<&RiskTriggerCursor>,
    limit: i64,
) -> Result<Vec<RiskTrigger>, StorageError> {
    let account = filter.account.as_ref().map(AccountId::as_str);
    let kinds = codes::any_of(&filter.kinds, kind_number);
    let customers = FilterParameters::of(&filter.customers);
    let (raised_at, id) = (after.map(|cursor| cursor.raised_at), after.map(|cursor| cursor.id));
    // A statement of its own: an index of those that last serves only one that asks for them in so many words.
    let rows = if filter.lasting_only {
        select_triggers!(
            "WHERE cleared_at IS NULL
               AND ($1::text IS NULL OR account_id = $1)
               AND ($2::smallint[] IS NULL OR kind = ANY($2))
               AND ($3::timestamptz IS NULL OR (raised_at, trigger_id) < ($3, $4))
               AND ($6::smallint[] IS NULL AND $7::text IS NULL OR EXISTS (
                    SELECT FROM scoring.accounts
                     WHERE accounts.account_id = risk_triggers.account_id
                       AND ($6 IS NULL OR accounts.segment = ANY($6))
                       AND ($7 IS NULL OR accounts.owner_emails @> ARRAY[$7])))
             ORDER BY raised_at DESC, trigger_id DESC
             LIMIT $5",
            account,
            kinds.as_deref(),
            raised_at,
            id,
            limit,
            customers.segments.as_deref(),
            customers.owner_email,
        )
        .fetch_all(conn)
        .await?
    } else {
        select_triggers!(
            "WHERE ($1::text IS NULL OR account_id = $1)
               AND ($2::smallint[] IS NULL OR kind = ANY($2))
               AND ($3::timestamptz IS NULL OR (raised_at, trigger_id) < ($3, $4))
               AND ($6::smallint[] IS NULL AND $7::text IS NULL OR EXISTS (
                    SELECT FROM scoring.accounts
                     WHERE accounts.account_id = risk_triggers.account_id
                       AND ($6 IS NULL OR accounts.segment = ANY($6))
                       AND ($7 IS NULL OR accounts.owner_emails @> ARRAY[$7])))
             ORDER BY raised_at DESC, trigger_id DESC
             LIMIT $5",
            account,
            kinds.as_deref(),
            raised_at,
            id,
            limit,
            customers.segments.as_deref(),
            customers.owner_email,
        )
        .fetch_all(conn)
        .await?
    };
    rows.into_iter().map(RiskTrigger::try_from).collect()
}

/// Writes new ones, and over those that are there. The accounts are locked.
pub(crate) async fn write(conn: &mut PgConnection, triggers: &[RiskTrigger]) -> Result<(), StorageError> {
    let account_ids: Vec<&str> = triggers.iter().map(|trigger| trigger.account.as_str()).collect();
    let trigger_ids: Vec<Uuid> = triggers.iter().map(|trigger| trigger.id).collect();
    let kinds: Vec<i16> = triggers.iter().map(|trigger| kind_number(trigger.kind)).collect();
    let subjects: Vec<&str> = triggers.iter().map(|trigger| trigger.subject.as_str()).collect();
    let raised: Vec<DateTime<Utc>> = triggers.iter().map(|trigger| trigger.raised_at).collect();
    let changed: Vec<DateTime<Utc>> = triggers.iter().map(|trigger| trigger.changed_at).collect();
    let cleared: Vec<Option<DateTime<Utc>>> =
        triggers.iter().map(|trigger| trigger.cleared.map(|(cleared_at, _)| cleared_at)).collect();
    let reasons: Vec<Option<i16>> =
        triggers.iter().map(|trigger| trigger.cleared.map(|(_, reason)| reason_number(reason))).collect();
    let counts: Vec<i32> = triggers.iter().map(|trigger| trigger.condition.occurrence_count).collect();
    let scores: Vec<Option<i32>> = triggers.iter().map(|trigger| trigger.score.map(Points::units)).collect();
    let causes = triggers.iter().map(|trigger| serde_json::to_value(&trigger.condition.cause));
    let causes: Vec<Value> = causes.collect::<Result<_, _>>().map_err(codes::corrupt)?;
    sqlx::query!(
        "INSERT INTO scoring.risk_triggers (
             account_id, trigger_id, kind, subject, raised_at, changed_at, cleared_at, clear_reason, occurrence_count, score,
             cause)
         SELECT * FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                              $7::timestamptz[], $8::smallint[], $9::integer[], $10::integer[], $11::jsonb[])
         ON CONFLICT (account_id, trigger_id) DO UPDATE SET
             changed_at = excluded.changed_at, cleared_at = excluded.cleared_at, clear_reason = excluded.clear_reason,
             occurrence_count = excluded.occurrence_count, score = excluded.score, cause = excluded.cause",
        &account_ids as &[&str],
        &trigger_ids,
        &kinds,
        &subjects as &[&str],
        &raised,
        &changed,
        &cleared as &[Option<DateTime<Utc>>],
        &reasons as &[Option<i16>],
        &counts,
        &scores as &[Option<i32>],
        &causes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest scores of accounts, for those that have one.
pub(crate) async fn scores(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<AccountId, Points>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, score AS "score!" FROM scoring.health
            WHERE account_id = ANY($1::text[]) AND score IS NOT NULL"#,
        accounts as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((codes::account_id(&row.account_id)?, Points::from_units(row.score)))).collect()
}
