//! What the tests of revenue reports share: customers, and what was told of their invoices, disputes and credits.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{CreditKind, DisputeAction, InvoiceAction, Segment};

use crate::account_fixtures::{owner, time};
use crate::harness::{Harness, account, signal};

/// An amount of a currency.
pub(crate) fn money(code: &str, minor_units: i64) -> Money {
    Money { currency_code: code.to_owned(), minor_units }
}

/// Something happened to an invoice.
pub(crate) fn billed(
    id: &str,
    at: &str,
    invoice_id: &str,
    action: InvoiceAction,
    amount: Option<Money>,
) -> proto::Signal {
    let invoice =
        proto::InvoiceSignal { invoice_id: invoice_id.to_owned(), action: action.into(), amount, ..Default::default() };
    numbered(id, at, &format!("{invoice_id}/{}/{at}", action.as_str_name()), Payload::Invoice(invoice))
}

/// Something happened to a dispute.
pub(crate) fn disputed(
    id: &str,
    at: &str,
    dispute_id: &str,
    action: DisputeAction,
    amount: Option<Money>,
) -> proto::Signal {
    let dispute =
        proto::DisputeSignal { dispute_id: dispute_id.to_owned(), action: action.into(), amount, ..Default::default() };
    numbered(id, at, &format!("{dispute_id}/{}/{at}", action.as_str_name()), Payload::Dispute(dispute))
}

/// Money was given back.
pub(crate) fn credited(id: &str, at: &str, kind: CreditKind, amount: Money) -> proto::Signal {
    let credit = proto::CreditSignal { kind: kind.into(), amount: Some(amount), ..Default::default() };
    numbered(id, at, &format!("{}/{at}", kind.as_str_name()), Payload::Credit(credit))
}

fn numbered(id: &str, at: &str, source_id: &str, payload: Payload) -> proto::Signal {
    let mut one = signal(id, at, payload);
    source_id.clone_into(&mut one.source_id);
    one
}

/// Noon on 2026-03-10, with four customers of whom nothing is told yet.
pub(crate) async fn customers() -> Harness {
    let harness = Harness::start("2026-03-10T12:00:00Z").await;
    let with_arr =
        |id: &str, segment: Segment, arr: Option<Money>| proto::Account { segment: segment.into(), arr, ..account(id) };
    let mut acme = with_arr("acme", Segment::Enterprise, Some(money("EUR", 100_000)));
    acme.owners = vec![owner(1, "mia@example.com")];
    acme.renewal_time = Some(time("2026-06-30"));
    let mut beta = with_arr("beta", Segment::Smb, None);
    beta.mrr = Some(money("USD", 1_000));
    let accounts = vec![
        acme,
        beta,
        with_arr("gamma", Segment::Smb, Some(money("EUR", 50_000))),
        with_arr("delta", Segment::MidMarket, None),
    ];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
    harness
}

/// What was told of them, in the order in which it happened.
pub(crate) fn told() -> Vec<proto::Signal> {
    use InvoiceAction::{Issued, Overdue, Paid, PaymentFailed, Voided};
    let mut issued = billed("acme", "2026-02-01", "in-1", Issued, Some(money("EUR", 5_000)));
    if let Some(Payload::Invoice(invoice)) = &mut issued.payload {
        invoice.due_time = Some(time("2026-02-10"));
    }
    vec![
        billed("beta", "2026-01-01", "in-3", PaymentFailed, Some(money("USD", 700))),
        issued,
        credited("acme", "2026-02-01", CreditKind::CreditNote, money("USD", 5)),
        billed("acme", "2026-02-11", "in-1", Overdue, None),
        billed("gamma", "2026-03-01", "in-4", PaymentFailed, Some(money("EUR", 800))),
        disputed("gamma", "2026-03-01", "d-1", DisputeAction::Opened, Some(money("EUR", 50))),
        credited("acme", "2026-03-05", CreditKind::Refund, money("EUR", 20)),
        billed("acme", "2026-03-08", "in-2", PaymentFailed, Some(money("USD", 300))),
        billed("gamma", "2026-03-08", "in-4", Paid, Some(money("EUR", 900))),
        // Tried again by mistake: it is paid, and stays so.
        billed("gamma", "2026-03-08T02:00:00Z", "in-4", PaymentFailed, None),
        billed("acme", "2026-03-09", "in-2", PaymentFailed, None),
        billed("delta", "2026-03-09", "in-5", PaymentFailed, None),
        billed("gamma", "2026-03-09", "in-6", Voided, Some(money("EUR", 100))),
        disputed("gamma", "2026-03-09", "d-1", DisputeAction::Closed, None),
        // Paid without trouble: in no figure.
        billed("beta", "2026-03-09", "in-7", Paid, Some(money("USD", 9_999))),
        disputed("delta", "2026-03-10T01:00:00Z", "d-2", DisputeAction::Opened, None),
    ]
}
