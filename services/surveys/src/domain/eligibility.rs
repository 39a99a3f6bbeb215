//! Who may be asked, and in which order.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_accounts::Account;
use mainstay_domain::LifecycleStage;

use super::invitation::NotAskedReason;
use super::program::{ProgramDefinition, Trigger};

/// Whoever was asked is not asked again for so long, by whatever programme.
pub(crate) const FATIGUE: TimeDelta = TimeDelta::days(30);

/// A mail address as people are told apart by it.
pub(crate) fn address_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What is known of the person behind an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RecipientState {
    pub opted_out_at: Option<DateTime<Utc>>,
    pub last_asked_at: Option<DateTime<Utc>>,
}

impl RecipientState {
    /// When the person was last asked once an answer of this time is known that nobody here had asked for: whoever
    /// answered was asked then at the latest. An older answer, or one that is heard of later, shortens nothing.
    pub(crate) fn last_asked_with_answer(self, responded_at: DateTime<Utc>) -> DateTime<Utc> {
        self.last_asked_at.map_or(responded_at, |known| known.max(responded_at))
    }
}

/// Somebody who comes into question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub contact_id: String,
    pub display_name: String,
    /// As [`address_key`] gives it.
    pub address: String,
}

/// Whether a candidate may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ask,
    OptedOut,
    /// Asked a short while ago; may be asked again from then on.
    Fatigued {
        free_at: DateTime<Utc>,
    },
}

impl Verdict {
    /// Why not, if not.
    pub(crate) fn reason(self) -> Option<NotAskedReason> {
        match self {
            Self::Ask => None,
            Self::OptedOut => Some(NotAskedReason::OptOut),
            Self::Fatigued { .. } => Some(NotAskedReason::Fatigue),
        }
    }
}

/// Why nobody of the account is asked, if so.
pub(crate) fn account_refusal(definition: &ProgramDefinition, account: &Account) -> Option<NotAskedReason> {
    let is_trial = account.lifecycle_stage == LifecycleStage::Trial;
    // Quarterly surveys and those before a renewal are for customers; help was given, and a start made, on trial too.
    let is_for_customers = matches!(definition.trigger, Trigger::Quarterly { .. } | Trigger::BeforeRenewal { .. });
    if account.archived_at.is_some() {
        Some(NotAskedReason::AccountArchived)
    } else if account.lifecycle_stage == LifecycleStage::Churned {
        Some(NotAskedReason::AccountChurned)
    } else if (is_trial && is_for_customers)
        || !(definition.segments.is_empty() || definition.segments.contains(&account.segment))
    {
        Some(NotAskedReason::NotEligible)
    } else {
        None
    }
}

/// Those of the account who have an address, in the order in which they are asked: whom the occasion is about, if that is
/// known, then champions, then the others, each group by contact id. Of several with one address the first counts.
pub(crate) fn candidates(account: &Account, about: Option<&str>) -> Vec<Candidate> {
    let about = about.map(address_key).filter(|address| !address.is_empty());
    let mut contacts: Vec<_> = account.contacts.iter().filter(|contact| !contact.email.trim().is_empty()).collect();
    contacts.sort_by_key(|contact| {
        let is_about = about.as_ref() == Some(&address_key(&contact.email));
        (!is_about, !contact.champion, &contact.id)
    });
    let known = contacts.into_iter().map(|contact| Candidate {
        contact_id: contact.id.clone(),
        display_name: contact.display_name.clone(),
        address: address_key(&contact.email),
    });
    // Somebody who is no contact of the account yet wrote to us all the same.
    let stranger = about
        .filter(|address| !account.contacts.iter().any(|contact| address_key(&contact.email) == *address))
        .map(|address| Candidate { contact_id: address.clone(), display_name: String::new(), address });
    let mut seen = HashSet::new();
    stranger.into_iter().chain(known).filter(|candidate| seen.insert(candidate.address.clone())).collect()
}

/// Whether the person behind an address may be asked now.
pub(crate) fn verdict(state: RecipientState, now: DateTime<Utc>) -> Verdict {
    if state.opted_out_at.is_some() {
        return Verdict::OptedOut;
    }
    match state.last_asked_at.map(|asked_at| asked_at + FATIGUE) {
        Some(free_at) if free_at > now => Verdict::Fatigued { free_at },
        _ => Verdict::Ask,
    }
}

/// The candidates in their order with the verdict on each, up to the last that is to be asked: at most `most` of them.
pub(crate) fn choose(
    candidates: Vec<Candidate>,
    states: &HashMap<String, RecipientState>,
    most: u32,
    now: DateTime<Utc>,
) -> Vec<(Candidate, Verdict)> {
    let mut asked = 0;
    let mut chosen = Vec::new();
    for candidate in candidates {
        if asked == most {
            break;
        }
        let state = states.get(&candidate.address).copied().unwrap_or_default();
        let verdict = verdict(state, now);
        asked += u32::from(verdict == Verdict::Ask);
        chosen.push((candidate, verdict));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use mainstay_domain::{AccountId, Contact};
    use proptest::prelude::*;

    use super::*;

    fn contact(id: &str, email: &str, champion: bool) -> Contact {
        Contact {
            id: id.to_owned(),
            display_name: id.to_uppercase(),
            email: email.to_owned(),
            title: String::new(),
            champion,
            language_code: String::new(),
        }
    }

    fn account(contacts: Vec<Contact>) -> Account {
        Account { contacts, ..Account::unknown(AccountId::parse("acme").expect("an id")) }
    }

    fn ids(candidates: &[Candidate]) -> Vec<&str> {
        candidates.iter().map(|candidate| candidate.contact_id.as_str()).collect()
    }

    #[test]
    fn the_order_is_whom_it_is_about_then_champions_then_ids() {
        let acme = account(vec![
            contact("d", "D@acme.example", false),
            contact("c", "c@acme.example", true),
            contact("b", " ", true),
            contact("a", "a@acme.example", false),
            contact("z", "C@ACME.example", true),
        ]);
        assert_eq!(ids(&candidates(&acme, None)), ["c", "a", "d"]);
        assert_eq!(ids(&candidates(&acme, Some("d@ACME.example "))), ["d", "c", "a"]);
        assert_eq!(ids(&candidates(&acme, Some("new@acme.example"))), ["new@acme.example", "c", "a", "d"]);
        assert_eq!(ids(&candidates(&account(Vec::new()), Some(""))), Vec::<&str>::new());
    }

    #[test]
    fn a_contact_is_free_exactly_30_days_after_being_asked() {
        let asked_at: DateTime<Utc> = "2026-01-01T09:00:00Z".parse().expect("a time");
        let state = RecipientState { last_asked_at: Some(asked_at), opted_out_at: None };
        let free_at = asked_at + TimeDelta::days(30);
        assert_eq!(verdict(state, free_at - TimeDelta::microseconds(1)), Verdict::Fatigued { free_at });
        assert_eq!(verdict(state, free_at), Verdict::Ask);
        let opted_out = RecipientState { opted_out_at: Some(asked_at), ..state };
        assert_eq!(verdict(opted_out, free_at), Verdict::OptedOut);
    }

    proptest! {
        #[test]
        fn one_who_cannot_be_asked_makes_room_for_the_next(
            asked_days_ago in proptest::collection::vec(proptest::option::of(0i64..60), 0..12), most in 1u32..5,
        ) {
            let now: DateTime<Utc> = "2026-06-01T00:00:00Z".parse().expect("a time");
            let mut states = HashMap::new();
            let mut contacts = Vec::new();
            for (place, days) in asked_days_ago.iter().enumerate() {
                let address = format!("{place:02}@acme.example");
                contacts.push(contact(&format!("{place:02}"), &address, false));
                let last_asked_at = days.map(|days| now - TimeDelta::days(days));
                states.insert(address, RecipientState { last_asked_at, opted_out_at: None });
            }
            let free = asked_days_ago.iter().filter(|days| days.is_none_or(|days| days >= 30)).count();
            let chosen = choose(candidates(&account(contacts), None), &states, most, now);
            let asked = chosen.iter().filter(|(_, verdict)| *verdict == Verdict::Ask).count();
            prop_assert_eq!(asked, free.min(most as usize));
            prop_assert!(asked < most as usize || chosen.last().is_some_and(|(_, verdict)| *verdict == Verdict::Ask));
        }
    }
}
