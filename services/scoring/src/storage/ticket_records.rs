//! What reports count of tickets, in columns.

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::stories::StoryKey;
use crate::domain::story::Story;
use crate::domain::ticket::TicketRecord;

/// Writes what those of these stories that are of tickets say by now, over what they said before. Their accounts are locked.
pub(crate) async fn write<'a>(
    conn: &mut PgConnection,
    stories: impl Iterator<Item = (&'a StoryKey, &'a Story)>,
) -> Result<(), StorageError> {
    let (mut tickets, mut gone) = (Vec::new(), Vec::new());
    for (key, story) in stories {
        match story {
            Story::Ticket(ticket) => match ticket.record() {
                Some(record) => tickets.push((key, record)),
                None => gone.push(key),
            },
            Story::Invoice(_) | Story::Dispute(_) => {}
        }
    }
    if !tickets.is_empty() {
        write_records(conn, &tickets).await?;
    }
    if !gone.is_empty() {
        delete(conn, &gone).await?;
    }
    Ok(())
}

async fn write_records(conn: &mut PgConnection, tickets: &[(&StoryKey, TicketRecord)]) -> Result<(), StorageError> {
    let times = |time: fn(&TicketRecord) -> Option<DateTime<Utc>>| -> Vec<Option<DateTime<Utc>>> {
        tickets.iter().map(|(_, record)| time(record)).collect()
    };
    sqlx::query!(
        "INSERT INTO scoring.ticket_resolutions (account_id, ticket_id, opened_at, answered_at, resolved_at, reopened_at, escalated_at,
                                                 at_first_contact, newest_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                              $7::timestamptz[], $8::boolean[], $9::timestamptz[])
         ON CONFLICT (account_id, ticket_id) DO UPDATE SET
             opened_at = excluded.opened_at, answered_at = excluded.answered_at, resolved_at = excluded.resolved_at,
             reopened_at = excluded.reopened_at, escalated_at = excluded.escalated_at,
             at_first_contact = excluded.at_first_contact, newest_at = excluded.newest_at",
        &tickets.iter().map(|(key, _)| key.account.as_str()).collect::<Vec<_>>() as &[&str],
        &tickets.iter().map(|(key, _)| key.id.as_str()).collect::<Vec<_>>() as &[&str],
        &tickets.iter().map(|(_, record)| record.opened_at).collect::<Vec<_>>(),
        &times(|record| record.answered_at) as &[Option<DateTime<Utc>>],
        &times(|record| record.resolved_at) as &[Option<DateTime<Utc>>],
        &times(|record| record.reopened_at) as &[Option<DateTime<Utc>>],
        &times(|record| record.escalated_at) as &[Option<DateTime<Utc>>],
        &tickets.iter().map(|(_, record)| record.at_first_contact).collect::<Vec<_>>() as &[Option<bool>],
        &tickets.iter().map(|(_, record)| record.newest_at()).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes those of which every signal was withdrawn.
async fn delete(conn: &mut PgConnection, gone: &[&StoryKey]) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.ticket_resolutions AS stored USING unnest($1::text[], $2::text[]) AS gone (account_id, ticket_id)
          WHERE stored.account_id = gone.account_id AND stored.ticket_id = gone.ticket_id",
        &gone.iter().map(|key| key.account.as_str()).collect::<Vec<_>>() as &[&str],
        &gone.iter().map(|key| key.id.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
