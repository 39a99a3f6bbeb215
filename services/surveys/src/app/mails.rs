//! The mails that ask and remind.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_delivery::{Content, Email, EmailHeader, NewMessage};
use sqlx::PgConnection;

use super::links::{Link, LinkPurpose};
use super::{App, SurveysError};
use crate::domain::invitation::Invitation;
use crate::domain::mail::MailParts;
use crate::domain::program::Program;

/// What a mail is for, as lists of messages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MailPurpose {
    Invitation,
    Reminder,
}

impl MailPurpose {
    fn word(self) -> &'static str {
        match self {
            Self::Invitation => "survey_invitation",
            Self::Reminder => "survey_reminder",
        }
    }
}

/// Of what a mail is made.
pub(super) struct NewMail<'a> {
    pub purpose: MailPurpose,
    pub program: &'a Program,
    pub account: &'a Account,
    pub contact_name: &'a str,
    pub invitation: &'a Invitation,
}

/// Writes the mail down in the caller's transaction, once for each invitation and purpose; it is sent after the commit.
pub(super) async fn enqueue(
    app: &App,
    conn: &mut PgConnection,
    mail: &NewMail<'_>,
    now: DateTime<Utc>,
) -> Result<(), SurveysError> {
    let NewMail { purpose, program, account, contact_name, invitation } = *mail;
    let id = invitation.name.id;
    let answer = Link { purpose: LinkPurpose::Answer, invitation: id, expires_at: invitation.expires_at };
    // It must not end with the answer's: whoever is asked may say no at any time.
    let unsubscribe = Link { purpose: LinkPurpose::Unsubscribe, invitation: id, expires_at: None };
    let unsubscribe_url = app.links.url(&unsubscribe);
    let text = MailParts {
        texts: &program.definition.texts,
        kind: program.definition.kind,
        account_name: &account.display_name,
        contact_name,
        answer_url: &app.links.url(&answer),
        unsubscribe_url: &unsubscribe_url,
        is_reminder: purpose == MailPurpose::Reminder,
    }
    .compose();
    let email = Email {
        to: invitation.address.clone(),
        subject: text.subject,
        text: text.text,
        html: Some(text.html),
        headers: vec![
            EmailHeader::new("List-Unsubscribe", format!("<{unsubscribe_url}>")),
            EmailHeader::new("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ],
        ..Email::default()
    };
    let message = NewMessage::new(app.core.ids.new_id(), purpose.word(), Content::Email(email))
        .about(&invitation.name.account)
        .with_dedupe_key(format!("{}/{id}", purpose.word()));
    app.delivery.enqueue(conn, &message, now).await?;
    Ok(())
}
