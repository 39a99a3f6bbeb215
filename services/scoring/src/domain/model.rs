//! What a health model is, before and after its check.

use mainstay_domain::{BandCuts, ModelId, Violations};
use serde::{Deserialize, Serialize};

use super::account_group::AccountGroupKind;
use super::curve::{Curve, CurvePoint};
use super::model_check;
use super::story_series::StorySeries;

/// How old a measure's newest data may be when its model does not say, in days.
pub const DEFAULT_FRESHNESS_LIMIT_DAYS: i32 = 45;

/// A weighted component model that was checked: each of its weights is finite
/// and not negative, each group of weights adds up to more than 0, ids are
/// distinct, and each aggregation fits its input.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthModel {
    /// Its id.
    pub id: ModelId,
    /// What people call it.
    pub display_name: String,
    /// What it is for and where its numbers come from.
    pub description: String,
    /// Its components, 1 to 20.
    pub components: Vec<Component>,
    /// The cuts between the bands.
    pub band_cuts: BandCuts,
}

/// A side of an account's health.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its id, unique in the model.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Its share of the score relative to the other components.
    pub weight: f64,
    /// Why it is there.
    pub rationale: String,
    /// Its measures, 1 to 20.
    pub measures: Vec<Measure>,
}

/// One figure about an account and what it is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Its id, unique in the model.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Its share of the component relative to the other measures.
    pub weight: f64,
    /// Why it is there.
    pub rationale: String,
    /// What is measured.
    pub input: Input,
    /// How many days count.
    pub window: Window,
    /// How the window becomes a number.
    pub aggregation: Aggregation,
    /// What the number is compared with.
    pub comparison: Comparison,
    /// From the number to points.
    pub curve: Curve,
    /// How old the newest data may be, in days.
    pub freshness_limit_days: i32,
}

/// What a measure looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A usage count or a gauge, by its metric.
    Metric(String),
    /// One feature, by its name.
    Feature(String),
    /// All features.
    AnyFeature,
    /// All users' activities.
    AnyUser,
    /// What tickets, invoices and disputes add up to.
    Story(StorySeries),
}

/// The days that a measure looks at; the last is the day of the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// So many days, the day of the score included: 1 to 730.
    Days(i32),
    /// All days since the account's first signal.
    Lifetime,
}

/// How a window becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Sum over the window; not of gauges.
    Sum,
    /// Mean per day of the window, days without a signal as 0; not of gauges.
    MeanPerDay,
    /// Number of days with a signal.
    ActiveDays,
    /// Number of distinct users or features seen.
    Distinct,
    /// Newest level within the window, of gauges; how many last at the end of the day, of what is open.
    Last,
    /// Largest value of a day.
    Max,
    /// Mean of the figures within the window; of figures only.
    Mean,
    /// The newest day's figure within the window, drawn to the middle of its scale in proportion to its age; of figures with a scale
    /// only.
    FadedLast,
    /// Days from the newest signal within the window to the day of the score.
    /// Where it happened before, but not within the window, the account was
    /// silent for the whole window: the window's length. Of what never happened
    /// nothing is known: nobody may have asked.
    DaysSinceLast,
    /// Days from the first signal within the window to the day of the score.
    /// Where it happened before, but not within the window: 0. Of what never
    /// happened nothing is known.
    DaysSinceFirst,
    /// Newest level within the window divided by the plan limit of the metric; of gauges only.
    LastOfLimit,
}

/// What a number is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Nothing: the number itself.
    #[default]
    None,
    /// The same number of the window just before.
    EarlierWindow,
    /// The median of the account's segment on the day before.
    SegmentMedian,
    /// Where the account stands in its segment, as of the day before.
    SegmentRank,
    /// The median of the account's industry on the day before.
    IndustryMedian,
    /// Where the account stands in its industry, as of the day before.
    IndustryRank,
    /// The median of the accounts on the same plan on the day before.
    PlanMedian,
    /// Where the account stands among those on the same plan, as of the day before.
    PlanRank,
}

/// How a number is compared with those of other accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStatistic {
    /// Divided by their median.
    Median,
    /// By its rank among them.
    Rank,
}

impl Comparison {
    /// Which accounts a number is compared with, and how; none: not with other accounts.
    pub const fn with_group(self) -> Option<(AccountGroupKind, GroupStatistic)> {
        match self {
            Self::None | Self::EarlierWindow => None,
            Self::SegmentMedian => Some((AccountGroupKind::Segment, GroupStatistic::Median)),
            Self::SegmentRank => Some((AccountGroupKind::Segment, GroupStatistic::Rank)),
            Self::IndustryMedian => Some((AccountGroupKind::Industry, GroupStatistic::Median)),
            Self::IndustryRank => Some((AccountGroupKind::Industry, GroupStatistic::Rank)),
            Self::PlanMedian => Some((AccountGroupKind::Plan, GroupStatistic::Median)),
            Self::PlanRank => Some((AccountGroupKind::Plan, GroupStatistic::Rank)),
        }
    }

    /// Whether the number is divided by another.
    pub const fn divides(self) -> bool {
        matches!(self, Self::EarlierWindow) || matches!(self.with_group(), Some((_, GroupStatistic::Median)))
    }
}

/// A model as it came in, not checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelDraft {
    /// `models/{model}`.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Its components.
    pub components: Vec<ComponentDraft>,
    /// The cuts between the bands. Absent: the default ones.
    pub band_cuts: Option<BandCutsDraft>,
}

/// The cuts between the bands as they came in, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandCutsDraft {
    /// Below it: critical.
    pub critical_below: f64,
    /// Below it, and not critical: at risk.
    pub at_risk_below: f64,
    /// Above it: healthy.
    pub healthy_above: f64,
}

/// A component as it came in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComponentDraft {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Its weight.
    pub weight: f64,
    /// Why it is there.
    pub rationale: String,
    /// Its measures.
    pub measures: Vec<MeasureDraft>,
}

/// A measure as it came in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeasureDraft {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Its weight.
    pub weight: f64,
    /// Why it is there.
    pub rationale: String,
    /// What is measured. Absent: not said, which is a fault.
    pub input: Option<Input>,
    /// How many days; 0: lifetime.
    pub window_days: i32,
    /// How the window becomes a number. Absent: not said or not known, which is a fault.
    pub aggregation: Option<Aggregation>,
    /// What the number is compared with. Absent: nobody knows this comparison, which is a fault.
    pub comparison: Option<Comparison>,
    /// The corners of the curve.
    pub curve: Vec<CurvePoint>,
    /// How old the newest data may be, in days; 0: the default.
    pub freshness_limit_days: i32,
}

impl HealthModel {
    /// Whether a measure is compared with those of other accounts.
    pub fn compares_accounts(&self) -> bool {
        self.measures().any(|(_, measure)| measure.comparison.with_group().is_some())
    }

    /// Checks a model. The faults name every offending field by its path in
    /// the proto, for example `components[2].measures[0].curve[3].x`.
    pub fn from_draft(draft: ModelDraft) -> Result<Self, Violations> {
        model_check::check(draft)
    }

    /// The model as it would come in.
    pub fn to_draft(&self) -> ModelDraft {
        ModelDraft {
            name: self.id.name(),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            components: self.components.iter().map(Component::to_draft).collect(),
            band_cuts: Some(BandCutsDraft {
                critical_below: self.band_cuts.critical_below.as_f64(),
                at_risk_below: self.band_cuts.at_risk_below.as_f64(),
                healthy_above: self.band_cuts.healthy_above.as_f64(),
            }),
        }
    }

    /// All measures with their components, in the model's order.
    pub fn measures(&self) -> impl Iterator<Item = (&Component, &Measure)> {
        self.components.iter().flat_map(|component| component.measures.iter().map(move |measure| (component, measure)))
    }
}

impl Component {
    fn to_draft(&self) -> ComponentDraft {
        ComponentDraft {
            id: self.id.clone(),
            display_name: self.display_name.clone(),
            weight: self.weight,
            rationale: self.rationale.clone(),
            measures: self.measures.iter().map(Measure::to_draft).collect(),
        }
    }
}

impl Measure {
    fn to_draft(&self) -> MeasureDraft {
        MeasureDraft {
            id: self.id.clone(),
            display_name: self.display_name.clone(),
            weight: self.weight,
            rationale: self.rationale.clone(),
            input: Some(self.input.clone()),
            window_days: match self.window {
                Window::Days(days) => days,
                Window::Lifetime => 0,
            },
            aggregation: Some(self.aggregation),
            comparison: Some(self.comparison),
            curve: self.curve.corners().to_vec(),
            freshness_limit_days: self.freshness_limit_days,
        }
    }
}
