//! What a migration is, and how what a program brings compares with what a database has.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::SchemaName;

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

impl Migration {
    /// The SHA-256 of the statements as written, with the placeholder in them.
    pub(crate) fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql).into()
    }

    /// The statements for one schema.
    pub(crate) fn sql_in(&self, schema: SchemaName) -> String {
        self.sql.replace("{schema}", schema.as_str())
    }

    /// Whether the statements name `identifier`.
    pub(crate) fn mentions(&self, identifier: &str) -> bool {
        self.sql
            .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_' || character == '$'))
            .any(|word| word.eq_ignore_ascii_case(identifier))
    }
}

/// A migration that the database says was applied.
#[derive(Debug, Clone)]
pub(crate) struct AppliedMigration {
    pub(crate) component: String,
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) checksum: Vec<u8>,
}

/// One to be applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingMigration {
    pub(crate) component: &'static str,
    pub(crate) migration: &'static Migration,
}

impl PendingMigration {
    /// How it is named to people.
    pub(crate) fn label(&self) -> String {
        label(self.component, self.migration.version, self.migration.name)
    }
}

/// How what a program brings differs from what a database has.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What the database lacks, in the order in which it is to be applied.
    pub(crate) pending: Vec<PendingMigration>,
    /// What the program does not know.
    pub(crate) unknown: Vec<String>,
    /// What has other content than when it was applied.
    pub(crate) changed: Vec<String>,
}

/// Compares the sets with what was applied.
pub(crate) fn compare(sets: &[&'static MigrationSet], applied: &[AppliedMigration]) -> Comparison {
    let mut unmatched: BTreeMap<(&str, i64), &AppliedMigration> =
        applied.iter().map(|migration| ((migration.component.as_str(), migration.version), migration)).collect();
    let mut comparison = Comparison::default();
    for set in sets {
        for migration in set.migrations {
            let known = PendingMigration { component: set.component, migration };
            match unmatched.remove(&(set.component, migration.version)) {
                None => comparison.pending.push(known),
                Some(found) if found.checksum != migration.checksum() => comparison.changed.push(known.label()),
                Some(_) => {}
            }
        }
    }
    comparison.unknown =
        unmatched.into_values().map(|found| label(&found.component, found.version, &found.name)).collect();
    comparison
}

/// Checks what the programmer of the sets must see to.
///
/// # Panics
/// When two sets name the same component, or a set's versions do not rise from 1 or more.
pub(crate) fn assert_sound(sets: &[&'static MigrationSet]) {
    for (index, set) in sets.iter().enumerate() {
        let is_repeated = sets[..index].iter().any(|earlier| earlier.component == set.component);
        assert!(!is_repeated, "two sets of migrations are named {}", set.component);
        let mut before = 0;
        for migration in set.migrations {
            let label = label(set.component, migration.version, migration.name);
            assert!(migration.version > before, "the version of {label} must be above {before}");
            before = migration.version;
        }
    }
}

fn label(component: &str, version: i64, name: &str) -> String {
    format!("{component}/{version}_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(version: i64, name: &'static str, sql: &'static str) -> Migration {
        Migration { version, name, sql, transactional: true }
    }

    const EVENTS: MigrationSet =
        MigrationSet { component: "events", migrations: &[step(1, "feed", "CREATE a"), step(2, "head", "CREATE b")] };
    const JOBS: MigrationSet = MigrationSet { component: "jobs", migrations: &[step(1, "jobs", "CREATE c")] };

    fn applied(component: &str, migration: &Migration) -> AppliedMigration {
        AppliedMigration {
            component: component.to_owned(),
            version: migration.version,
            name: migration.name.to_owned(),
            checksum: migration.checksum().to_vec(),
        }
    }

    #[test]
    fn what_is_missing_comes_in_the_order_of_the_sets_and_versions() {
        let comparison = compare(&[&EVENTS, &JOBS], &[applied("events", &EVENTS.migrations[0])]);
        let pending: Vec<String> = comparison.pending.iter().map(PendingMigration::label).collect();
        assert_eq!(pending, ["events/2_head", "jobs/1_jobs"]);
        assert!(comparison.unknown.is_empty() && comparison.changed.is_empty());
    }

    #[test]
    fn the_same_version_of_another_component_is_another_migration() {
        let comparison = compare(&[&EVENTS], &[applied("jobs", &JOBS.migrations[0])]);
        assert_eq!(comparison.pending.len(), 2);
        assert_eq!(comparison.unknown, ["jobs/1_jobs"]);
    }

    #[test]
    fn changed_content_is_seen() {
        let mut found = applied("jobs", &JOBS.migrations[0]);
        found.checksum[0] ^= 1;
        let comparison = compare(&[&JOBS], &[found]);
        assert_eq!(comparison.changed, ["jobs/1_jobs"]);
        assert!(comparison.pending.is_empty());
    }

    #[test]
    #[should_panic(expected = "two sets of migrations are named jobs")]
    fn a_component_has_one_set() {
        assert_sound(&[&JOBS, &EVENTS, &JOBS]);
    }

    #[test]
    #[should_panic(expected = "the version of a/1_again must be above 1")]
    fn versions_rise() {
        const SET: MigrationSet =
            MigrationSet { component: "a", migrations: &[step(1, "first", ""), step(1, "again", "")] };
        assert_sound(&[&SET]);
    }

    #[test]
    fn whole_names_are_mentioned() {
        let migration = step(1, "i", "CREATE INDEX CONCURRENTLY IF NOT EXISTS feed_by_time ON {schema}.feed (time)");
        assert!(migration.mentions("feed_by_time"));
        assert!(!migration.mentions("feed_by"));
    }
}
