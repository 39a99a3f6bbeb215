//! Rows of answers.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, ProgramId};
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::invitation::ResponseName;
use crate::domain::list::ResponseFilter;
use crate::domain::response::Response;

struct ResponseRow {
    account_id: String,
    response_id: Uuid,
    program_id: String,
    kind: i16,
    contact_id: String,
    address: String,
    score: i32,
    category: i16,
    comment: String,
    invitation_id: Option<Uuid>,
    responded_at: DateTime<Utc>,
    resurvey_of: Option<Uuid>,
    previous_score: Option<i32>,
    channel: String,
    segment: i16,
    created_at: DateTime<Utc>,
}

impl TryFrom<ResponseRow> for Response {
    type Error = StorageError;

    fn try_from(row: ResponseRow) -> Result<Self, StorageError> {
        Ok(Self {
            name: ResponseName { account: codes::account_id(&row.account_id)?, id: row.response_id },
            program: codes::program_id(&row.program_id)?,
            kind: codes::kind(row.kind)?,
            contact_id: row.contact_id,
            address: row.address,
            score: row.score,
            category: codes::category(row.category)?,
            comment: row.comment,
            invitation_id: row.invitation_id,
            responded_at: row.responded_at,
            resurvey_of: row.resurvey_of,
            previous_score: row.previous_score,
            channel: row.channel,
            segment: mainstay_accounts::segment(row.segment)?,
            created_at: row.created_at,
        })
    }
}

/// `query_as!` for whole answers, so that the columns stand here once.
macro_rules! select_responses {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ResponseRow,
            "SELECT account_id, response_id, program_id, kind, contact_id, address, score, category, comment,
                    invitation_id, responded_at, resurvey_of, previous_score, channel, segment, created_at
               FROM surveys.responses " + $tail
            $(, $argument)*
        )
    };
}

/// The answer, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, name: &ResponseName) -> Result<Option<Response>, StorageError> {
    let row = select_responses!("WHERE account_id = $1 AND response_id = $2", name.account.as_str(), name.id)
        .fetch_optional(conn)
        .await?;
    row.map(Response::try_from).transpose()
}

/// Stores a new answer.
pub(crate) async fn insert(conn: &mut PgConnection, response: &Response) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO surveys.responses
             (account_id, response_id, program_id, kind, contact_id, address, score, category, comment, invitation_id,
              responded_at, resurvey_of, previous_score, channel, segment, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        response.name.account.as_str(),
        response.name.id,
        response.program.as_str(),
        codes::kind_number(response.kind),
        response.contact_id,
        response.address,
        response.score,
        codes::category_number(response.category),
        response.comment,
        response.invitation_id,
        response.responded_at,
        response.resurvey_of,
        response.previous_score,
        response.channel,
        mainstay_accounts::segment_number(response.segment),
        response.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A page of answers, newest first, below the position `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &ResponseFilter,
    before: Option<&(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Response>, StorageError> {
    let (before_time, before_id) = before.copied().unzip();
    let categories = codes::any_of(&filter.categories, codes::category_number);
    let rows = select_responses!(
        "WHERE ($1::text IS NULL OR account_id = $1)
           AND ($2::text IS NULL OR program_id = $2)
           AND ($3::smallint[] IS NULL OR category = ANY($3))
           AND (NOT $4 OR comment <> '')
           AND ($5::timestamptz IS NULL OR responded_at >= $5)
           AND ($6::timestamptz IS NULL OR responded_at < $6)
           AND ($7::timestamptz IS NULL OR (responded_at, response_id) < ($7, $8::uuid))
         ORDER BY responded_at DESC, response_id DESC
         LIMIT $9",
        filter.account.as_ref().map(AccountId::as_str),
        filter.program.as_ref().map(ProgramId::as_str),
        categories.as_deref(),
        filter.with_comment,
        filter.start,
        filter.end,
        before_time,
        before_id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Response::try_from).collect()
}
