//! What people say against computed labels.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, ModelId, Violations};
use prost_types::Timestamp;
use uuid::Uuid;

use super::health::{band, band_message};
use crate::domain::label::{
    Claim, Finding, GivenTimes, Label, LabelKind, LabelMove, LabelState, SaidLabel, Speaker, check_label_email,
    check_label_text,
};
use mainstay_service::wire::{time, timestamp};

const COLLECTION: &str = "labels";

/// The name of a label.
pub(crate) fn name(account: &AccountId, id: Uuid) -> String {
    format!("{}/{COLLECTION}/{id}", account.name())
}

/// The account and id of `accounts/{account}/labels/{label}`.
pub(crate) fn parse_name(found: &mut Violations, field: &str, name: &str) -> Option<(AccountId, Uuid)> {
    let parsed = name.rsplit_once(&format!("/{COLLECTION}/")).and_then(|(account, id)| {
        let account = AccountId::parse_name(account).ok()?;
        Some((account, Uuid::parse_str(id).ok().filter(|parsed| parsed.to_string() == id)?))
    });
    if parsed.is_none() {
        found.add(field, format!("must be `accounts/{{account}}/{COLLECTION}/{{label}}`, the latter a UUID"));
    }
    parsed
}

const fn kind_message(kind: LabelKind) -> proto::LabelKind {
    match kind {
        LabelKind::Override => proto::LabelKind::Override,
        LabelKind::Dispute => proto::LabelKind::Dispute,
    }
}

const fn state_message(state: LabelState) -> proto::LabelState {
    match state {
        LabelState::Pending => proto::LabelState::Pending,
        LabelState::Accepted => proto::LabelState::Accepted,
        LabelState::Rejected => proto::LabelState::Rejected,
        LabelState::Withdrawn => proto::LabelState::Withdrawn,
        LabelState::Expired => proto::LabelState::Expired,
    }
}

const fn speaker_message(speaker: Speaker) -> proto::LabelSpeaker {
    match speaker {
        Speaker::Csm => proto::LabelSpeaker::Csm,
        Speaker::Customer => proto::LabelSpeaker::Customer,
    }
}

/// A label as messages have it.
pub(crate) fn message(label: &Label) -> proto::Label {
    let (said, computed) = (&label.said, label.computed.as_ref());
    let score = computed.and_then(|computed| computed.score);
    let review = label.review.as_ref().map(|(finding, at)| proto::LabelReview {
        words: finding.words.clone(),
        reviewer_email: finding.reviewer_email.clone(),
        recorder: finding.recorder.clone(),
        review_time: Some(timestamp(*at)),
    });
    proto::Label {
        name: name(&said.account, label.id),
        account: said.account.name(),
        kind: kind_message(said.claim.kind()).into(),
        state: state_message(label.state).into(),
        band: band_message(said.claim.band()).into(),
        reason: said.reason.clone(),
        speaker: speaker_message(said.speaker).into(),
        contact_email: said.contact_email.clone(),
        creator: label.creator.clone(),
        computed_day: computed.map(|computed| computed.day.to_string()).unwrap_or_default(),
        computed_score: score.map(|(score, _)| score.as_f64()),
        computed_band: band_message(score.map(|(_, band)| band)).into(),
        computed_model: computed.map(|computed| ModelId::name(&computed.model)).unwrap_or_default(),
        create_time: Some(timestamp(label.created_at)),
        expire_time: Some(timestamp(said.expires_at)),
        review_due_time: Some(timestamp(said.review_due_at)),
        review,
        end_time: label.ended_at.map(timestamp),
        etag: label.etag().to_string(),
    }
}

/// What both kinds of label have in common.
struct Said<'a> {
    account: &'a str,
    reason: &'a str,
    speaker: i32,
    contact_email: &'a str,
    expire_time: Option<&'a Timestamp>,
    review_due_time: Option<&'a Timestamp>,
}

impl Said<'_> {
    fn label(&self, mut found: Violations, claim: Option<Claim>, now: DateTime<Utc>) -> Result<SaidLabel, Violations> {
        let account = found.take("account", AccountId::parse_name(self.account));
        check_label_text(&mut found, "reason", self.reason);
        let speaker = match proto::LabelSpeaker::try_from(self.speaker) {
            Ok(proto::LabelSpeaker::Csm) => Some(Speaker::Csm),
            Ok(proto::LabelSpeaker::Customer) => Some(Speaker::Customer),
            Ok(proto::LabelSpeaker::Unspecified) | Err(_) => None,
        };
        found.require(speaker.is_some(), "speaker", "must be CSM or customer");
        let is_customer = speaker == Some(Speaker::Customer);
        check_label_email(&mut found, "contact_email", self.contact_email, is_customer);
        let given = GivenTimes {
            expires_at: time(&mut found, "expire_time", self.expire_time),
            review_due_at: time(&mut found, "review_due_time", self.review_due_time),
        };
        let kind = claim.map_or(LabelKind::Override, Claim::kind);
        let (expires_at, review_due_at) = given.complete(kind, now, &mut found);
        let Some(((account, claim), speaker)) = account.zip(claim).zip(speaker) else { return Err(found) };
        let (reason, contact_email) = (self.reason.to_owned(), self.contact_email.to_owned());
        found.into_result(SaidLabel { account, claim, reason, speaker, contact_email, expires_at, review_due_at })
    }
}

/// What an override that is made `now` says.
pub(crate) fn said_override(
    message: &proto::OverrideLabelRequest,
    now: DateTime<Utc>,
) -> Result<SaidLabel, Violations> {
    let mut found = Violations::new();
    let said_band = proto::Band::try_from(message.band).ok().and_then(band);
    found.require(said_band.is_some(), "band", "must be the band that the account is in");
    let said = Said {
        account: &message.account,
        reason: &message.reason,
        speaker: message.speaker,
        contact_email: &message.contact_email,
        expire_time: message.expire_time.as_ref(),
        review_due_time: message.review_due_time.as_ref(),
    };
    said.label(found, said_band.map(Claim::Override), now)
}

/// What a dispute that is made `now` says.
pub(crate) fn said_dispute(message: &proto::DisputeLabelRequest, now: DateTime<Utc>) -> Result<SaidLabel, Violations> {
    let said = Said {
        account: &message.account,
        reason: &message.reason,
        speaker: message.speaker,
        contact_email: &message.contact_email,
        expire_time: message.expire_time.as_ref(),
        review_due_time: message.review_due_time.as_ref(),
    };
    said.label(Violations::new(), Some(Claim::Dispute), now)
}

/// What a review makes of a label.
pub(crate) fn review(found: &mut Violations, message: &proto::ReviewLabelRequest, recorder: &str) -> Option<LabelMove> {
    check_label_text(found, "words", &message.words);
    check_label_email(found, "reviewer_email", &message.reviewer_email, true);
    let finding = Finding {
        words: message.words.clone(),
        reviewer_email: message.reviewer_email.clone(),
        recorder: recorder.to_owned(),
    };
    match proto::LabelVerdict::try_from(message.verdict) {
        Ok(proto::LabelVerdict::Accepted) => Some(LabelMove::Accept(finding)),
        Ok(proto::LabelVerdict::Rejected) => Some(LabelMove::Reject(finding)),
        Ok(proto::LabelVerdict::Unspecified) | Err(_) => {
            found.add("verdict", "must be accepted or rejected");
            None
        }
    }
}
