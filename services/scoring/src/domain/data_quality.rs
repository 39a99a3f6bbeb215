//! How far the data behind scores can be trusted: what is missing, silent, not read, or told twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Violations, is_email};

use super::data_source::{DataSource, SourceDays};
use super::field_claim::Disagreement;
use super::model::{HealthModel, Input};

/// How many names several customers share are told.
pub(crate) const DUPLICATE_NAMES_MAX: i64 = 20;
/// How many of the customers of such a name.
pub(crate) const DUPLICATE_ACCOUNTS_MAX: usize = 10;

/// Fields of accounts that scores and work rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AccountField {
    Segment,
    Industry,
    ProductLine,
    Plan,
    LifecycleStage,
    Revenue,
    ContractStart,
    Renewal,
    SignUp,
    Activation,
    Seats,
    Csm,
    AccountManager,
    ExecutiveSponsor,
    Contacts,
}

impl AccountField {
    pub(crate) const ALL: [Self; 15] = [
        Self::Segment,
        Self::Industry,
        Self::ProductLine,
        Self::Plan,
        Self::LifecycleStage,
        Self::Revenue,
        Self::ContractStart,
        Self::Renewal,
        Self::SignUp,
        Self::Activation,
        Self::Seats,
        Self::Csm,
        Self::AccountManager,
        Self::ExecutiveSponsor,
        Self::Contacts,
    ];

    /// As accounts of the API have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Industry => "industry",
            Self::ProductLine => "product_line",
            Self::Plan => "plan",
            Self::LifecycleStage => "lifecycle_stage",
            Self::Revenue => "arr",
            Self::ContractStart => "contract_start_time",
            Self::Renewal => "renewal_time",
            Self::SignUp => "sign_up_time",
            Self::Activation => "activation_time",
            Self::Seats => "seats",
            Self::Csm => "owners.csm",
            Self::AccountManager => "owners.account_manager",
            Self::ExecutiveSponsor => "owners.executive_sponsor",
            Self::Contacts => "contacts",
        }
    }
}

/// What somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DataSubject {
    Field(AccountField),
    Source(DataSource),
}

impl DataSubject {
    /// As it is written.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Field(field) => format!("fields/{}", field.name()),
            Self::Source(source) => format!("sources/{}", source.name()),
        }
    }

    /// What is written so.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("fields/") {
            return AccountField::ALL.into_iter().find(|field| field.name() == name).map(Self::Field);
        }
        text.strip_prefix("sources/").and_then(DataSource::parse).map(Self::Source)
    }
}

/// What somebody is named for, and who.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataOwner {
    pub subject: DataSubject,
    /// None: nobody any more.
    pub owner_email: Option<String>,
}

impl DataOwner {
    /// Who answers for what, or all that is wrong with it.
    pub(crate) fn given(subject: &str, owner_email: &str) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let known = DataSubject::parse(subject);
        found.require(
            known.is_some(),
            "subject",
            "must be a field such as `fields/renewal_time` or a source such as `sources/stories/tickets` or \
             `sources/systems/zendesk/ticket`, as the report of data quality names them",
        );
        let owner_email = (!owner_email.is_empty()).then(|| owner_email.to_owned());
        let fits = owner_email.as_deref().is_none_or(is_email);
        found.require(fits, "owner_email", "must be a mail address such as `ada@example.com`, or empty for nobody");
        match known {
            Some(subject) => found.into_result(Self { subject, owner_email }),
            None => Err(found),
        }
    }
}

/// What models read that nobody sends, and what is sent that none of them reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct InputMatch {
    pub unread_metrics: Vec<String>,
    pub awaited_inputs: Vec<String>,
}

impl InputMatch {
    /// Of the models that score somebody, the metrics there are, and the features that were ever used.
    pub(crate) fn of<M: AsRef<HealthModel>>(
        models: &[M],
        metrics: &BTreeSet<String>,
        features: &BTreeSet<String>,
    ) -> Self {
        let measures = || models.iter().flat_map(|model| model.as_ref().measures()).map(|(_, measure)| measure);
        let read: BTreeSet<&str> = measures()
            .filter_map(|measure| match &measure.input {
                Input::Metric(metric) => Some(metric.as_str()),
                Input::Feature(_) | Input::AnyFeature | Input::AnyUser | Input::Story(_) => None,
            })
            .collect();
        let awaited: BTreeSet<String> = measures()
            .filter_map(|measure| match &measure.input {
                Input::Metric(metric) => (!metrics.contains(metric)).then(|| format!("metrics/{metric}")),
                Input::Feature(feature) => (!features.contains(feature)).then(|| format!("features/{feature}")),
                Input::AnyFeature | Input::AnyUser | Input::Story(_) => None,
            })
            .collect();
        Self {
            unread_metrics: metrics.iter().filter(|metric| !read.contains(metric.as_str())).cloned().collect(),
            awaited_inputs: awaited.into_iter().collect(),
        }
    }
}

/// Customers whose data is thin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Coverage {
    pub accounts: i64,
    /// Without a score.
    pub unscored: i64,
    /// With a score that rests on less than half of the model's weight.
    pub thin: i64,
    /// Whose newest data is older than a week.
    pub stale: i64,
}

/// A name that several customers have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DuplicateName {
    pub display_name: String,
    pub accounts: Vec<AccountId>,
    pub account_count: i64,
}

/// How far the data can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataQuality {
    pub as_of: DateTime<Utc>,
    pub today: NaiveDate,
    pub coverage: Coverage,
    /// Every field, with how many customers lack it, those that most lack first.
    pub fields: Vec<(AccountField, i64)>,
    /// Those that are silent first, then by name.
    pub sources: Vec<SourceDays>,
    pub inputs: InputMatch,
    pub duplicates: Vec<DuplicateName>,
    /// Fields on which sources disagree, those of most customers first.
    pub disagreements: Vec<Disagreement>,
    /// By subject, as it is written.
    pub owners: BTreeMap<String, String>,
}

impl DataQuality {
    /// Who answers for something; empty: nobody was named.
    pub(crate) fn owner(&self, subject: &DataSubject) -> String {
        self.owners.get(&subject.name()).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data_source::Told;
    use crate::domain::signal::SignalKind;
    use crate::domain::story_source::StorySource;

    #[test]
    fn subjects_are_read_as_they_are_written() {
        let sources = StorySource::ALL.map(DataSource::Stories).into_iter();
        let sources = sources.chain([DataSource::Users, DataSource::Features, DataSource::Metric("emails".to_owned())]);
        let told = SignalKind::ALL.map(Told::Signals).into_iter().chain([Told::Accounts]);
        let sources = sources.chain(told.map(|told| DataSource::System { system: "help-desk".to_owned(), told }));
        let fields = AccountField::ALL.into_iter().map(DataSubject::Field);
        for subject in fields.chain(sources.map(DataSubject::Source)) {
            assert_eq!(DataSubject::parse(&subject.name()), Some(subject));
        }
        for bad in [
            "",
            "fields",
            "fields/",
            "fields/name",
            "sources/metrics/A b",
            "sources/stories/x",
            "sources/users/x",
            "sources/systems/help-desk",
            "sources/systems/help-desk/x",
            "sources/systems/A b/ticket",
        ] {
            assert_eq!(DataSubject::parse(bad), None, "{bad}");
        }
    }
}
