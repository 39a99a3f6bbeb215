//! The help of `mainstay import` for what vendors send.

use std::path::PathBuf;

use clap::Args;
use mainstay_adapters::DEFAULT_ACCOUNT_KEY;

/// What all of them have in common; the vendor's own part stands before it.
macro_rules! help {
    ($own:literal) => {
        concat!(
            $own,
            "

Files: a JSON array of payloads, one payload a line, or one payload that fills the file; - is
the standard input. A payload is known by the vendor's id of the event, or by its content:
importing it again, or in another order, changes nothing. What means nothing here, or does not
say when it happened, is counted as ignored, and why is told. Of what the files say of one account the newest counts; a file
that is older than what was imported before puts that back, unless --signals-only is given.

Bad payloads are told with their line numbers and set aside in FILE.rejected, which can be
corrected and imported. Exit codes: 0 all taken in or ignored; 1 some rejected; 2 none taken in."
        )
    };
}

pub(super) const STRIPE_HELP: &str = help!(
    "\
Events as Stripe's webhooks and its events API have them:
  invoice.created, .finalized, .paid, .payment_succeeded, .payment_failed, .overdue, .voided,
  .marked_uncollectible           what becomes of invoices
  charge.dispute.created, .updated, .closed
                                  disputes, when their metadata names the account
  customer.subscription.created, .updated
                                  seats, plan, what it brings in a year, renewal
  customer.subscription.deleted   churn, with the reasons given
  customer.created, .updated      the account, unless there is one already

The account is what `mainstay_account` in the metadata of the object or of its subscription
says (another key with --account-key), else the customer's id, cus_…

Examples:
  mainstay import stripe events.json
  stripe events list --limit 100 | jq -c '.data[]' | mainstay import stripe - --account-key crm_id"
);

pub(super) const LAGO_HELP: &str = help!(
    "\
Webhooks of Lago:
  invoice.created, .one_off_created, .add_on_added, .paid_credit_added,
  .payment_status_updated, .payment_overdue, .voided
                                  what becomes of invoices
  invoice.payment_dispute_lost    the end of a dispute
  subscription.started            plan, what it brings in a year, renewal
  subscription.trial_ended        plan, what it brings in a year
  subscription.terminated         churn, unless another plan follows
  customer.created, .updated      the account, unless there is one already
Of invoice.payment_failure, which does not say when, only the webhook is taken, not the file.

The account is what `mainstay_account` in the metadata says (another key with --account-key),
else the customer's external_id.

Examples:
  mainstay import lago webhooks.jsonl
  mainstay import lago one.json two.json --dry-run"
);

pub(super) const ZENDESK_HELP: &str = help!(
    "\
Ticket events of Zendesk's webhooks (zen:event-type:ticket.created, .status_changed,
.priority_changed, .subject_changed, .comment_added, .merged, .soft_deleted,
.permanently_deleted, .marked_as_spam), whose account is the organization's id; and what a trigger
sends with this JSON, of which ticket_id, updated_at and the account are needed:
  {\"mainstay_account\": \"{{ticket.organization.external_id}}\", \"ticket_id\": \"{{ticket.id}}\",
   \"status\": \"{{ticket.status}}\", \"priority\": \"{{ticket.priority}}\",
   \"subject\": \"{{ticket.title}}\", \"text\": \"{{ticket.latest_public_comment}}\",
   \"requester_email\": \"{{ticket.requester.email}}\",
   \"satisfaction\": \"{{satisfaction.current_rating}}\",
   \"updated_at\": \"{{ticket.updated_at_with_timestamp}}\"}
With \"action\": \"escalated\" (or opened, updated, resolved, reopened) the trigger says itself what
happened; without, status does: after solved or closed, open, pending and hold reopen the ticket.
Priority urgent puts the account at risk while the ticket is open.

Tickets as the tickets API and its incremental exports have them, page by page ({\"tickets\": […]})
or one by one: opened at created_at with the description as text, and at updated_at how the ticket
is: solved, closed and deleted are resolved. The present priority is taken from the opening on.
The account is what `mainstay_account` of the ticket says, where you added it, else
organization_id.

Examples:
  mainstay import zendesk tickets.json
  mainstay import zendesk events.jsonl
  mainstay import zendesk triggers.json --account-key customer_number"
);

pub(super) const TICKETS_HELP: &str = help!(
    "\
Tickets of any help desk:
  {\"account\": \"acme\", \"ticket_id\": \"4711\", \"action\": \"opened\",
   \"time\": \"2026-11-20T09:30:00Z\", \"id\": \"event-1\", \"source\": \"helpdesk\",
   \"priority\": \"urgent\", \"subject\": \"Nothing works\", \"text\": \"Help!\",
   \"requester_email\": \"eve@acme.example\", \"satisfaction\": 4}
account, ticket_id, action and time are required. A ticket_id is one ticket of its account
whatever the source: of two help desks that count alike, put a prefix before the ids of one.
action is opened, updated, escalated, resolved or reopened; priority low, normal, high, urgent or
critical; satisfaction 1 to 5; first_response_time a time; sentiment -1 to 1, else it is computed
from text; open, true in an update after which the ticket is open: it counts as reopened when it
was resolved before. Without an id an event is known by its content. For CSV files there is
`mainstay import signals`.

Examples:
  mainstay import tickets tickets.jsonl
  helpdesk-export | mainstay import tickets - --rejects bad.jsonl"
);

pub(super) const SEGMENT_HELP: &str = help!(
    "\
Calls of Segment's Spec:
  track with properties.quantity, or a whole properties.value without a currency
                                  that much use of the metric that the event names, and activity
  track with properties.feature, or of an event \"… Used\"
                                  use of that feature
  track else, page, screen        activity of the user, if there is a userId
  identify                        a contact
  group                           the account: name, industry, plan
What a call does not say of a user or a group stays as it was. Names become metrics as
\"Report Exported\" becomes report_exported.

The account is what `mainstay_account` in properties, traits or context says (another key with
--account-key), else groupId, else context.groupId.

Examples:
  mainstay import segment calls.jsonl
  mainstay import segment warehouse-*.json --signals-only"
);

/// Which payloads, and how they are read.
#[derive(Debug, Args)]
pub(crate) struct PayloadArguments {
    /// The files, or - for the standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The key of metadata, traits or properties that names the account
    #[arg(long, value_name = "KEY", default_value = DEFAULT_ACCOUNT_KEY)]
    pub(crate) account_key: String,
    /// Record signals only; leave accounts as they are
    #[arg(long)]
    pub(crate) signals_only: bool,
    /// Where to set bad payloads aside; else FILE.rejected of the first (nowhere for the standard input)
    #[arg(long, value_name = "PATH")]
    pub(crate) rejects: Option<PathBuf>,
    /// Only read and check the payloads; send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many payloads to send at once
    #[arg(long, value_name = "PAYLOADS", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub(crate) batch_size: u32,
}
