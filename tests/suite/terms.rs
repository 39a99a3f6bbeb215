//! Terms that services judge by have one value, in `crates/domain`, which scoring tells as definitions.

use std::collections::BTreeSet;

use mainstay_suite::files;
use mainstay_suite::source::Source;

/// Each constant of a term, with the services that the registry (`services/scoring/src/domain/definitions.rs`) says to judge by it.
const TERMS: [(&str, &[&str]); 15] = [
    ("RECOVERED_ABOVE", &["interventions", "scoring"]),
    ("BIG_CHANGE_ABOVE", &["scoring"]),
    ("BIG_CHANGE_ENDS_AT", &["scoring"]),
    ("BIG_CHANGE_DAYS", &["scoring"]),
    ("HYSTERESIS", &["scoring"]),
    ("INACTIVE_DAYS_MIN", &["scoring"]),
    ("NPS_SCORE_MAX", &["surveys"]),
    ("NPS_PROMOTER_MIN", &["scoring", "surveys"]),
    ("NPS_PASSIVE_MIN", &["interventions", "surveys"]),
    ("REFERENCEABLE_DAYS", &["scoring"]),
    ("FIRST_CONTACT_DAYS", &["scoring"]),
    ("NEAR_LIMIT_PERCENT", &["expansion", "scoring"]),
    ("NEAR_LIMIT_MONTHS_MIN", &["expansion", "scoring"]),
    ("LARGER_PLAN_PERCENT", &["expansion"]),
    ("LARGER_PLAN_HEALTH_ABOVE", &["expansion"]),
];

const REGISTRY: &str = "services/scoring/src/domain/definitions.rs";

#[test]
fn r83_services_judge_by_the_terms_that_the_registry_tells() {
    let declared = &files::below("crates/domain/src", "rs").expect("readable");
    let declared = declared.iter().find(|file| file.path.ends_with("/terms.rs")).expect("the terms");
    let declared: BTreeSet<&str> = declared
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .collect();
    assert_eq!(declared, TERMS.iter().map(|(name, _)| *name).collect());

    let services = files::folders("services").expect("services/ is readable");
    for (name, expected) in TERMS {
        let path = format!("mainstay_domain::{name}");
        let is_used = |folder: &str| {
            let sources = files::below(folder, "rs").expect("readable");
            let sources = sources.iter().filter(|file| file.path != REGISTRY && !file.path.ends_with("tests.rs"));
            sources
                .into_iter()
                .any(|file| Source::parse(&file.text).expect("Rust").paths.iter().any(|named| named.text == path))
        };
        let used: Vec<&str> =
            services.iter().map(String::as_str).filter(|service| is_used(&format!("services/{service}/src"))).collect();
        assert_eq!(used, expected, "services that judge by {name}");
        let registry = files::below("services/scoring/src/domain", "rs").expect("readable");
        let registry = registry.iter().find(|file| file.path == REGISTRY).expect("the registry");
        assert!(registry.text.contains(name), "the registry does not tell {name}");
    }
}

#[test]
fn r83_no_service_has_a_copy_of_a_term() {
    let copies = [
        "whole(2)",
        "whole(10)",
        "whole(15)",
        "whole(50)",
        "whole(70)",
        "whole(85)",
        "f64 = 15.0",
        "f64 = 80.0",
        "f64 = 85.0",
    ];
    for service in files::folders("services").expect("services/ is readable") {
        for file in files::below(&format!("services/{service}/src"), "rs").expect("readable") {
            let constants = file.text.lines().filter(|line| line.contains("const ") && line.contains(" = "));
            let copied: Vec<&str> = constants.filter(|line| copies.iter().any(|copy| line.contains(copy))).collect();
            assert!(copied.is_empty(), "{}: {copied:?} is a term of crates/domain/src/terms.rs", file.path);
        }
    }
}
