//! What long-running operations do.

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationKind {
    /// Scores all accounts again.
    Recompute,
    /// Says how well a model would have found those who left.
    Backtest,
    /// Learns a forecast from those who left and those who stayed.
    Training,
}
