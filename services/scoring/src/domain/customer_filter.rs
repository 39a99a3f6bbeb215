//! Which customers a report is of.

use mainstay_domain::Segment;

/// Which customers; all conditions given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CustomerFilter {
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// Looked after by this person, in any role.
    pub owner_email: Option<String>,
}
