//! Rows of signals, each once.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;

use super::stories::StoryKey;
use super::{codes, signal_details};
use crate::domain::signal::{Payload, Signal, SignalCursor, SignalFilter, SignalKind, StoredSignal};
use crate::domain::withdrawal::Withdrawal;

/// What identifies a signal.
type SignalKey<'a> = (&'a str, &'a str, &'a str);

fn key(signal: &Signal) -> SignalKey<'_> {
    (signal.account.as_str(), &signal.source, &signal.source_id)
}

/// Inserts those signals that are not known yet and returns their places in
/// `signals`; a signal that stands there twice counts the first time.
///
/// Rows go in in the order of their keys: two callers that send the same
/// signals wait for one another instead of deadlocking.
pub(crate) async fn insert_new(
    conn: &mut PgConnection,
    signals: &[&Signal],
    recorded_at: DateTime<Utc>,
) -> Result<Vec<usize>, StorageError> {
    let mut order: Vec<usize> = (0..signals.len()).collect();
    order.sort_by(|&left, &right| key(signals[left]).cmp(&key(signals[right])));
    order.dedup_by(|later, earlier| key(signals[*later]) == key(signals[*earlier]));
    let columns = SignalColumns::of(order.iter().map(|&index| signals[index]));
    let inserted = sqlx::query!(
        "INSERT INTO scoring.signals
             (account_id, source, source_id, kind, event_at, recorded_at, name, user_id, amount, level)
         SELECT account_id, source, source_id, kind, event_at, $9, name, user_id, amount, level
           FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::text[], $7::text[],
                       $8::bigint[], $10::float8[])
                AS given (account_id, source, source_id, kind, event_at, name, user_id, amount, level)
         ON CONFLICT DO NOTHING",
        &columns.account_id as &[&str],
        &columns.source as &[&str],
        &columns.source_id as &[&str],
        &columns.kind,
        &columns.event_at,
        &columns.name as &[&str],
        &columns.user_id as &[Option<&str>],
        &columns.amount as &[Option<i64>],
        recorded_at,
        &columns.level as &[Option<f64>],
    )
    .execute(&mut *conn)
    .await?;
    match usize::try_from(inserted.rows_affected()) {
        Ok(0) => Ok(Vec::new()),
        Ok(count) if count == order.len() => Ok(order),
        _ => {
            let places = inserted_here(conn, &columns).await?;
            Ok(places.into_iter().filter_map(|place| order.get(place).copied()).collect())
        }
    }
}

/// Which rows, by their place, this transaction inserted. Asked for only when some were known: to have the INSERT return
/// its keys would cost every batch, and most have nothing but new signals.
async fn inserted_here(conn: &mut PgConnection, columns: &SignalColumns<'_>) -> Result<Vec<usize>, StorageError> {
    let places = sqlx::query_scalar!(
        r#"SELECT given.place - 1 AS "place!"
             FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
                  AS given (account_id, source, source_id, place)
             JOIN scoring.signals AS stored USING (account_id, source, source_id)
            WHERE stored.xmin = pg_current_xact_id()::xid"#,
        &columns.account_id as &[&str],
        &columns.source as &[&str],
        &columns.source_id as &[&str],
    )
    .fetch_all(conn)
    .await?;
    places.into_iter().map(|place| usize::try_from(place).map_err(codes::corrupt)).collect()
}

/// A page of an account's signals, newest first, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    account: &AccountId,
    filter: &SignalFilter,
    after: Option<&SignalCursor>,
    limit: i64,
) -> Result<Vec<StoredSignal>, StorageError> {
    let kinds = codes::any_of(&filter.kinds, SignalKind::number);
    let rows = sqlx::query_as!(
        SignalRow,
        r#"SELECT source, source_id, kind, event_at, recorded_at, name, user_id, amount, level,
                (SELECT details FROM scoring.signal_details AS told
                  WHERE told.account_id = signals.account_id AND told.source = signals.source
                    AND told.source_id = signals.source_id) AS details,
                withdrawn.withdrawn_by AS "withdrawn_by?", withdrawn.reason AS "withdrawal_reason?",
                withdrawn.withdrawn_at AS "withdrawn_at?"
           FROM scoring.signals
           LEFT JOIN scoring.signal_withdrawals AS withdrawn USING (account_id, source, source_id)
          WHERE account_id = $1
            AND ($2::timestamptz IS NULL OR event_at >= $2)
            AND ($3::timestamptz IS NULL OR event_at < $3)
            AND ($4::text IS NULL OR source = $4)
            AND ($5::smallint[] IS NULL OR abs(kind) = ANY($5))
            AND (NOT $10 OR kind > 0)
            AND ($6::timestamptz IS NULL OR event_at < $6 OR (event_at = $6 AND (source, source_id) > ($7, $8)))
          ORDER BY event_at DESC, source, source_id
          LIMIT $9"#,
        account.as_str(),
        filter.start,
        filter.end,
        filter.source,
        kinds.as_deref(),
        after.map(|cursor| cursor.event_at),
        after.map(|cursor| cursor.source.as_str()),
        after.map(|cursor| cursor.source_id.as_str()),
        limit,
        filter.exclude_withdrawn,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.stored(account)).collect()
}

/// Those of these signals of a source that there are, locked in the order of their keys.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    account: &AccountId,
    source: &str,
    source_ids: &[&str],
) -> Result<Vec<LockedSignal>, StorageError> {
    let rows = sqlx::query!(
        "SELECT source_id, kind, event_at, name, user_id, amount, level,
                (SELECT details FROM scoring.signal_details AS told
                  WHERE told.account_id = signals.account_id AND told.source = signals.source
                    AND told.source_id = signals.source_id) AS details
           FROM scoring.signals
          WHERE account_id = $1 AND source = $2 AND source_id = ANY($3::text[])
          ORDER BY source_id
            FOR NO KEY UPDATE",
        account.as_str(),
        source,
        source_ids as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let payload = payload_of(row.kind, row.name, row.user_id, row.amount, row.level, row.details)?;
            let (account, source) = (account.clone(), source.to_owned());
            let signal = Signal { account, source, source_id: row.source_id, event_at: row.event_at, payload };
            Ok(LockedSignal { signal, is_withdrawn: row.kind < 0 })
        })
        .collect()
}

/// A signal that is locked.
#[derive(Debug)]
pub(crate) struct LockedSignal {
    pub signal: Signal,
    pub is_withdrawn: bool,
}

/// Which signals, as `unnest` takes their keys.
#[derive(Debug)]
pub(crate) struct SignalKeys<'a> {
    pub(super) accounts: Vec<&'a str>,
    pub(super) sources: Vec<&'a str>,
    pub(super) source_ids: Vec<&'a str>,
}

impl<'a> SignalKeys<'a> {
    pub(crate) fn of(signals: &'a [Signal]) -> Self {
        Self {
            accounts: signals.iter().map(|signal| signal.account.as_str()).collect(),
            sources: signals.iter().map(|signal| signal.source.as_str()).collect(),
            source_ids: signals.iter().map(|signal| signal.source_id.as_str()).collect(),
        }
    }
}

/// Marks these signals as withdrawn. They are locked, and none of them is withdrawn yet.
pub(crate) async fn withdraw(
    conn: &mut PgConnection,
    signals: &SignalKeys<'_>,
    withdrawal: &Withdrawal,
) -> Result<(), StorageError> {
    sqlx::query!(
        "WITH marked AS (
             UPDATE scoring.signals AS stored SET kind = -stored.kind
               FROM unnest($1::text[], $2::text[], $3::text[]) AS given (account_id, source, source_id)
              WHERE stored.account_id = given.account_id AND stored.source = given.source
                AND stored.source_id = given.source_id
          RETURNING stored.account_id, stored.source, stored.source_id)
         INSERT INTO scoring.signal_withdrawals (account_id, source, source_id, withdrawn_by, reason, withdrawn_at)
         SELECT account_id, source, source_id, $4, $5, $6 FROM marked",
        &signals.accounts as &[&str],
        &signals.sources as &[&str],
        &signals.source_ids as &[&str],
        withdrawal.withdrawn_by,
        withdrawal.reason,
        withdrawal.withdrawn_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The signals of an account that tell these stories, without those that were withdrawn. The account is locked.
pub(crate) async fn of_stories(
    conn: &mut PgConnection,
    account: &AccountId,
    stories: impl Iterator<Item = &StoryKey>,
) -> Result<Vec<Signal>, StorageError> {
    let (kinds, ids): (Vec<i16>, Vec<&str>) =
        stories.map(|key| (key.kind.signal_kind().number(), key.id.as_str())).unzip();
    // By the details: an account has few of these, and many signals of use.
    let rows = sqlx::query!(
        "SELECT signals.source, signals.source_id, signals.kind, event_at, name, details
           FROM scoring.signal_details AS told
           JOIN scoring.signals ON signals.account_id = told.account_id AND signals.source = told.source
                               AND signals.source_id = told.source_id
           JOIN unnest($2::smallint[], $3::text[]) AS wanted (kind, story_id)
             ON wanted.kind = signals.kind AND wanted.story_id = signals.name
          WHERE told.account_id = $1",
        account.as_str(),
        &kinds,
        &ids as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let payload = payload_of(row.kind, row.name, None, None, None, Some(row.details))?;
            Ok(Signal {
                account: account.clone(),
                source: row.source,
                source_id: row.source_id,
                event_at: row.event_at,
                payload,
            })
        })
        .collect()
}

/// A signal as a list reads it.
struct SignalRow {
    source: String,
    source_id: String,
    kind: i16,
    event_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    name: String,
    user_id: Option<String>,
    amount: Option<i64>,
    level: Option<f64>,
    details: Option<Value>,
    withdrawn_by: Option<String>,
    withdrawal_reason: Option<String>,
    withdrawn_at: Option<DateTime<Utc>>,
}

impl SignalRow {
    fn stored(self, account: &AccountId) -> Result<StoredSignal, StorageError> {
        let payload = payload_of(self.kind, self.name, self.user_id, self.amount, self.level, self.details)?;
        let withdrawal = self.withdrawn_by.zip(self.withdrawal_reason).zip(self.withdrawn_at);
        let withdrawal =
            withdrawal.map(|((withdrawn_by, reason), withdrawn_at)| Withdrawal { withdrawn_by, reason, withdrawn_at });
        if withdrawal.is_some() != (self.kind < 0) {
            return Err(codes::corrupt(format!("a signal of kind {} with the withdrawal {withdrawal:?}", self.kind)));
        }
        let signal = Signal {
            account: account.clone(),
            source: self.source,
            source_id: self.source_id,
            event_at: self.event_at,
            payload,
        };
        Ok(StoredSignal { signal, recorded_at: self.recorded_at, withdrawal })
    }
}

/// What a signal says. Of one that was withdrawn the kind is negative.
fn payload_of(
    kind: i16,
    name: String,
    user_id: Option<String>,
    amount: Option<i64>,
    level: Option<f64>,
    details: Option<Value>,
) -> Result<Payload, StorageError> {
    let missing = |column: &str| codes::corrupt(format!("signals.{column} is missing for kind {kind}"));
    match SignalKind::of_number(kind.saturating_abs()).ok_or_else(|| codes::corrupt(format!("signal kind {kind}")))? {
        SignalKind::Usage => Ok(Payload::Usage { metric: name, quantity: amount.ok_or_else(|| missing("amount"))? }),
        SignalKind::Gauge => Ok(Payload::Gauge { metric: name, level: level.ok_or_else(|| missing("level"))? }),
        SignalKind::Activity => {
            Ok(Payload::Activity { user_id: user_id.ok_or_else(|| missing("user_id"))?, action: name })
        }
        SignalKind::FeatureUse => Ok(Payload::FeatureUse {
            feature: name,
            user_id: user_id.unwrap_or_default(),
            count: amount.ok_or_else(|| missing("amount"))?,
        }),
        told @ (SignalKind::Ticket
        | SignalKind::Invoice
        | SignalKind::Dispute
        | SignalKind::Lifecycle
        | SignalKind::SurveyAnswer
        | SignalKind::Touch
        | SignalKind::Pulse
        | SignalKind::Credit
        | SignalKind::FeatureRequest
        | SignalKind::FeatureRelease
        | SignalKind::Incident
        | SignalKind::CaseOutcome) => signal_details::payload_of(told, details),
    }
}

/// Signals turned into the arrays that `unnest` takes.
#[derive(Default)]
struct SignalColumns<'a> {
    account_id: Vec<&'a str>,
    source: Vec<&'a str>,
    source_id: Vec<&'a str>,
    kind: Vec<i16>,
    event_at: Vec<DateTime<Utc>>,
    name: Vec<&'a str>,
    user_id: Vec<Option<&'a str>>,
    amount: Vec<Option<i64>>,
    level: Vec<Option<f64>>,
}

impl<'a> SignalColumns<'a> {
    fn of(signals: impl Iterator<Item = &'a Signal>) -> Self {
        let mut columns = Self::default();
        for signal in signals {
            let (name, user_id, amount, level): (&str, Option<&str>, Option<i64>, Option<f64>) = match &signal.payload {
                Payload::Usage { metric, quantity } => (metric, None, Some(*quantity), None),
                Payload::Gauge { metric, level } => (metric, None, None, Some(*level)),
                Payload::Activity { user_id, action } => (action, Some(user_id), None, None),
                Payload::FeatureUse { feature, user_id, count } => {
                    (feature, Some(user_id.as_str()).filter(|user| !user.is_empty()), Some(*count), None)
                }
                Payload::Ticket(told) => (&told.ticket_id, None, None, None),
                Payload::Invoice(told) => (&told.invoice_id, None, None, None),
                Payload::Dispute(told) => (&told.dispute_id, None, None, None),
                Payload::Lifecycle(told) => (told.word(), None, None, None),
                Payload::SurveyAnswer(told) => (told.question.word(), None, None, None),
                Payload::Touch(_) => ("touch", None, None, None),
                Payload::Pulse(_) => ("pulse", None, None, None),
                Payload::Credit(_) => ("credit", None, None, None),
                Payload::FeatureRequest(told) => (&told.feature, None, None, None),
                Payload::FeatureRelease(told) => (&told.feature, None, None, None),
                // So that long incidents are found without their details.
                Payload::Incident(told) => (&told.incident_id, None, Some(told.minutes.into()), None),
                Payload::CaseOutcome(told) => (&told.case_id, None, None, None),
            };
            columns.account_id.push(signal.account.as_str());
            columns.source.push(&signal.source);
            columns.source_id.push(&signal.source_id);
            columns.kind.push(signal.payload.kind().number());
            columns.event_at.push(signal.event_at);
            columns.name.push(name);
            columns.user_id.push(user_id);
            columns.amount.push(amount);
            columns.level.push(level);
        }
        columns
    }
}
