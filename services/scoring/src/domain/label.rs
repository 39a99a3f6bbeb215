//! What people say against the computed label of an account's health: beside it, never instead of it.
//!
//! A label is open while it is pending or accepted. It ends when it is rejected or withdrawn, or by itself when its time is over,
//! and then stays as it is.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{AccountId, Band, Etag, ModelId, Points, Violations, is_email};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most characters of a reason, and of what a review found.
pub const LABEL_TEXT_LENGTH_MAX: usize = 2_000;
/// How long a label is open when nobody says how long.
const EXPIRY_DEFAULT: TimeDelta = TimeDelta::days(30);
/// How soon a label has to be reviewed when nobody says how soon.
const REVIEW_DUE_DEFAULT: TimeDelta = TimeDelta::days(7);

/// What a label says, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelKind {
    /// The band is another one.
    Override,
    /// The computed band is wrong.
    Dispute,
}

impl LabelKind {
    /// The longest a label may be open, in days: a band that somebody sets must be set anew sooner than a mere objection.
    pub const fn open_days_max(self) -> i64 {
        match self {
            Self::Override => 90,
            Self::Dispute => 180,
        }
    }
}

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The account is in this band.
    Override(Band),
    /// The computed band is wrong.
    Dispute,
}

impl Claim {
    /// Without its content.
    pub const fn kind(self) -> LabelKind {
        match self {
            Self::Override(_) => LabelKind::Override,
            Self::Dispute => LabelKind::Dispute,
        }
    }

    /// The band that it says.
    pub const fn band(self) -> Option<Band> {
        match self {
            Self::Override(band) => Some(band),
            Self::Dispute => None,
        }
    }
}

/// Who says what a label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Somebody on our side who looks after the account.
    Csm,
    /// Somebody at the customer.
    Customer,
}

/// How far a label has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelState {
    /// Open; nobody has reviewed it.
    Pending,
    /// Open; a review found it right.
    Accepted,
    /// Ended: a review found it not right.
    Rejected,
    /// Ended: it was taken back.
    Withdrawn,
    /// Ended: its time was over.
    Expired,
}

impl LabelState {
    /// Whether it still counts.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Accepted)
    }

    /// A word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// The computed health that a label was said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedLabel {
    /// Its day.
    pub day: NaiveDate,
    /// Its score and band. Absent: no measure had data.
    pub score: Option<(Points, Band)>,
    /// The model that made it.
    pub model: ModelId,
}

/// What looking at a label found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In words.
    pub words: String,
    /// Who looked.
    pub reviewer_email: String,
    /// The caller who said so.
    pub recorder: String,
}

/// What somebody says against the computed label of an account's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its id.
    pub id: Uuid,
    /// What was said, of whose health.
    pub said: SaidLabel,
    /// The caller who made it.
    pub creator: String,
    /// What it was said of. Absent: the account was not scored yet.
    pub computed: Option<ComputedLabel>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How far it has come.
    pub state: LabelState,
    /// What the last review found, and when.
    pub review: Option<(Finding, DateTime<Utc>)>,
    /// When it ended; absent as long as it is open.
    pub ended_at: Option<DateTime<Utc>>,
    /// Rises with each change.
    pub version: i64,
}

/// What a caller says of a label, checked by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidLabel {
    /// Of whose health.
    pub account: AccountId,
    /// What.
    pub claim: Claim,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub speaker: Speaker,
    /// Address of the person who says so; may be empty for a CSM.
    pub contact_email: String,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// By when it has to be reviewed; not after it expires.
    pub review_due_at: DateTime<Utc>,
}

/// When a label ends and is to be reviewed, as a caller gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GivenTimes {
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// By when it has to be reviewed.
    pub review_due_at: Option<DateTime<Utc>>,
}

impl GivenTimes {
    /// When a label of this kind that is made `now` expires and has to be reviewed; notes times that cannot be.
    pub fn complete(
        self,
        kind: LabelKind,
        now: DateTime<Utc>,
        found: &mut Violations,
    ) -> (DateTime<Utc>, DateTime<Utc>) {
        let days_max = kind.open_days_max();
        let expires_at = self.expires_at.unwrap_or(now + EXPIRY_DEFAULT);
        let is_in_time = expires_at > now && expires_at <= now + TimeDelta::days(days_max);
        found.require(is_in_time, "expire_time", format!("must be after now and at most {days_max} days from now"));
        let review_due_at = self.review_due_at.unwrap_or((now + REVIEW_DUE_DEFAULT).min(expires_at));
        if self.review_due_at.is_some() {
            let is_in_time = review_due_at > now && review_due_at <= expires_at;
            found.require(is_in_time, "review_due_time", "must be after now and not after expire_time");
        }
        (expires_at, review_due_at)
    }
}

/// Notes a text that people must give and that is too long or empty.
pub fn check_label_text(found: &mut Violations, field: &str, text: &str) {
    found.require(!text.trim().is_empty(), field, "is required");
    found.check_text(field, text, LABEL_TEXT_LENGTH_MAX);
}

/// Notes an address that cannot be, or that is missing although it must be there.
pub fn check_label_email(found: &mut Violations, field: &str, email: &str, is_required: bool) {
    let is_fine = is_email(email) || (email.is_empty() && !is_required);
    found.require(is_fine, field, "must be a mail address such as `ada@example.com`, at most 254 characters");
}

/// What becomes of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelMove {
    /// It is right.
    Accept(Finding),
    /// It is not right.
    Reject(Finding),
    /// It is taken back.
    Withdraw,
    /// Time has passed.
    Expire,
}

impl LabelMove {
    /// Whether the label is over afterwards.
    pub const fn ends(&self) -> bool {
        !matches!(self, Self::Accept(_))
    }

    const fn target(&self) -> LabelState {
        match self {
            Self::Accept(_) => LabelState::Accepted,
            Self::Reject(_) => LabelState::Rejected,
            Self::Withdraw => LabelState::Withdrawn,
            Self::Expire => LabelState::Expired,
        }
    }
}

/// A label that is over takes no other moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelIsOver(pub LabelState);

impl Label {
    /// What was said at `now` of health as it was computed then.
    pub fn made(
        id: Uuid,
        said: SaidLabel,
        creator: String,
        computed: Option<ComputedLabel>,
        now: DateTime<Utc>,
    ) -> Self {
        let (state, review, ended_at, version) = (LabelState::Pending, None, None, 1);
        Self { id, said, creator, computed, created_at: now, state, review, ended_at, version }
    }

    /// Whether it still counts at a time: it ends when its time is over, whether or not that was noted.
    pub fn is_open_at(&self, now: DateTime<Utc>) -> bool {
        self.state.is_open() && self.said.expires_at > now
    }

    /// Its version as callers see it.
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }

    /// The label after a move at `now`; none when the move changes nothing: it is where the move leads already, or its time is not
    /// over.
    ///
    /// # Errors
    /// It is over by another move, or by its time.
    pub fn moved(&self, step: &LabelMove, now: DateTime<Utc>) -> Result<Option<Self>, LabelIsOver> {
        let target = step.target();
        if self.state == target {
            return Ok(None);
        }
        if !self.state.is_open() {
            return Err(LabelIsOver(self.state));
        }
        let is_past = self.said.expires_at <= now;
        let (review, ended_at) = match step {
            LabelMove::Expire if !is_past => return Ok(None),
            LabelMove::Expire => (self.review.clone(), Some(self.said.expires_at)),
            _ if is_past => return Err(LabelIsOver(LabelState::Expired)),
            LabelMove::Accept(finding) => (Some((finding.clone(), now)), None),
            LabelMove::Reject(finding) => (Some((finding.clone(), now)), Some(now)),
            LabelMove::Withdraw => (self.review.clone(), Some(now)),
        };
        Ok(Some(Self { state: target, review, ended_at, version: self.version + 1, ..self.clone() }))
    }
}

/// Which labels a list holds; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Only open ones.
    pub open_only: bool,
    /// Only pending ones that have to be reviewed by this time.
    pub review_due_by: Option<DateTime<Utc>>,
}

/// Place in a list of labels, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCursor {
    /// When the last one before the place was made.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: Uuid,
}

impl LabelCursor {
    /// The place after a label of a list.
    pub fn after(label: &Label) -> Self {
        Self { created_at: label.created_at, id: label.id }
    }
}

#[cfg(test)]
mod tests;
