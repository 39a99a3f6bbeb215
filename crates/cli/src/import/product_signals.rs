//! Signals of judgements, money given back, features, incidents and closed cases from rows.

use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{
    CaseOutcome, CaseOutcomeSignal, CreditKind, CreditSignal, FeatureReleaseSignal, FeatureRequestSignal,
    IncidentSeverity, IncidentSignal, PulseSignal,
};

use crate::import::fields::FieldReader;
use crate::import::story_signals::word;
use crate::import::values::{DateReader, number, whole_number};
use crate::money;

fn small_number(text: &str) -> Result<i32, String> {
    whole_number(text).and_then(|number| i32::try_from(number).map_err(|_| "is out of range".to_owned()))
}

/// A judgement of those who look after the account.
pub(crate) fn pulse(fields: &mut FieldReader<'_>) -> Payload {
    Payload::Pulse(PulseSignal {
        rating: fields.required("rating", small_number).unwrap_or_default(),
        note: fields.text("note"),
        author_email: fields.text("author_email"),
    })
}

/// Money given back.
pub(crate) fn credit(fields: &mut FieldReader<'_>) -> Payload {
    let kind = |text: &str| {
        word(text, "way to give money back", &[("refund", CreditKind::Refund), ("credit_note", CreditKind::CreditNote)])
    };
    let currency = fields.mapping.value("currency", fields.row);
    Payload::Credit(CreditSignal {
        kind: fields.required("action", kind).unwrap_or_default().into(),
        amount: fields.required("amount", |text| money::parse(text, currency)),
        invoice_id: fields.text("invoice_id"),
        reason: fields.text("reason"),
    })
}

/// A feature asked for.
pub(crate) fn feature_request(fields: &mut FieldReader<'_>) -> Payload {
    Payload::FeatureRequest(FeatureRequestSignal {
        feature: fields.required_text("feature"),
        title: fields.text("title"),
    })
}

/// A feature given.
pub(crate) fn feature_release(fields: &mut FieldReader<'_>) -> Payload {
    Payload::FeatureRelease(FeatureReleaseSignal { feature: fields.required_text("feature") })
}

/// An incident.
pub(crate) fn incident(fields: &mut FieldReader<'_>) -> Payload {
    let severity = |text: &str| {
        let words = [
            ("minor", IncidentSeverity::Minor),
            ("major", IncidentSeverity::Major),
            ("critical", IncidentSeverity::Critical),
        ];
        word(text, "severity", &words)
    };
    Payload::Incident(IncidentSignal {
        incident_id: fields.required_text("incident_id"),
        severity: fields.required("severity", severity).unwrap_or_default().into(),
        minutes: fields.read("minutes", small_number).unwrap_or_default(),
    })
}

/// How a case ended.
pub(crate) fn case_outcome(fields: &mut FieldReader<'_>, dates: &DateReader) -> Payload {
    let outcome = |text: &str| {
        let words = [
            ("saved", CaseOutcome::Saved),
            ("churned", CaseOutcome::Churned),
            ("no_action", CaseOutcome::NoAction),
            ("recovered", CaseOutcome::Recovered),
            ("not_recovered", CaseOutcome::NotRecovered),
        ];
        word(text, "outcome of a case", &words)
    };
    Payload::CaseOutcome(CaseOutcomeSignal {
        case_id: fields.required_text("case_id"),
        outcome: fields.required("outcome", outcome).unwrap_or_default().into(),
        open_time: fields.read("open_time", |text| dates.read(text)),
        score_at_open: fields.read("score_at_open", number),
    })
}
