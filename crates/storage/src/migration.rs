//! What a migration is.

/// One step forward of a schema. Once released, it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its place within its set: 1 and up.
    pub version: i64,
    /// What it does, in a few words joined by `_`.
    pub name: &'static str,
    /// The statements. `{schema}` stands for the schema's name.
    pub sql: &'static str,
    /// Whether it runs in a transaction together with its record. Only what cannot, as `CREATE INDEX
    /// CONCURRENTLY`, does not; it then is one statement that may run again (`IF NOT EXISTS`).
    pub transactional: bool,
}

/// The migrations of one component, such as a shared crate or a service, in the order of their versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationSet {
    /// The component's name, unique within a schema.
    pub component: &'static str,
    /// Its migrations, versions rising.
    pub migrations: &'static [Migration],
}
