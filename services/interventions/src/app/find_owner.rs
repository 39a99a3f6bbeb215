//! Who looks after an account in a role.

use mainstay_accounts::Account;
use mainstay_domain::OwnerRole;

use super::App;
use crate::domain::owners::Assignee;

/// The account's person in the role, or else the default.
pub(super) fn of(app: &App, account: &Account, role: OwnerRole) -> Assignee {
    let known = account.owner(role).map(|owner| owner.email.as_str());
    Assignee::of(known, role, &app.default_owners)
}
