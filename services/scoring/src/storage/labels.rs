//! Rows of what people say against computed labels.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::label::{
    Claim, ComputedLabel, Finding, Label, LabelCursor, LabelFilter, LabelKind, LabelState, SaidLabel, Speaker,
};

const fn kind_number(kind: LabelKind) -> i16 {
    match kind {
        LabelKind::Override => 1,
        LabelKind::Dispute => 2,
    }
}

const fn state_number(state: LabelState) -> i16 {
    match state {
        LabelState::Pending => 1,
        LabelState::Accepted => 2,
        LabelState::Rejected => 3,
        LabelState::Withdrawn => 4,
        LabelState::Expired => 5,
    }
}

fn state_of(number: i16) -> Result<LabelState, StorageError> {
    match number {
        1 => Ok(LabelState::Pending),
        2 => Ok(LabelState::Accepted),
        3 => Ok(LabelState::Rejected),
        4 => Ok(LabelState::Withdrawn),
        5 => Ok(LabelState::Expired),
        _ => Err(codes::corrupt(format!("label state {number}"))),
    }
}

const fn speaker_number(speaker: Speaker) -> i16 {
    match speaker {
        Speaker::Csm => 1,
        Speaker::Customer => 2,
    }
}

fn speaker_of(number: i16) -> Result<Speaker, StorageError> {
    match number {
        1 => Ok(Speaker::Csm),
        2 => Ok(Speaker::Customer),
        _ => Err(codes::corrupt(format!("speaker {number}"))),
    }
}

struct LabelRow {
    account_id: String,
    label_id: Uuid,
    state: i16,
    band: Option<i16>,
    reason: String,
    speaker: i16,
    contact_email: String,
    creator: String,
    computed_day: Option<NaiveDate>,
    computed_score: Option<i32>,
    computed_band: Option<i16>,
    computed_model_id: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    review_due_at: DateTime<Utc>,
    review_words: Option<String>,
    reviewer_email: Option<String>,
    review_recorder: Option<String>,
    reviewed_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    version: i64,
}

impl LabelRow {
    fn computed(&self) -> Result<Option<ComputedLabel>, StorageError> {
        let (Some(day), Some(model)) = (self.computed_day, &self.computed_model_id) else { return Ok(None) };
        let band = self.computed_band.map(codes::band).transpose()?;
        let score = self.computed_score.map(Points::from_units).zip(band);
        Ok(Some(ComputedLabel { day, score, model: codes::model_id(model)? }))
    }
}

impl TryFrom<LabelRow> for Label {
    type Error = StorageError;

    fn try_from(row: LabelRow) -> Result<Self, StorageError> {
        let computed = row.computed()?;
        let claim = row.band.map(codes::band).transpose()?.map_or(Claim::Dispute, Claim::Override);
        let review = match (row.review_words, row.reviewer_email, row.review_recorder, row.reviewed_at) {
            (Some(words), Some(reviewer_email), Some(recorder), Some(at)) => {
                Some((Finding { words, reviewer_email, recorder }, at))
            }
            _ => None,
        };
        Ok(Self {
            id: row.label_id,
            said: SaidLabel {
                account: codes::account_id(&row.account_id)?,
                claim,
                reason: row.reason,
                speaker: speaker_of(row.speaker)?,
                contact_email: row.contact_email,
                expires_at: row.expires_at,
                review_due_at: row.review_due_at,
            },
            creator: row.creator,
            computed,
            created_at: row.created_at,
            state: state_of(row.state)?,
            review,
            ended_at: row.ended_at,
            version: row.version,
        })
    }
}

macro_rules! select_labels {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            LabelRow,
            "SELECT account_id, label_id, state, band, reason, speaker, contact_email, creator, computed_day,
                    computed_score, computed_band, computed_model_id, created_at, expires_at, review_due_at,
                    review_words, reviewer_email, review_recorder, reviewed_at, ended_at, version
               FROM scoring.labels " + $tail
            $(, $argument)*
        )
    };
}

/// One of an account, if there is such a one.
pub(crate) async fn lookup(
    conn: &mut PgConnection,
    account: &AccountId,
    id: Uuid,
) -> Result<Option<Label>, StorageError> {
    let row =
        select_labels!("WHERE account_id = $1 AND label_id = $2", account.as_str(), id).fetch_optional(conn).await?;
    row.map(Label::try_from).transpose()
}

/// Those of these accounts that did not end, an account's together, overrides first.
pub(crate) async fn open(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<Label>, StorageError> {
    let rows = select_labels!(
        "WHERE account_id = ANY($1::text[]) AND ended_at IS NULL ORDER BY account_id, kind",
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Label::try_from).collect()
}

/// A page of them, those made last first, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &LabelFilter,
    after: Option<&LabelCursor>,
    limit: i64,
) -> Result<Vec<Label>, StorageError> {
    let account = filter.account.as_ref().map(AccountId::as_str);
    let (created_at, id) = (after.map(|cursor| cursor.created_at), after.map(|cursor| cursor.id));
    // A statement of its own: an index of open ones serves only one that asks for them in so many words.
    let rows = if filter.open_only || filter.review_due_by.is_some() {
        select_labels!(
            "WHERE ended_at IS NULL
               AND ($1::text IS NULL OR account_id = $1)
               AND ($2::timestamptz IS NULL OR (state = 1 AND review_due_at <= $2))
               AND ($3::timestamptz IS NULL OR (created_at, label_id) < ($3, $4))
             ORDER BY created_at DESC, label_id DESC
             LIMIT $5",
            account,
            filter.review_due_by,
            created_at,
            id,
            limit,
        )
        .fetch_all(conn)
        .await?
    } else {
        select_labels!(
            "WHERE ($1::text IS NULL OR account_id = $1)
               AND ($2::timestamptz IS NULL OR (created_at, label_id) < ($2, $3))
             ORDER BY created_at DESC, label_id DESC
             LIMIT $4",
            account,
            created_at,
            id,
            limit,
        )
        .fetch_all(conn)
        .await?
    };
    rows.into_iter().map(Label::try_from).collect()
}

/// Stores a new one. The account is locked, and has no open one of its kind.
pub(crate) async fn create(conn: &mut PgConnection, label: &Label) -> Result<(), StorageError> {
    let (said, computed) = (&label.said, label.computed.as_ref());
    let score = computed.and_then(|computed| computed.score);
    sqlx::query!(
        "INSERT INTO scoring.labels (
             account_id, label_id, kind, state, band, reason, speaker, contact_email, creator, computed_day, computed_score,
             computed_band, computed_model_id, created_at, expires_at, review_due_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        said.account.as_str(),
        label.id,
        kind_number(said.claim.kind()),
        state_number(label.state),
        said.claim.band().map(codes::band_number),
        said.reason,
        speaker_number(said.speaker),
        said.contact_email,
        label.creator,
        computed.map(|computed| computed.day),
        score.map(|(score, _)| score.units()),
        score.map(|(_, band)| codes::band_number(band)),
        computed.map(|computed| computed.model.as_str()),
        label.created_at,
        said.expires_at,
        said.review_due_at,
        label.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes how far one has come. The account is locked.
pub(crate) async fn advance(conn: &mut PgConnection, label: &Label) -> Result<(), StorageError> {
    let finding = label.review.as_ref().map(|(finding, _)| finding);
    let updated = sqlx::query!(
        "UPDATE scoring.labels
            SET state = $3, review_words = $4, reviewer_email = $5, review_recorder = $6, reviewed_at = $7, ended_at = $8,
                version = $9
          WHERE account_id = $1 AND label_id = $2 AND version + 1 = $9",
        label.said.account.as_str(),
        label.id,
        state_number(label.state),
        finding.map(|finding| finding.words.as_str()),
        finding.map(|finding| finding.reviewer_email.as_str()),
        finding.map(|finding| finding.recorder.as_str()),
        label.review.as_ref().map(|(_, at)| *at),
        label.ended_at,
        label.version,
    )
    .execute(conn)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(StorageError::Conflict) }
}
