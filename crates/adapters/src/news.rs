//! What vendors say of accounts and of people there: each field for itself, so that none undoes what another payload said of another.

use mainstay_api::mainstay::scoring::v1::{Account, Contact};

/// What is said of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// There is such a customer. The account is created under this display name when there is none; one that exists stays as it is,
    /// since others know more of it.
    Exists(String),
    /// A field of the account has this value. An account that is not there is created by its display name.
    Field(AccountField, String),
    /// A field of a person at the customer has this value. A person who is not there is added.
    Contact {
        /// The person's id.
        id: String,
        /// Which field.
        field: ContactField,
        /// Its value.
        value: String,
    },
}

/// A field of an account that vendors speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountField {
    /// What people call it.
    DisplayName,
    /// Its industry.
    Industry,
    /// The plan that it is on.
    Plan,
}

/// A field of a contact that vendors speak of. Whether somebody is a champion is for people to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactField {
    /// What people call the person.
    DisplayName,
    /// The mail address.
    Email,
    /// What the person is at the customer.
    Title,
    /// The language that the person speaks.
    LanguageCode,
}

impl AccountField {
    /// As the proto names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::Industry => "industry",
            Self::Plan => "plan",
        }
    }
}

impl ContactField {
    /// As the proto names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::Email => "email",
            Self::Title => "title",
            Self::LanguageCode => "language_code",
        }
    }
}

impl News {
    /// Of several news of one account those of the lowest turn are taken in first: that there is the account, its name, without which it
    /// cannot be created, what else is said of it, and people last.
    pub const fn turn(&self) -> u8 {
        match self {
            Self::Exists(_) => 0,
            Self::Field(AccountField::DisplayName, _) => 1,
            Self::Field(..) => 2,
            Self::Contact { .. } => 3,
        }
    }

    /// Makes an account that is there what it is once this is known. What is not spoken of stays.
    pub fn apply(&self, account: &mut Account) {
        match self {
            Self::Exists(_) => {}
            Self::Field(field, value) => {
                let known = match field {
                    AccountField::DisplayName => &mut account.display_name,
                    AccountField::Industry => &mut account.industry,
                    AccountField::Plan => &mut account.plan,
                };
                known.clone_from(value);
            }
            Self::Contact { id, field, value } => {
                let contact = contact(&mut account.contacts, id);
                let known = match field {
                    ContactField::DisplayName => &mut contact.display_name,
                    ContactField::Email => &mut contact.email,
                    ContactField::Title => &mut contact.title,
                    ContactField::LanguageCode => &mut contact.language_code,
                };
                known.clone_from(value);
            }
        }
    }
}

/// The contact of this id, which is added when there is none.
fn contact<'c>(contacts: &'c mut Vec<Contact>, id: &str) -> &'c mut Contact {
    let place = contacts.iter().position(|contact| contact.id == id).unwrap_or_else(|| {
        contacts.push(Contact { id: id.to_owned(), ..Contact::default() });
        contacts.len() - 1
    });
    &mut contacts[place]
}
