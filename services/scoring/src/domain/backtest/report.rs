//! What a backtest found.

use mainstay_domain::{Band, Interval, Proportion};
use mainstay_statistics::classification::{AucDifference, ReliabilityBin, Selection};
use mainstay_statistics::lead_time::LeadTimes;

/// What a backtest found. An account-day is an account as of the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestReport {
    /// Accounts that were looked at on some day.
    pub account_count: usize,
    /// Of these, how many left within the horizon of some day.
    pub left_account_count: usize,
    /// Accounts left out, as nobody knows when they left.
    pub unknown_account_count: usize,
    /// The model that was tried.
    pub trial: ModelTrial,
    /// The model that scored. Absent: it gave a score to too few who left, or stayed.
    pub base: Option<ModelTrial>,
    /// Both, where both gave a score. Absent: these have too few who left, or stayed.
    pub comparison: Option<TrialComparison>,
    /// Each measure of the model that was tried alone, the best first.
    pub measures: Vec<MeasureTrial>,
    /// What to keep in mind when reading the figures, as sentences.
    pub notes: Vec<String>,
}

/// How well a model found those who left.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTrial {
    /// Of the account-days with a score, those that were followed by leaving.
    pub outcomes: Proportion,
    /// Account-days without a score.
    pub unscored_count: usize,
    /// How likely who left had the lower score.
    pub auc: Area,
    /// What the cuts find.
    pub cuts: Vec<(CutKind, Selection)>,
    /// Who left by band, the worst first.
    pub bands: Vec<(Band, Proportion)>,
    /// Who left by tenth of the scores, the lowest first.
    pub tenths: Vec<ScoreTenth>,
    /// How right chances made of scores are, or why there are none.
    pub calibration: Result<Calibration, String>,
    /// How early those who left were at risk.
    pub lead_times: LeadTimes,
}

/// The area under the ROC curve with its 95 % interval, by the bootstrap over accounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// The area, 0 to 1; 0.5 is chance.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
}

/// Which account-days a cut selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// Those below the model's critical cut.
    Critical,
    /// Those below the model's at-risk cut, critical ones too.
    AtRisk,
    /// The tenth with the lowest scores.
    LowestTenth,
}

/// Who left in a tenth of the scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreTenth {
    /// Mean score, 0 to 100.
    pub mean_score: f64,
    /// Those who left.
    pub left: Proportion,
}

/// How right scores are as chances, after a logistic regression on them was fitted to earlier days.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Days that were learnt from.
    pub fitted_day_count: usize,
    /// Account-days it was tried on, and who left.
    pub tried: Proportion,
    /// Mean square of chance less outcome.
    pub brier: f64,
    /// The same of always saying the share of the days that were learnt from.
    pub brier_of_share: f64,
    /// What was forecast and what happened.
    pub bins: Vec<ReliabilityBin>,
}

/// Both models on the account-days to which both gave a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialComparison {
    /// These, and those followed by leaving.
    pub outcomes: Proportion,
    /// The areas, that of the model that was tried first.
    pub areas: AucDifference,
}

/// What a measure says alone, by its points.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureTrial {
    /// Its id.
    pub measure: String,
    /// What people call it.
    pub display_name: String,
    /// Its component's id.
    pub component: String,
    /// Account-days on which it had points, and those followed by leaving.
    pub outcomes: Proportion,
    /// How well it orders them. Absent: too few who left, or stayed, had points.
    pub auc: Option<Area>,
    /// How early its points were below the model's at-risk cut.
    pub lead_times: LeadTimes,
}

/// In which band an account is by each model; none without a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BandMove {
    /// By the model that scores.
    pub base: Option<Band>,
    /// By the model that was tried.
    pub trial: Option<Band>,
}

impl BandMove {
    /// Whether the bands differ.
    pub fn is_change(&self) -> bool {
        self.base != self.trial
    }
}
