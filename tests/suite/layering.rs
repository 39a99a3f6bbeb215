//! The rules of the house hold in this workspace. What the rules see is tested beside them.

use anyhow::Result;
use mainstay_suite::files::{self, TextFile};
use mainstay_suite::manifests::Manifest;
use mainstay_suite::{Violation, layers, sql};

fn assert_none(violations: &[Violation]) {
    let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} broken rules:\n{}", list.len(), list.join("\n"));
}

fn services() -> Vec<String> {
    let services = files::folders("services").expect("services/ is readable");
    assert!(!services.is_empty(), "no service found");
    services
}

fn others(own: &str) -> Vec<String> {
    services().into_iter().filter(|service| service != own).collect()
}

/// What a check finds in all Rust files of these folders.
fn in_sources(folders: &[String], check: impl Fn(&TextFile) -> Result<Vec<Violation>>) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in folders {
        let sources = files::below(folder, "rs").expect("readable");
        assert!(!sources.is_empty(), "no source in {folder}");
        found.extend(sources.iter().flat_map(|file| check(file).expect("sources parse")));
    }
    found
}

fn crates() -> Vec<String> {
    files::folders("crates").expect("crates/ is readable").into_iter().map(|name| format!("crates/{name}")).collect()
}

fn manifest(folder: &str) -> Manifest {
    let files = files::below(folder, "toml").expect("readable");
    let file = files.iter().find(|file| file.path == format!("{folder}/Cargo.toml")).expect("a Cargo.toml");
    Manifest::parse(file).expect("TOML")
}

#[test]
fn layers_of_services_are_not_crossed() {
    let folders: Vec<String> = services().iter().map(|service| format!("services/{service}/src")).collect();
    assert_none(&in_sources(&folders, layers::check));
}

#[test]
fn statements_name_their_own_schema_only() {
    for service in services() {
        let storage = format!("services/{service}/src/storage");
        if files::root().join(&storage).exists() {
            assert_none(&in_sources(&[storage], |file| sql::check(file, &service, &others(&service))));
        }
    }
}

#[test]
fn migrations_stay_in_the_schema_they_are_given() {
    for service in services() {
        let migrations = format!("services/{service}/migrations");
        if files::root().join(&migrations).exists() {
            let found = files::below(&migrations, "sql").expect("readable");
            let violations: Vec<_> =
                found.iter().flat_map(|file| sql::check_migration(file, &others(&service))).collect();
            assert_none(&violations);
        }
    }
}

#[test]
fn services_are_linked_by_the_command_line_only() {
    let mut found = Vec::new();
    for service in services() {
        found.extend(manifest(&format!("services/{service}")).check_names_none_of(&others(&service)));
    }
    for folder in crates().iter().filter(|folder| *folder != "crates/cli") {
        found.extend(manifest(folder).check_names_none_of(&services()));
    }
    assert_none(&found);
}

#[test]
fn vocabulary_and_statistics_are_pure() {
    for folder in ["crates/domain", "crates/statistics"] {
        assert_none(&manifest(folder).check_pure());
        assert_none(&in_sources(&[format!("{folder}/src")], layers::check_pure));
    }
}

#[test]
fn time_comes_from_the_clock() {
    let mut folders: Vec<String> = crates().iter().map(|folder| format!("{folder}/src")).collect();
    folders.extend(services().iter().map(|service| format!("services/{service}/src")));
    assert_none(&in_sources(&folders, layers::check_time));
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for folder in ["crates", "services", "tests", "demo", "docs"] {
        for extension in ["rs", "sql", "py", "sh"] {
            let sources = files::below(folder, extension).expect("readable");
            found.extend(sources.iter().filter_map(files::check_length));
        }
    }
    assert_none(&found);
}
