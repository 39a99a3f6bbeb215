//! Rows of invitations and of decisions not to ask.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, ProgramId, Segment};
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::invitation::{Invitation, InvitationName};
use crate::domain::list::{InvitationFilter, InvitationStanding};

struct InvitationRow {
    account_id: String,
    invitation_id: Uuid,
    program_id: String,
    kind: i16,
    occasion: String,
    contact_id: String,
    address: String,
    state: i16,
    reason: Option<i16>,
    created_at: DateTime<Utc>,
    reminded_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    response_id: Option<Uuid>,
    resurvey_of: Option<Uuid>,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StorageError;

    fn try_from(row: InvitationRow) -> Result<Self, StorageError> {
        Ok(Self {
            name: InvitationName { account: codes::account_id(&row.account_id)?, id: row.invitation_id },
            program: codes::program_id(&row.program_id)?,
            kind: codes::kind(row.kind)?,
            contact_id: row.contact_id,
            address: row.address,
            occasion: row.occasion,
            state: codes::invitation_state(row.state, row.reason)?,
            created_at: row.created_at,
            reminded_at: row.reminded_at,
            expires_at: row.expires_at,
            response_id: row.response_id,
            resurvey_of: row.resurvey_of,
        })
    }
}

/// `query_as!` for whole invitations, so that the columns stand here once.
macro_rules! select_invitations {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            InvitationRow,
            "SELECT account_id, invitation_id, program_id, kind, occasion, contact_id, address, state, reason, created_at,
                    reminded_at, expires_at, response_id, resurvey_of
               FROM surveys.invitations " + $tail
            $(, $argument)*
        )
    };
}

/// The invitation, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, name: &InvitationName) -> Result<Option<Invitation>, StorageError> {
    let row = select_invitations!("WHERE account_id = $1 AND invitation_id = $2", name.account.as_str(), name.id)
        .fetch_optional(conn)
        .await?;
    row.map(Invitation::try_from).transpose()
}

/// The invitation with this id, whatever its account; links have no more.
pub(crate) async fn lookup_by_id(conn: &mut PgConnection, id: Uuid) -> Result<Option<Invitation>, StorageError> {
    let row = select_invitations!("WHERE invitation_id = $1", id).fetch_optional(conn).await?;
    row.map(Invitation::try_from).transpose()
}

/// Whether anything was decided for an account on an occasion of a programme.
pub(crate) async fn is_decided(
    conn: &mut PgConnection,
    account: &AccountId,
    program: &ProgramId,
    occasion: &str,
) -> Result<bool, StorageError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM surveys.invitations
                           WHERE account_id = $1 AND program_id = $2 AND occasion = $3) AS "found!""#,
        account.as_str(),
        program.as_str(),
        occasion,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// Stores a new invitation or decision; `segment` is the account's.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    invitation: &Invitation,
    segment: Segment,
) -> Result<(), StorageError> {
    let (state, reason) = codes::invitation_state_numbers(invitation.state);
    sqlx::query!(
        "INSERT INTO surveys.invitations
             (account_id, invitation_id, program_id, kind, occasion, contact_id, address, segment, state, reason,
              created_at, expires_at, resurvey_of)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        invitation.name.account.as_str(),
        invitation.name.id,
        invitation.program.as_str(),
        codes::kind_number(invitation.kind),
        invitation.occasion,
        invitation.contact_id,
        invitation.address,
        mainstay_accounts::segment_number(segment),
        state,
        reason,
        invitation.created_at,
        invitation.expires_at,
        invitation.resurvey_of,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what changes of an invitation: its state, its reminder, its answer. The account is locked.
pub(crate) async fn update(conn: &mut PgConnection, invitation: &Invitation) -> Result<(), StorageError> {
    let (state, reason) = codes::invitation_state_numbers(invitation.state);
    let updated = sqlx::query!(
        "UPDATE surveys.invitations SET state = $3, reason = $4, reminded_at = $5, response_id = $6
          WHERE account_id = $1 AND invitation_id = $2",
        invitation.name.account.as_str(),
        invitation.name.id,
        state,
        reason,
        invitation.reminded_at,
        invitation.response_id,
    )
    .execute(conn)
    .await?;
    exactly_one(&updated)
}

/// A page of invitations as of `now`, newest first, below the position `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &InvitationFilter,
    before: Option<&(DateTime<Utc>, Uuid)>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Invitation>, StorageError> {
    let (before_time, before_id) = before.copied().unzip();
    let states = codes::any_of(&filter.standings, standing_number);
    let rows = select_invitations!(
        "WHERE ($1::text IS NULL OR account_id = $1)
           AND ($2::text IS NULL OR program_id = $2)
           AND ($3::smallint[] IS NULL OR CASE WHEN state = $9 AND expires_at <= $10 THEN $11::smallint ELSE state END = ANY($3))
           AND ($4::timestamptz IS NULL OR created_at >= $4)
           AND ($5::timestamptz IS NULL OR created_at < $5)
           AND ($6::timestamptz IS NULL OR (created_at, invitation_id) < ($6, $7::uuid))
         ORDER BY created_at DESC, invitation_id DESC
         LIMIT $8",
        filter.account.as_ref().map(AccountId::as_str),
        filter.program.as_ref().map(ProgramId::as_str),
        states.as_deref(),
        filter.start,
        filter.end,
        before_time,
        before_id,
        limit,
        codes::SENT,
        now,
        codes::EXPIRED,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok(Invitation::try_from(row)?.seen_at(now))).collect()
}

const fn standing_number(standing: InvitationStanding) -> i16 {
    match standing {
        InvitationStanding::Sent => codes::SENT,
        InvitationStanding::Answered => codes::ANSWERED,
        InvitationStanding::Expired => codes::EXPIRED,
        InvitationStanding::NotAsked => codes::NOT_ASKED,
    }
}
