//! The way of an opportunity: what moves it, and what keeps it where it is.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{AccountId, Money};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::checklist::{ChecklistItem, StagePolicies, StagePolicy};
use super::condition::Suppression;
use super::criteria::Criterion;
use super::plan::PlanId;
use super::stage::Stage;

/// The furthest that an opportunity is put off.
pub const POSTPONED_DAYS_MAX: i64 = 730;

/// The name of an opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpportunityName {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: Uuid,
}

impl OpportunityName {
    /// Reads `accounts/{account}/opportunities/{opportunity}`.
    ///
    /// # Errors
    /// A sentence that says what it should be.
    pub fn parse(name: &str) -> Result<Self, String> {
        let wrong = || "must be `accounts/{account}/opportunities/` followed by the UUID of the opportunity".to_owned();
        let (account, id) = name.split_once("/opportunities/").ok_or_else(wrong)?;
        let id = Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id).ok_or_else(wrong)?;
        Ok(Self { account: AccountId::parse_name(account).map_err(|error| error.to_string())?, id })
    }

    /// The resource name.
    pub fn name(&self) -> String {
        format!("{}/opportunities/{}", self.account.name(), self.id)
    }
}

/// Who works on an opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerChoice {
    /// Mail address; never empty.
    pub email: String,
    /// Whether nobody was named, so that it is the default.
    pub is_fallback: bool,
}

/// A hold, during which the clock stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What was left of the stage's time; below 0 when it was overdue.
    pub left: TimeDelta,
}

/// A hand-over to sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who took it.
    pub to_email: String,
    /// Whose it was.
    pub from_email: String,
    /// Who handed it over.
    pub by: String,
    /// What to know.
    pub note: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why an opportunity was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LostReason {
    /// No money for it.
    Budget,
    /// Not worth its price.
    Price,
    /// Not needed.
    NoNeed,
    /// Took something of somebody else.
    Competitor,
    /// Nobody answered.
    NoAnswer,
    /// The customer left.
    Churned,
    /// The note says what.
    Other,
}

/// A chance that somebody works on.
///
/// While it is open it has an owner, and a due time unless it is on hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Opportunity {
    /// Which.
    pub name: OpportunityName,
    /// What it is about.
    pub metric: String,
    /// Where it stands.
    pub stage: Stage,
    /// While it is postponed: the stage in which it goes on, and when.
    pub postponed: Option<(Stage, DateTime<Utc>)>,
    /// Who works on it.
    pub owner: OwnerChoice,
    /// The plan that the account is on.
    pub current_plan: Option<PlanId>,
    /// The plan to sell.
    pub target_plan: Option<PlanId>,
    /// How much more a year.
    pub expected_gain: Option<Money>,
    /// What is to be done in its stage.
    pub checklist: Vec<ChecklistItem>,
    /// When its stage is due, or when it goes on; none while on hold, and once closed.
    pub due_at: Option<DateTime<Utc>>,
    /// Since when it is overdue.
    pub overdue_at: Option<DateTime<Utc>>,
    /// While it is on hold: since when.
    pub hold: Option<Hold>,
    /// What keeps it on hold.
    pub holds: Vec<Suppression>,
    /// Its hand-over to sales.
    pub hand_over: Option<HandOver>,
    /// Why it was lost.
    pub lost_reason: Option<LostReason>,
    /// More on why it was lost or postponed.
    pub note: String,
    /// What was agreed on.
    pub won_amount: Option<Money>,
    /// The criteria when it was opened.
    pub criteria: Vec<Criterion>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it came into its stage.
    pub stage_at: DateTime<Utc>,
    /// When it was won or lost.
    pub closed_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub version: i64,
}

/// One thing that is missing for a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// A word for programs: `STAGE`, `CHECKLIST`, `SUPPRESSED`.
    pub kind: &'static str,
    /// What is to be done about it.
    pub text: String,
}

/// A move that is not allowed, with everything that is missing for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRefused(pub Vec<Missing>);

impl MoveRefused {
    fn stage(text: impl Into<String>) -> Self {
        Self(vec![Missing { kind: "STAGE", text: text.into() }])
    }
}

/// Which opportunities to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpportunityFilter {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only in these stages; empty: all open ones.
    pub stages: Vec<Stage>,
    /// Only of this owner.
    pub owner_email: Option<String>,
    /// Only overdue ones.
    pub overdue_only: bool,
    /// Only those on hold.
    pub held_only: bool,
}

/// Where a page of opportunities begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpportunityCursor {
    /// Whether the last one was closed.
    pub closed: bool,
    /// When the last one was due.
    pub due_at: Option<DateTime<Utc>>,
    /// The last one's account.
    pub account_id: String,
    /// The last one.
    pub opportunity_id: Uuid,
}

impl Opportunity {
    /// Whether somebody works on it, now or later.
    pub const fn is_open(&self) -> bool {
        !self.stage.is_closed()
    }

    /// Comes into a stage, with what is to be done in it.
    fn enter(&mut self, policy: StagePolicy, now: DateTime<Utc>) {
        self.stage = policy.stage;
        self.stage_at = now;
        self.checklist = policy.items;
        self.start_clock(policy.due_days, now);
    }

    fn start_clock(&mut self, due_days: i32, now: DateTime<Utc>) {
        let time = TimeDelta::days(due_days.into());
        self.overdue_at = None;
        match &mut self.hold {
            Some(hold) => hold.left = time,
            None => self.due_at = Some(now + time),
        }
    }

    fn close(&mut self, stage: Stage, now: DateTime<Utc>) {
        self.stage = stage;
        self.stage_at = now;
        self.postponed = None;
        self.checklist = Vec::new();
        self.due_at = None;
        self.overdue_at = None;
        self.hold = None;
        self.holds = Vec::new();
        self.closed_at = Some(now);
    }

    /// What is missing for its stage to be left forwards.
    fn missing(&self) -> Vec<Missing> {
        let open_items = self.checklist.iter().filter(|item| item.required && item.done.is_none());
        let mut missing: Vec<Missing> = open_items
            .map(|item| Missing { kind: "CHECKLIST", text: format!("`{}`: {}", item.id, item.text) })
            .collect();
        missing.extend(self.holds.iter().map(|hold| Missing {
            kind: "SUPPRESSED",
            text: format!("the account has {} ({}): wait until that ends", hold.reason.words(), hold.reference),
        }));
        missing
    }

    fn require_open(&self) -> Result<(), MoveRefused> {
        if self.is_open() {
            return Ok(());
        }
        Err(MoveRefused::stage(format!("it is {}: closed opportunities do not change", self.stage.words())))
    }

    /// Comes into the next stage, which must be `to` if that is given; gives the stage before.
    ///
    /// # Errors
    /// What is missing.
    pub fn advance(
        &mut self,
        to: Option<Stage>,
        policies: &StagePolicies,
        now: DateTime<Utc>,
    ) -> Result<Stage, MoveRefused> {
        self.require_open()?;
        let Some(next) = self.stage.next() else {
            let how = match self.stage {
                Stage::Postponed => "it is postponed: resume it first",
                _ => "closing is the last stage: it is won or lost from there",
            };
            return Err(MoveRefused::stage(how));
        };
        let mut missing = self.missing();
        if to.is_some_and(|to| to != next) {
            missing.insert(
                0,
                Missing { kind: "STAGE", text: format!("the stage after {} is {}", self.stage.words(), next.words()) },
            );
        }
        if !missing.is_empty() {
            return Err(MoveRefused(missing));
        }
        let before = self.stage;
        self.enter(policies.of(next), now);
        Ok(before)
    }

    /// Is won; gives the stage before.
    ///
    /// # Errors
    /// What is missing.
    pub fn win(&mut self, amount: Option<Money>, now: DateTime<Utc>) -> Result<Stage, MoveRefused> {
        self.require_open()?;
        let mut missing = self.missing();
        if self.stage != Stage::Closing {
            let text = format!("it is in the stage {}: it is won from closing", self.stage.words());
            missing.insert(0, Missing { kind: "STAGE", text });
        }
        if !missing.is_empty() {
            return Err(MoveRefused(missing));
        }
        self.won_amount = amount;
        self.close(Stage::Won, now);
        Ok(Stage::Closing)
    }

    /// Is lost; gives the stage before, in which it goes on no more.
    ///
    /// # Errors
    /// When it is closed.
    pub fn lose(&mut self, reason: LostReason, note: &str, now: DateTime<Utc>) -> Result<Stage, MoveRefused> {
        self.require_open()?;
        let before = self.postponed.map_or(self.stage, |(stage, _)| stage);
        self.lost_reason = Some(reason);
        note.clone_into(&mut self.note);
        self.close(Stage::Lost, now);
        Ok(before)
    }

    /// Is put off until a time; gives the stage before. Of one that is put off already the time changes.
    ///
    /// # Errors
    /// When it is closed.
    pub fn postpone(&mut self, until: DateTime<Utc>, note: &str, now: DateTime<Utc>) -> Result<Stage, MoveRefused> {
        self.require_open()?;
        let stage = self.postponed.map_or(self.stage, |(stage, _)| stage);
        if self.stage != Stage::Postponed {
            self.stage_at = now;
        }
        self.stage = Stage::Postponed;
        self.postponed = Some((stage, until));
        self.overdue_at = None;
        note.clone_into(&mut self.note);
        if self.hold.is_none() {
            self.due_at = Some(until);
        }
        Ok(stage)
    }

    /// Goes on where it was put off, with the checklist as it was and the stage's whole time; gives the stage.
    ///
    /// # Errors
    /// When it is not put off.
    pub fn resume(&mut self, policies: &StagePolicies, now: DateTime<Utc>) -> Result<Stage, MoveRefused> {
        let Some((stage, _)) = self.postponed.take() else {
            return Err(MoveRefused::stage(format!("it is in the stage {} and not postponed", self.stage.words())));
        };
        self.stage = stage;
        self.stage_at = now;
        self.note.clear();
        self.start_clock(policies.of(stage).due_days, now);
        Ok(stage)
    }

    /// Is on hold for these reasons, or goes on when there are none; says whether that is new.
    pub fn hold_for(&mut self, reasons: &[Suppression], now: DateTime<Utc>) -> bool {
        if !self.is_open() || self.holds == reasons {
            return false;
        }
        self.holds = reasons.to_vec();
        match (self.hold, reasons.is_empty()) {
            (None, false) => {
                let left = self.due_at.map_or(TimeDelta::zero(), |due_at| due_at - now);
                self.hold = Some(Hold { since: now, left });
                self.due_at = None;
            }
            (Some(hold), true) => {
                self.hold = None;
                // What was put off until a day keeps its day; the time to work on a stage stood still.
                self.due_at = Some(self.postponed.map_or(now + hold.left, |(_, until)| until));
            }
            (None, true) | (Some(_), false) => {}
        }
        true
    }

    /// Is overdue, if its due time has come and that was not said yet.
    pub fn fall_due(&mut self, now: DateTime<Utc>) -> bool {
        let is_late = self.stage != Stage::Postponed && self.due_at.is_some_and(|due_at| due_at <= now);
        if !is_late || self.overdue_at.is_some() {
            return false;
        }
        self.overdue_at = self.due_at;
        true
    }

    /// When its clock does something next.
    pub fn next_alarm(&self) -> Option<DateTime<Utc>> {
        self.due_at.filter(|_| self.overdue_at.is_none())
    }

    /// Passes to sales.
    ///
    /// # Errors
    /// When it is closed.
    pub fn hand_over(&mut self, to_email: &str, by: &str, note: &str, now: DateTime<Utc>) -> Result<(), MoveRefused> {
        self.require_open()?;
        self.hand_over = Some(HandOver {
            to_email: to_email.to_owned(),
            from_email: self.owner.email.clone(),
            by: by.to_owned(),
            note: note.to_owned(),
            at: now,
        });
        self.owner = OwnerChoice { email: to_email.to_owned(), is_fallback: false };
        Ok(())
    }

    /// Marks an item; false when the stage has no such item.
    ///
    /// # Errors
    /// When it is closed.
    pub fn mark(
        &mut self,
        item_id: &str,
        done: Option<(DateTime<Utc>, String)>,
        note: &str,
    ) -> Result<bool, MoveRefused> {
        self.require_open()?;
        let Some(item) = self.checklist.iter_mut().find(|item| item.id == item_id) else { return Ok(false) };
        item.done = done;
        note.clone_into(&mut item.note);
        Ok(true)
    }

    /// Takes other facts.
    ///
    /// # Errors
    /// When it is closed.
    pub fn may_change(&self) -> Result<(), MoveRefused> {
        self.require_open()
    }

    /// A new one, in its first stage.
    pub fn open(
        name: OpportunityName,
        metric: &str,
        owner: OwnerChoice,
        policy: StagePolicy,
        now: DateTime<Utc>,
    ) -> Self {
        let mut opportunity = Self {
            name,
            metric: metric.to_owned(),
            stage: Stage::Identified,
            postponed: None,
            owner,
            current_plan: None,
            target_plan: None,
            expected_gain: None,
            checklist: Vec::new(),
            due_at: None,
            overdue_at: None,
            hold: None,
            holds: Vec::new(),
            hand_over: None,
            lost_reason: None,
            note: String::new(),
            won_amount: None,
            criteria: Vec::new(),
            created_at: now,
            stage_at: now,
            closed_at: None,
            version: 1,
        };
        opportunity.enter(policy, now);
        opportunity
    }
}

#[cfg(test)]
#[path = "opportunity_tests.rs"]
mod tests;
