//! The queues of due work; `jobs` has the workers.

/// Accounts to score: the key is the account's id, the low mark the earliest
/// day whose inputs changed, in days since 1970.
pub(crate) const RESCORE_QUEUE: &str = "rescore";
/// Has every account put into [`RESCORE_QUEUE`]: one job, whose low mark is that of each account and whose payload is the last
/// account that was put there.
pub(crate) const MARK_ALL_QUEUE: &str = "mark_all";
/// Accounts that a recomputation has still to score, as in [`RESCORE_QUEUE`].
/// A queue of its own, so that what is left of it tells how far the operation is.
pub(crate) const RECOMPUTE_QUEUE: &str = "recompute";
/// Activations of models on a later day than the one they were asked for: the key is the activation's number.
pub(crate) const ACTIVATION_QUEUE: &str = "activation";
/// The backtest that runs, and the training of a forecast: the key is the operation's id, the payload how far it is. The
/// word is that of when backtests were all, which jobs of then still have.
pub(crate) const OPERATION_STEPS_QUEUE: &str = "backtest";
/// Operations to end when their work is done: the key is the operation's id.
pub(crate) const OPERATIONS_QUEUE: &str = "operations";
/// Payload of a job of [`RESCORE_QUEUE`] whose account's time has come in [`INACTIVITY_QUEUE`] or [`RISK_LOOK_QUEUE`]: what no signal
/// tells of is looked at with today's score. The word is that of when silence was all, which jobs and replicas of then still have.
pub(crate) const LOOK_DUE: &str = "silence";
/// Accounts that may have gone silent: the key is the account's id, due when its last activity known then was 14 whole days ago. An
/// account that was active and is neither inactive nor gone has one, or is about to be looked at. Only who holds the account's row
/// begins one; its worker only hands it over.
pub(crate) const INACTIVITY_QUEUE: &str = "inactivity";
/// Accounts of which something may begin that no signal tells of, beside silence: see `app/looks.rs` for the keys. Only who holds the
/// account's row begins one; its worker only hands it over.
pub(crate) const RISK_LOOK_QUEUE: &str = "risk_looks";
/// Invoices whose due time may pass without a payment: the key is the account's id and the invoice's with a slash between them. One that
/// is not settled, and of which it is not noted yet, has a job, due when it is overdue by the earliest due time since the last look. Only
/// who holds the account's row begins one.
pub(crate) const DUE_TIMES_QUEUE: &str = "due_times";
/// Labels whose time will be over: the key is the account's id and the label's with a slash between them.
pub(crate) const LABELS_QUEUE: &str = "labels";
/// Tells how much of their plans accounts used in a month: one job, whose low mark is the month's first day and whose payload is the
/// last account that was told.
pub(crate) const PLAN_USAGE_QUEUE: &str = "plan_usage";
