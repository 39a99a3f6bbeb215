//! Signals from rows.

use std::fmt::Write as _;

use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{FeatureUse, Gauge, Signal, UsageCount, UserActivity};
use mainstay_domain::Violations;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::command::import::SourceIdFrom;
use crate::import::batches::{Mapper, Place};
use crate::import::fields::{FieldReader, account_name};
use crate::import::mapping::{Field, Fields, Mapping};
use crate::import::row::Row;
use crate::import::values::{DateReader, number, whole_number};
use crate::import::{product_signals, story_signals};

/// The source of rows that name none.
const DEFAULT_SOURCE: &str = "import";

/// All fields of a signal.
pub(crate) const FIELDS: Fields = Fields {
    named: &[
        Field::with_aliases("account", &["account_id"]),
        Field::with_aliases("event_time", &["time", "timestamp", "date", "day"]),
        Field::new("source"),
        Field::new("source_id"),
        Field::new("kind"),
        Field::new("metric"),
        Field::new("quantity"),
        Field::new("level"),
        Field::with_aliases("user_id", &["user"]),
        Field::new("action"),
        Field::new("feature"),
        Field::new("count"),
        Field::with_aliases("ticket_id", &["ticket"]),
        Field::with_aliases("invoice_id", &["invoice"]),
        Field::with_aliases("dispute_id", &["dispute"]),
        Field::new("priority"),
        Field::new("subject"),
        Field::new("text"),
        Field::with_aliases("requester_email", &["requester"]),
        Field::new("satisfaction"),
        Field::new("first_response_time"),
        Field::new("sentiment"),
        Field::new("open"),
        Field::new("amount"),
        Field::new("currency"),
        Field::with_aliases("due_time", &["due_date"]),
        Field::new("failure_reason"),
        Field::new("reason"),
        Field::new("milestone"),
        Field::with_aliases("renewal_time", &["renewal_date"]),
        Field::new("seats"),
        Field::new("plan"),
        Field::new("arr"),
        Field::new("question"),
        Field::new("score"),
        Field::with_aliases("contact_id", &["contact"]),
        Field::new("comment"),
        Field::new("direction"),
        Field::new("answered"),
        Field::new("rating"),
        Field::new("note"),
        Field::new("author_email"),
        Field::new("title"),
        Field::with_aliases("incident_id", &["incident"]),
        Field::new("severity"),
        Field::new("minutes"),
        Field::with_aliases("case_id", &["case"]),
        Field::new("outcome"),
        Field::new("open_time"),
        Field::new("score_at_open"),
    ],
    prefixes: &[],
    required: &["account", "event_time"],
};

/// Makes signals of rows.
#[derive(Debug)]
pub(crate) struct SignalMapper {
    mapping: Mapping,
    dates: DateReader,
    source_id_from: SourceIdFrom,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Usage,
    Gauge,
    Activity,
    FeatureUse,
    Ticket,
    Invoice,
    Dispute,
    Lifecycle,
    SurveyAnswer,
    Touch,
    Pulse,
    Credit,
    FeatureRequest,
    FeatureRelease,
    Incident,
    CaseOutcome,
}

impl SignalMapper {
    /// A mapper that reads fields by `mapping` and dates by `dates`.
    pub(crate) fn new(mapping: Mapping, dates: DateReader, source_id_from: SourceIdFrom) -> Self {
        Self { mapping, dates, source_id_from }
    }

    /// The kind that the row names, or else the one whose fields it fills.
    fn kind(&self, row: &Row) -> Result<Kind, String> {
        if let Some(word) = self.mapping.value("kind", row) {
            return match word.to_lowercase().replace([' ', '-'], "_").as_str() {
                "usage" => Ok(Kind::Usage),
                "gauge" => Ok(Kind::Gauge),
                "activity" => Ok(Kind::Activity),
                "feature_use" | "feature" => Ok(Kind::FeatureUse),
                "ticket" => Ok(Kind::Ticket),
                "invoice" => Ok(Kind::Invoice),
                "dispute" => Ok(Kind::Dispute),
                "lifecycle" => Ok(Kind::Lifecycle),
                "survey_answer" | "answer" => Ok(Kind::SurveyAnswer),
                "touch" => Ok(Kind::Touch),
                "pulse" => Ok(Kind::Pulse),
                "credit" => Ok(Kind::Credit),
                "feature_request" => Ok(Kind::FeatureRequest),
                "feature_release" => Ok(Kind::FeatureRelease),
                "incident" => Ok(Kind::Incident),
                "case_outcome" => Ok(Kind::CaseOutcome),
                _ => Err(format!(
                    "`{word}` is not a kind: usage, gauge, activity, feature_use, ticket, invoice, dispute, lifecycle, \
                     survey_answer, touch, pulse, credit, feature_request, feature_release, incident or case_outcome"
                )),
            };
        }
        let has = |field: &str| self.mapping.value(field, row).is_some();
        // A dispute may name its invoice.
        match (has("ticket_id"), has("dispute_id"), has("invoice_id")) {
            (true, false, false) => return Ok(Kind::Ticket),
            (false, true, _) => return Ok(Kind::Dispute),
            (false, false, true) => return Ok(Kind::Invoice),
            (true, ..) => return Err("is missing, and ticket_id is not the only id that is filled".to_owned()),
            (false, false, false) => {}
        }
        match (has("quantity"), has("level"), has("feature"), has("user_id")) {
            (true, false, false, _) => Ok(Kind::Usage),
            (false, true, false, _) => Ok(Kind::Gauge),
            (false, false, true, _) => Ok(Kind::FeatureUse),
            (false, false, false, true) => Ok(Kind::Activity),
            (false, false, false, false) => {
                Err("is missing, and no field tells it: quantity, level, feature, user_id, ticket_id, invoice_id or \
                     dispute_id"
                    .to_owned())
            }
            _ => Err("is missing, and more than one of quantity, level and feature is filled".to_owned()),
        }
    }
}

impl Mapper for SignalMapper {
    type Item = Signal;

    fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    fn map(&self, row: &Row) -> Result<Signal, Violations> {
        let mut faults = Violations::new();
        let kind = faults.take("kind", self.kind(row));
        let text = |name: &str| self.mapping.value(name, row).unwrap_or_default().to_owned();
        let source_id = text("source_id");
        let mut fields = FieldReader { mapping: &self.mapping, row, faults: &mut faults };
        let mut signal = Signal {
            account: fields.required("account", account_name).unwrap_or_default(),
            event_time: fields.required("event_time", |text| self.dates.read(text)),
            source: self.mapping.value("source", row).unwrap_or(DEFAULT_SOURCE).to_owned(),
            payload: kind.map(|kind| payload(kind, &mut fields, &self.dates)),
            ..Signal::default()
        };
        signal.source_id = if source_id.is_empty() {
            let line = (self.source_id_from == SourceIdFrom::Line).then_some(row.line);
            derived_id(&signal, line)
        } else {
            source_id
        };
        faults.into_result(signal)
    }

    fn encoded_len(&self, signal: &Signal) -> usize {
        signal.encoded_len()
    }

    fn key<'i>(&self, _signal: &'i Signal) -> Option<&'i str> {
        None
    }

    fn place<'b>(&self, _signal: &Signal, _lookup: impl Fn(&str) -> Option<&'b Signal>) -> Place {
        Place::Beside
    }
}

fn payload(kind: Kind, fields: &mut FieldReader<'_>, dates: &DateReader) -> Payload {
    match kind {
        Kind::Usage => Payload::Usage(UsageCount {
            metric: fields.required_text("metric"),
            quantity: fields.required("quantity", whole_number).unwrap_or_default(),
        }),
        Kind::Gauge => Payload::Gauge(Gauge {
            metric: fields.required_text("metric"),
            level: fields.required("level", number).unwrap_or_default(),
        }),
        Kind::Activity => {
            Payload::Activity(UserActivity { user_id: fields.required_text("user_id"), action: fields.text("action") })
        }
        Kind::FeatureUse => Payload::FeatureUse(FeatureUse {
            feature: fields.required_text("feature"),
            user_id: fields.text("user_id"),
            count: fields.read("count", whole_number).unwrap_or_default(),
        }),
        Kind::Ticket => story_signals::ticket(fields, dates),
        Kind::Invoice => story_signals::invoice(fields, dates),
        Kind::Dispute => story_signals::dispute(fields),
        Kind::Lifecycle => story_signals::lifecycle(fields, dates),
        Kind::SurveyAnswer => story_signals::survey_answer(fields),
        Kind::Touch => story_signals::touch(fields),
        Kind::Pulse => product_signals::pulse(fields),
        Kind::Credit => product_signals::credit(fields),
        Kind::FeatureRequest => product_signals::feature_request(fields),
        Kind::FeatureRelease => product_signals::feature_release(fields),
        Kind::Incident => product_signals::incident(fields),
        Kind::CaseOutcome => product_signals::case_outcome(fields, dates),
    }
}

/// The id of a signal whose row has none: `row-` and half of the SHA-256 of what
/// the row says, its time in UTC, so that the same row in another file, or with
/// its date written otherwise, is the same signal.
fn derived_id(signal: &Signal, line: Option<u64>) -> String {
    let mut hash = Sha256::new();
    hash.update(signal.encode_to_vec());
    if let Some(line) = line {
        hash.update(line.to_be_bytes());
    }
    hash.finalize()[..16].iter().fold("row-".to_owned(), |mut id, byte| {
        // Writing to a string cannot fail.
        write!(id, "{byte:02x}").ok();
        id
    })
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;
    use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
    use mainstay_api::mainstay::scoring::v1::{
        Activation, Churn, DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal, LifecycleSignal, Milestone,
        PlanChange, PlanChangeDirection, Renewal, SeatChange, TicketAction, TicketPriority, TicketSignal,
    };

    use super::*;
    use crate::import::mapping::tests::{pairs, row};

    fn mapper(constants: &[(&str, &str)], source_id_from: SourceIdFrom) -> SignalMapper {
        let mapping = Mapping::new(FIELDS, &[], &pairs(constants)).expect("fields of ours");
        SignalMapper::new(mapping, DateReader::new(None).expect("the default"), source_id_from)
    }

    fn payload_of(values: &[(&str, &str)]) -> Result<Payload, String> {
        let mut values = values.to_vec();
        values.extend([("account", "acme"), ("date", "1970-01-02")]);
        let signal = mapper(&[], SourceIdFrom::Content).map(&row(&values));
        let faults = |faults: Violations| {
            faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect::<Vec<_>>().join("; ")
        };
        signal.map_err(faults).map(|signal| signal.payload.expect("a payload"))
    }

    #[test]
    fn the_kind_is_told_by_the_fields_that_are_filled() {
        let usage = Payload::Usage(UsageCount { metric: "emails".to_owned(), quantity: 5 });
        assert_eq!(payload_of(&[("metric", "emails"), ("quantity", "5")]), Ok(usage));
        let gauge = Payload::Gauge(Gauge { metric: "seats".to_owned(), level: 2.5 });
        assert_eq!(payload_of(&[("metric", "seats"), ("level", "2.5"), ("quantity", "")]), Ok(gauge));
        let activity = Payload::Activity(UserActivity { user_id: "u1".to_owned(), action: "login".to_owned() });
        assert_eq!(payload_of(&[("user", "u1"), ("action", "login")]), Ok(activity));
        let feature = Payload::FeatureUse(FeatureUse { feature: "api".to_owned(), user_id: "u1".to_owned(), count: 3 });
        assert_eq!(payload_of(&[("feature", "api"), ("user_id", "u1"), ("count", "3")]), Ok(feature));
        assert!(payload_of(&[("metric", "emails")]).is_err_and(|fault| fault.contains("no field tells it")));
        assert!(payload_of(&[("quantity", "1"), ("level", "1")]).is_err_and(|fault| fault.contains("more than one")));
        assert!(payload_of(&[("kind", "login")]).is_err_and(|fault| fault.contains("is not a kind")));
        assert!(payload_of(&[("kind", "gauge"), ("metric", "seats")]).is_err_and(|fault| fault == "level: is missing"));
    }

    #[test]
    fn tickets_billing_and_contracts_are_read() {
        let ticket = Payload::Ticket(TicketSignal {
            ticket_id: "t-1".to_owned(),
            action: TicketAction::Opened.into(),
            priority: TicketPriority::Critical.into(),
            subject: "Nothing works".to_owned(),
            text: "Help!".to_owned(),
            requester_email: "eve@acme.example".to_owned(),
            satisfaction: Some(1),
            open: true,
            ..Default::default()
        });
        assert_eq!(
            payload_of(&[
                ("ticket", "t-1"),
                ("action", "Opened"),
                ("priority", "critical"),
                ("subject", "Nothing works"),
                ("text", "Help!"),
                ("requester", "eve@acme.example"),
                ("satisfaction", "1"),
                ("open", "yes"),
            ]),
            Ok(ticket)
        );
        let invoice = Payload::Invoice(InvoiceSignal {
            invoice_id: "in-1".to_owned(),
            action: InvoiceAction::PaymentFailed.into(),
            amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 4_950 }),
            due_time: Some(prost_types::Timestamp { seconds: 86_400, nanos: 0 }),
            failure_reason: "card expired".to_owned(),
        });
        let mut row =
            vec![("invoice_id", "in-1"), ("action", "payment-failed"), ("amount", "49.50"), ("currency", "EUR")];
        row.extend([("due_date", "1970-01-02"), ("failure_reason", "card expired")]);
        assert_eq!(payload_of(&row), Ok(invoice));
        let dispute = Payload::Dispute(DisputeSignal {
            dispute_id: "d-1".to_owned(),
            action: DisputeAction::Closed.into(),
            invoice_id: "in-1".to_owned(),
            ..DisputeSignal::default()
        });
        assert_eq!(payload_of(&[("dispute_id", "d-1"), ("invoice_id", "in-1"), ("action", "closed")]), Ok(dispute));
        let change = |change| Ok(Payload::Lifecycle(LifecycleSignal { change: Some(change) }));
        let contract = |values: &[(&str, &str)]| payload_of(&[&[("kind", "lifecycle")], values].concat());
        let seats = Change::SeatChange(SeatChange { seats: 12 });
        assert_eq!(contract(&[("action", "seat change"), ("seats", "12")]), change(seats));
        let renewal = Renewal { renewal_time: Some(prost_types::Timestamp { seconds: 86_400, nanos: 0 }) };
        assert_eq!(
            contract(&[("action", "renewal"), ("renewal_date", "1970-01-02")]),
            change(Change::Renewal(renewal))
        );
        let churn = Change::Churn(Churn { reason: "price".to_owned() });
        assert_eq!(contract(&[("action", "churn"), ("reason", "price")]), change(churn));
        let milestone = Change::Milestone(Milestone { milestone: "first_import".to_owned() });
        assert_eq!(contract(&[("action", "milestone"), ("milestone", "first_import")]), change(milestone));
        assert_eq!(contract(&[("action", "activation")]), change(Change::Activation(Activation {})));
    }

    #[test]
    fn changes_of_the_plan_say_which_way_they_go_by_their_action() {
        let contract = |values: &[(&str, &str)]| {
            let payload = payload_of(&[&[("kind", "lifecycle")], values].concat())?;
            let Payload::Lifecycle(LifecycleSignal { change: Some(Change::PlanChange(told)) }) = payload else {
                panic!("no change of the plan: {payload:?}");
            };
            Ok::<_, String>(told)
        };
        let told = |plan: &str, arr: Option<i64>, direction: PlanChangeDirection| {
            let arr = arr.map(|minor_units| Money { currency_code: "EUR".to_owned(), minor_units });
            Ok(PlanChange { plan: plan.to_owned(), arr, direction: direction.into() })
        };
        assert_eq!(
            contract(&[("action", "upgrade"), ("plan", "pro"), ("arr", "12000.50"), ("currency", "EUR")]),
            told("pro", Some(1_200_050), PlanChangeDirection::Upgrade)
        );
        assert_eq!(
            contract(&[("action", "Downgrade"), ("arr", "900 EUR")]),
            told("", Some(90_000), PlanChangeDirection::Downgrade)
        );
        assert_eq!(contract(&[("action", "upgrade")]), told("", None, PlanChangeDirection::Upgrade));
        assert_eq!(
            contract(&[("action", "plan change"), ("plan", "team")]),
            told("team", None, PlanChangeDirection::Unspecified)
        );
        let fault = contract(&[("action", "plan_change")]).expect_err("a fault");
        assert_eq!(fault, "plan: is missing, and so is arr: a plan_change says at least one of them");
        let fault = contract(&[("action", "upgrade"), ("arr", "x EUR")]).expect_err("a fault");
        assert!(fault.starts_with("arr: "), "{fault}");
    }

    #[test]
    fn all_that_is_wrong_with_a_row_of_a_story_is_told() {
        let faults =
            payload_of(&[("ticket_id", "t-1"), ("action", "closed"), ("priority", "p1"), ("satisfaction", "x")]);
        let faults = faults.expect_err("faults");
        for fault in [
            "action: `closed` is no action of a ticket: opened, updated",
            "priority: `p1` is no priority: low,",
            "satisfaction: `x` is not a whole number",
        ] {
            assert!(faults.contains(fault), "{faults}");
        }
        let fault = payload_of(&[("invoice_id", "in-1"), ("action", "paid"), ("amount", "5")]).expect_err("a fault");
        assert!(fault.contains("amount: ") && fault.contains("needs a currency"), "{fault}");
        let fault = payload_of(&[("kind", "lifecycle"), ("action", "renewal")]).expect_err("a fault");
        assert_eq!(fault, "renewal_time: is missing");
        assert!(
            payload_of(&[("ticket_id", "1"), ("invoice_id", "1")]).is_err_and(|fault| fault.contains("not the only"))
        );
    }

    #[test]
    fn rows_without_an_id_get_a_stable_one_from_what_they_say() {
        let values = [("account", "acme"), ("date", "1970-01-02"), ("metric", "emails"), ("quantity", "5")];
        let id = |values: &[(&str, &str)], from| mapper(&[], from).map(&row(values)).expect("a good row").source_id;
        let first = id(&values, SourceIdFrom::Content);
        // Computed by an implementation of its own in Python: it must not change between versions.
        assert_eq!(first, "row-473190a08adf2ff629a6c560abbc6846");
        let mut other = values;
        other[1].1 = "1970-01-02T00:00:00Z";
        assert_eq!(id(&other, SourceIdFrom::Content), first, "the same time, written otherwise");
        other[3].1 = "6";
        assert_ne!(id(&other, SourceIdFrom::Content), first);
        assert_ne!(id(&values, SourceIdFrom::Line), first);
    }

    #[test]
    fn source_and_its_id_are_taken_as_given() {
        let values = [("account", "acme"), ("time", "1970-01-02"), ("user_id", "u1"), ("source_id", "e-1")];
        let signal = mapper(&[("source", "shop")], SourceIdFrom::Content).map(&row(&values)).expect("a good row");
        assert_eq!((signal.source.as_str(), signal.source_id.as_str()), ("shop", "e-1"));
    }
}
