//! Rows of cases.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Currency, Money, Points, Segment};
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::case::{Case, CaseKind, CaseState, Findings};
use crate::domain::priority::{Depth, Experience, Priority, Tally};

struct CaseRow {
    account_id: String,
    case_id: Uuid,
    kind: i16,
    state: i16,
    subject: String,
    owner_email: String,
    owner_is_fallback: bool,
    currency: Option<String>,
    revenue_minor_units: Option<i64>,
    decline: f64,
    save_chance: f64,
    save_chance_cases: i32,
    save_chance_alike: i32,
    opened_at: DateTime<Utc>,
    state_at: DateTime<Utc>,
    next_due_at: Option<DateTime<Utc>>,
    has_breach: bool,
    escalation_count: i32,
    policy_id: String,
    policy_version: i32,
    score_at_open: Option<i32>,
    score_at_close: Option<i32>,
    assessment_steps: Vec<i16>,
    root_cause: String,
    plan: String,
    resolution: String,
    what_worked: String,
    has_outbound_touch: bool,
    contact_id: String,
    survey_score: Option<i16>,
    resurvey_score: Option<i16>,
    outcome: Option<i16>,
    outcome_notes: String,
    resolved_at: Option<DateTime<Utc>>,
    intervening_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    version: i64,
}

impl TryFrom<CaseRow> for Case {
    type Error = StorageError;

    fn try_from(row: CaseRow) -> Result<Self, StorageError> {
        let currency = row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
        let revenue_at_risk =
            currency.zip(row.revenue_minor_units).map(|(currency, minor_units)| Money { currency, minor_units });
        Ok(Self {
            id: row.case_id,
            account: codes::account_id(&row.account_id)?,
            kind: codes::case_kind(row.kind)?,
            state: codes::case_state(row.state)?,
            subject: row.subject,
            owner_email: row.owner_email,
            owner_is_fallback: row.owner_is_fallback,
            priority: Priority {
                revenue_at_risk,
                decline: row.decline,
                save_chance: row.save_chance,
                save_chance_cases: row.save_chance_cases,
                save_chance_alike: row.save_chance_alike,
            },
            opened_at: row.opened_at,
            state_at: row.state_at,
            next_due_at: row.next_due_at,
            has_breach: row.has_breach,
            escalation_count: row.escalation_count,
            policy: codes::policy_id(&row.policy_id)?,
            policy_version: row.policy_version,
            score_at_open: row.score_at_open.map(Points::from_units),
            score_at_close: row.score_at_close.map(Points::from_units),
            findings: Findings {
                assessment_steps: row
                    .assessment_steps
                    .into_iter()
                    .map(codes::assessment_step)
                    .collect::<Result<_, _>>()?,
                root_cause: row.root_cause,
                plan: row.plan,
                resolution: row.resolution,
                what_worked: row.what_worked,
            },
            has_outbound_touch: row.has_outbound_touch,
            contact_id: row.contact_id,
            survey_score: row.survey_score,
            resurvey_score: row.resurvey_score,
            outcome: row.outcome.map(codes::outcome).transpose()?,
            outcome_notes: row.outcome_notes,
            resolved_at: row.resolved_at,
            intervening_at: row.intervening_at,
            closed_at: row.closed_at,
            version: row.version,
        })
    }
}

/// `query_as!` for whole cases, so that the columns stand here once.
macro_rules! select_cases {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            CaseRow,
            "SELECT account_id, case_id, kind, state, subject, owner_email, owner_is_fallback, currency,
                    revenue_minor_units, decline, save_chance, save_chance_cases, save_chance_alike, opened_at, state_at,
                    next_due_at, has_breach, escalation_count, policy_id, policy_version, score_at_open,
                    score_at_close, assessment_steps, root_cause, plan, resolution, what_worked, has_outbound_touch, contact_id,
                    survey_score, resurvey_score, outcome, outcome_notes, resolved_at, intervening_at, closed_at,
                    version
               FROM interventions.cases " + $tail
            $(, $argument)*
        )
    };
}

fn cases(rows: Vec<CaseRow>) -> Result<Vec<Case>, StorageError> {
    rows.into_iter().map(Case::try_from).collect()
}

/// The case, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: Uuid) -> Result<Option<Case>, StorageError> {
    let row = select_cases!("WHERE case_id = $1", id).fetch_optional(conn).await?;
    row.map(Case::try_from).transpose()
}

/// All open cases of an account. Its row is held by the caller.
pub(crate) async fn open_of_account(conn: &mut PgConnection, account: &AccountId) -> Result<Vec<Case>, StorageError> {
    let rows =
        select_cases!("WHERE account_id = $1 AND closed_at IS NULL ORDER BY case_id", account.as_str()).fetch_all(conn);
    cases(rows.await?)
}

/// The newest case of an account about an answer, open or closed.
pub(crate) async fn lookup_by_subject(
    conn: &mut PgConnection,
    account: &AccountId,
    kind: CaseKind,
    subject: &str,
) -> Result<Option<Case>, StorageError> {
    let row = select_cases!(
        "WHERE account_id = $1 AND kind = $2 AND subject = $3 ORDER BY opened_at DESC LIMIT 1",
        account.as_str(),
        codes::case_kind_number(kind),
        subject
    )
    .fetch_optional(conn)
    .await?;
    row.map(Case::try_from).transpose()
}

/// What worked in cases at risk that were saved last, of accounts of a segment.
pub(crate) async fn what_worked(
    conn: &mut PgConnection,
    segment: Segment,
    limit: i64,
) -> Result<Vec<(AccountId, String)>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT saved.account_id, saved.what_worked
             FROM interventions.cases AS saved
             JOIN interventions.accounts AS account ON account.account_id = saved.account_id
            WHERE saved.outcome = 1 AND saved.what_worked <> '' AND account.segment = $1
            ORDER BY saved.closed_at DESC LIMIT $2"#,
        mainstay_accounts::segment_number(segment),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((codes::account_id(&row.account_id)?, row.what_worked))).collect()
}

/// Which cases a list holds; all conditions given must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct CaseFilter {
    pub account: Option<AccountId>,
    pub kind: Option<CaseKind>,
    pub owner_email: Option<String>,
    pub states: Vec<CaseState>,
}

impl CaseFilter {
    fn state_numbers(&self) -> Option<Vec<i16>> {
        (!self.states.is_empty()).then(|| self.states.iter().map(|state| codes::case_state_number(*state)).collect())
    }
}

/// Where a case of unknown revenue stands among the others: last.
pub(crate) const UNKNOWN_GAIN: i64 = -1;

/// A page of open cases, the highest expected gain first, after the gain and id given.
pub(crate) async fn list_open(
    conn: &mut PgConnection,
    filter: &CaseFilter,
    after: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<Case>, StorageError> {
    let (after_gain, after_id) = after.unzip();
    let state_numbers = filter.state_numbers();
    let rows = select_cases!(
        "WHERE closed_at IS NULL
           AND ($1::text IS NULL OR account_id = $1)
           AND ($2::smallint IS NULL OR kind = $2)
           AND ($3::text IS NULL OR owner_email = $3)
           AND ($4::smallint[] IS NULL OR state = ANY($4))
           AND ($5::bigint IS NULL OR coalesce(expected_gain_minor_units, -1) <= $5)
           AND ($5::bigint IS NULL OR coalesce(expected_gain_minor_units, -1) < $5 OR case_id > $6::uuid)
         ORDER BY coalesce(expected_gain_minor_units, -1) DESC, case_id LIMIT $7",
        filter.account.as_ref().map(AccountId::as_str),
        filter.kind.map(codes::case_kind_number),
        filter.owner_email.as_deref(),
        state_numbers.as_deref(),
        after_gain,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?;
    cases(rows)
}

/// A page of closed cases, the last closed first, after the end and id given.
pub(crate) async fn list_closed(
    conn: &mut PgConnection,
    filter: &CaseFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Case>, StorageError> {
    let (after_end, after_id) = after.unzip();
    let state_numbers = filter.state_numbers();
    let rows = select_cases!(
        "WHERE closed_at IS NOT NULL
           AND ($1::text IS NULL OR account_id = $1)
           AND ($2::smallint IS NULL OR kind = $2)
           AND ($3::text IS NULL OR owner_email = $3)
           AND ($4::smallint[] IS NULL OR state = ANY($4))
           AND ($5::timestamptz IS NULL OR (closed_at, case_id) < ($5, $6::uuid))
         ORDER BY closed_at DESC, case_id DESC LIMIT $7",
        filter.account.as_ref().map(AccountId::as_str),
        filter.kind.map(codes::case_kind_number),
        filter.owner_email.as_deref(),
        state_numbers.as_deref(),
        after_end,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?;
    cases(rows)
}

/// How cases of a kind, of accounts of a segment, ended: all, and those that were as deep when they were opened.
pub(crate) async fn experience(
    conn: &mut PgConnection,
    kind: CaseKind,
    segment: Segment,
    depth: Depth,
) -> Result<Experience, StorageError> {
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(saved_count), 0)::integer AS "saved!",
                  coalesce(sum(lost_count), 0)::integer AS "lost!",
                  coalesce(sum(saved_count) FILTER (WHERE depth = $3), 0)::integer AS "saved_alike!",
                  coalesce(sum(lost_count) FILTER (WHERE depth = $3), 0)::integer AS "lost_alike!"
             FROM interventions.case_outcomes
            WHERE kind = $1 AND segment = $2"#,
        codes::case_kind_number(kind),
        mainstay_accounts::segment_number(segment),
        codes::depth_number(depth),
    )
    .fetch_one(conn)
    .await?;
    Ok(Experience {
        all: Tally { saved: row.saved, lost: row.lost },
        alike: Tally { saved: row.saved_alike, lost: row.lost_alike },
    })
}

/// Counts a case that ended well or ill.
pub(crate) async fn count_outcome(
    conn: &mut PgConnection,
    kind: CaseKind,
    segment: Segment,
    depth: Depth,
    is_saved: bool,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO interventions.case_outcomes AS known (kind, segment, depth, saved_count, lost_count)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (kind, segment, depth) DO UPDATE
             SET saved_count = known.saved_count + excluded.saved_count,
                 lost_count = known.lost_count + excluded.lost_count",
        codes::case_kind_number(kind),
        mainstay_accounts::segment_number(segment),
        codes::depth_number(depth),
        i32::from(is_saved),
        i32::from(!is_saved),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a new case.
pub(crate) async fn insert(conn: &mut PgConnection, case: &Case) -> Result<(), StorageError> {
    let Priority { revenue_at_risk, decline, save_chance, save_chance_cases, save_chance_alike } = case.priority;
    let stored = sqlx::query!(
        "INSERT INTO interventions.cases (account_id, case_id, kind, state, subject, owner_email, owner_is_fallback,
             currency, revenue_minor_units, decline, save_chance, save_chance_cases, save_chance_alike,
             expected_gain_minor_units, opened_at, state_at, next_due_at, policy_id, policy_version, score_at_open,
             contact_id, survey_score)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        case.account.as_str(),
        case.id,
        codes::case_kind_number(case.kind),
        codes::case_state_number(case.state),
        case.subject,
        case.owner_email,
        case.owner_is_fallback,
        revenue_at_risk.map(|revenue| revenue.currency.to_string()),
        revenue_at_risk.map(|revenue| revenue.minor_units),
        decline,
        save_chance,
        save_chance_cases,
        save_chance_alike,
        case.priority.expected_gain().map(|gain| gain.minor_units),
        case.opened_at,
        case.state_at,
        case.next_due_at,
        case.policy.text(),
        case.policy_version,
        case.score_at_open.map(Points::units),
        case.contact_id,
        case.survey_score,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}

/// Writes the priority of a case alone: the row's version stays, because nobody decided anything.
pub(crate) async fn set_priority(conn: &mut PgConnection, case: &Case) -> Result<(), StorageError> {
    let Priority { revenue_at_risk, decline, save_chance, save_chance_cases, save_chance_alike } = case.priority;
    let stored = sqlx::query!(
        "UPDATE interventions.cases
            SET currency = $3, revenue_minor_units = $4, decline = $5, save_chance = $6, save_chance_cases = $7,
                save_chance_alike = $8, expected_gain_minor_units = $9
          WHERE account_id = $1 AND case_id = $2",
        case.account.as_str(),
        case.id,
        revenue_at_risk.map(|revenue| revenue.currency.to_string()),
        revenue_at_risk.map(|revenue| revenue.minor_units),
        decline,
        save_chance,
        save_chance_cases,
        save_chance_alike,
        case.priority.expected_gain().map(|gain| gain.minor_units),
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}

/// Writes what may change of a case, whose version must still be that of the row. The row's version grows.
pub(crate) async fn update(conn: &mut PgConnection, case: &Case) -> Result<(), StorageError> {
    let Findings { assessment_steps, root_cause, plan, resolution, what_worked } = &case.findings;
    let steps: Vec<i16> = assessment_steps.iter().map(|step| codes::assessment_step_number(*step)).collect();
    let stored = sqlx::query!(
        "UPDATE interventions.cases
            SET state = $4, owner_email = $5, owner_is_fallback = $6, state_at = $7, next_due_at = $8, has_breach = $9,
                escalation_count = $10, score_at_close = $11, assessment_steps = $12, root_cause = $13, plan = $14,
                resolution = $15, what_worked = $16, has_outbound_touch = $17, resurvey_score = $18, outcome = $19,
                outcome_notes = $20, resolved_at = $21, closed_at = $22, intervening_at = $23, version = version + 1
          WHERE account_id = $1 AND case_id = $2 AND version = $3",
        case.account.as_str(),
        case.id,
        case.version,
        codes::case_state_number(case.state),
        case.owner_email,
        case.owner_is_fallback,
        case.state_at,
        case.next_due_at,
        case.has_breach,
        case.escalation_count,
        case.score_at_close.map(Points::units),
        &steps,
        root_cause,
        plan,
        resolution,
        what_worked,
        case.has_outbound_touch,
        case.resurvey_score,
        case.outcome.map(codes::outcome_number),
        case.outcome_notes,
        case.resolved_at,
        case.closed_at,
        case.intervening_at,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}
