//! Who looks after what, and who does when nobody is known.

use mainstay_domain::OwnerRole;

/// Who is asked when nobody is known in a role: what is open always has an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultOwners {
    /// For all roles that have no default of their own.
    pub everyone: String,
    /// Instead of the director of customer success.
    pub director: Option<String>,
    /// Instead of the contact in finance.
    pub finance: Option<String>,
}

impl DefaultOwners {
    /// Who is asked instead of a person in this role.
    pub fn instead_of(&self, role: OwnerRole) -> &str {
        let own = match role {
            OwnerRole::CsmDirector | OwnerRole::ExecutiveSponsor => self.director.as_deref(),
            OwnerRole::FinanceContact => self.finance.as_deref(),
            OwnerRole::Csm | OwnerRole::AccountManager => None,
        };
        own.unwrap_or(&self.everyone)
    }
}

/// A person who was found for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignee {
    /// Mail address.
    pub email: String,
    /// Whether nobody is known in the role.
    pub is_fallback: bool,
}

impl Assignee {
    /// The person known in the role, or else the default.
    pub fn of(known: Option<&str>, role: OwnerRole, defaults: &DefaultOwners) -> Self {
        match known.filter(|email| !email.is_empty()) {
            Some(email) => Self { email: email.to_owned(), is_fallback: false },
            None => Self { email: defaults.instead_of(role).to_owned(), is_fallback: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r106_a_role_that_nobody_has_falls_to_its_default_and_then_to_everyones() {
        let defaults = DefaultOwners {
            everyone: "cs@example.com".to_owned(),
            director: None,
            finance: Some("finance@example.com".to_owned()),
        };
        let of = |known, role| Assignee::of(known, role, &defaults);
        assert_eq!(of(Some("mia@example.com"), OwnerRole::Csm).email, "mia@example.com");
        for (role, email) in [
            (OwnerRole::Csm, "cs@example.com"),
            (OwnerRole::CsmDirector, "cs@example.com"),
            (OwnerRole::FinanceContact, "finance@example.com"),
        ] {
            for known in [None, Some("")] {
                assert_eq!(of(known, role), Assignee { email: email.to_owned(), is_fallback: true });
            }
        }
    }
}
