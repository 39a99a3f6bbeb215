//! Which crate builds on which.

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::Violation;
use crate::files::TextFile;

/// Crates that read, write or wait.
const INPUT_OUTPUT: [&str; 10] =
    ["axum", "hyper", "mainstay-api", "prost", "reqwest", "sqlx", "tokio", "tonic", "tower", "tracing"];

/// A manifest and what it builds on.
#[derive(Debug)]
pub struct Manifest {
    path: String,
    text: String,
    table: Table,
}

impl Manifest {
    /// Reads a `Cargo.toml`.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn parse(file: &TextFile) -> Result<Self> {
        let table = file.text.parse().with_context(|| file.path.clone())?;
        Ok(Self { path: file.path.clone(), text: file.text.clone(), table })
    }

    /// The names of all crates that it builds on, also for tests and for some systems only.
    pub fn dependencies(&self) -> Vec<&str> {
        let mut names = Vec::new();
        collect(&self.table, &mut names);
        names
    }

    /// Services are alone: this manifest names none of these services' crates.
    pub fn check_names_none_of(&self, services: &[String]) -> Vec<Violation> {
        let service_of = |name: &str| services.iter().any(|service| name == format!("mainstay-{service}"));
        let foreign = self.dependencies().into_iter().filter(|name| service_of(name));
        foreign.map(|name| self.violation(name, "a service is asked by RPC, never linked")).collect()
    }

    /// A pure crate's manifest names nothing that does input or output.
    pub fn check_pure(&self) -> Vec<Violation> {
        let impure = self.dependencies().into_iter().filter(|name| INPUT_OUTPUT.contains(name));
        impure.map(|name| self.violation(name, "this crate is pure")).collect()
    }

    fn violation(&self, name: &str, why: &str) -> Violation {
        let line = self.text.lines().position(|line| line.starts_with(name)).map_or(1, |index| index + 1);
        Violation::new(&self.path, line, format!("`{name}`: {why}"))
    }
}

fn collect<'a>(table: &'a Table, names: &mut Vec<&'a str>) {
    for (key, value) in table {
        let Value::Table(inner) = value else { continue };
        if key.ends_with("dependencies") {
            names.extend(inner.keys().map(String::as_str));
        } else {
            collect(inner, names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse(&TextFile { path: "services/surveys/Cargo.toml".into(), text: text.into() }).expect("TOML")
    }

    #[test]
    fn a_service_does_not_build_on_another() {
        let services = ["scoring".to_owned()];
        for section in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            let bad = manifest(&format!("[{section}]\nmainstay-scoring.workspace = true\n"));
            assert_eq!(bad.check_names_none_of(&services).iter().map(|found| found.line).collect::<Vec<_>>(), [2]);
        }
        assert_eq!(manifest("[dependencies]\nmainstay-rpc.workspace = true\n").check_names_none_of(&services), []);
    }

    #[test]
    fn a_pure_crate_builds_on_nothing_that_reads_or_writes() {
        assert_eq!(manifest("[dependencies]\ntokio.workspace = true\nuuid.workspace = true").check_pure().len(), 1);
    }
}
