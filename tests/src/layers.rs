//! Which layer of a service may use what; see `docs/architecture.md`.

use anyhow::{Context, Result};

use crate::Violation;
use crate::files::TextFile;
use crate::source::{Named, Source};

/// What a layer must not name.
struct Layer {
    name: &'static str,
    crates: &'static [&'static str],
    layers: &'static [&'static str],
    why: &'static str,
}

const LAYERS: [Layer; 8] = [
    Layer {
        name: "domain",
        crates: &[
            "axum",
            "hyper",
            "mainstay_api",
            "mainstay_clients",
            "mainstay_events",
            "mainstay_jobs",
            "mainstay_rpc",
            "mainstay_service",
            "mainstay_storage",
            "prost",
            "prost_types",
            "sqlx",
            "tokio",
            "tonic",
        ],
        layers: &["grpc", "convert", "app", "storage", "jobs", "page", "webhooks"],
        why: "the domain is arithmetic and rules, without input and output",
    },
    Layer {
        name: "storage",
        crates: &["mainstay_api", "mainstay_rpc", "mainstay_service", "prost", "tonic"],
        layers: &["grpc", "convert", "app", "jobs", "page", "webhooks"],
        why: "rows become the domain's types and nothing else",
    },
    Layer {
        name: "app",
        crates: &["axum", "hyper", "tonic"],
        layers: &["grpc", "jobs", "webhooks"],
        why: "a use case does not know who calls it",
    },
    Layer {
        name: "convert",
        crates: &["sqlx"],
        layers: &["grpc", "jobs", "storage", "webhooks"],
        why: "it turns messages into the domain's types and back",
    },
    Layer { name: "jobs", crates: &["tonic"], layers: &["grpc", "webhooks"], why: "jobs call use cases, as RPCs do" },
    Layer {
        name: "page",
        crates: &["sqlx", "tonic"],
        layers: &["convert", "grpc", "jobs", "storage", "webhooks"],
        why: "pages call use cases, as RPCs do",
    },
    Layer {
        name: "webhooks",
        crates: &["sqlx", "tonic"],
        layers: &["grpc", "jobs", "storage"],
        why: "webhooks call use cases, as RPCs do",
    },
    Layer {
        name: "grpc",
        crates: &["sqlx"],
        layers: &["jobs", "storage"],
        why: "RPCs call use cases, which ask the storage",
    },
];

/// What reads the machine's clock.
const AMBIENT_TIME: [&str; 3] = ["Utc::now", "Local::now", "SystemTime::now"];
const CLOCK: &str = "crates/domain/src/clock.rs";

/// Checks one file of a service's `src/`: its layer's rules, and that SQL is in the storage only.
pub fn check(file: &TextFile) -> Result<Vec<Violation>> {
    let source = Source::parse(&file.text).with_context(|| file.path.clone())?;
    let modules = modules_of(&file.path);
    let own = modules.first().copied().unwrap_or_default();
    let layer = LAYERS.iter().find(|layer| layer.name == own);
    let mut found = Vec::new();
    for path in &source.paths {
        if let Some(layer) = layer {
            found.extend(check_path(layer, &modules, path).map(|text| Violation::new(&file.path, path.line, text)));
        }
        if own != "storage" && is_query(&path.text) {
            let message = format!("`{}` outside `storage`, the only place with SQL", path.text);
            found.push(Violation::new(&file.path, path.line, message));
        }
    }
    Ok(found)
}

/// Checks that a file takes the time from `Clock`.
pub fn check_time(file: &TextFile) -> Result<Vec<Violation>> {
    if file.path == CLOCK {
        return Ok(Vec::new());
    }
    let source = Source::parse(&file.text).with_context(|| file.path.clone())?;
    let ambient =
        |text: &str| AMBIENT_TIME.iter().any(|ambient| text == *ambient || text.ends_with(&format!("::{ambient}")));
    let paths = source.paths.iter().filter(|path| ambient(&path.text));
    Ok(paths
        .map(|path| Violation::new(&file.path, path.line, format!("`{}`: time comes from `Clock`", path.text)))
        .collect())
}

/// Checks that a file of a pure crate reads and writes nothing.
pub fn check_pure(file: &TextFile) -> Result<Vec<Violation>> {
    let source = Source::parse(&file.text).with_context(|| file.path.clone())?;
    let outside = ["std::fs", "std::net", "std::process", "std::env"];
    let paths = source.paths.iter().filter(|path| outside.iter().any(|module| starts_with(&path.text, module)));
    Ok(paths.map(|path| Violation::new(&file.path, path.line, format!("`{}` in a pure crate", path.text))).collect())
}

fn check_path(layer: &Layer, modules: &[&str], path: &Named) -> Option<String> {
    let mut parts = path.text.split("::");
    let first = parts.next()?;
    if layer.crates.contains(&first) {
        return Some(format!("`{}` in `{}`: {}", path.text, layer.name, layer.why));
    }
    let within = match first {
        "crate" => parts.next()?,
        "super" => {
            let others = 1 + path.text.split("::").skip(1).take_while(|part| *part == "super").count();
            // As many steps up as there are modules lead to the crate's root.
            (others >= modules.len()).then(|| path.text.split("::").nth(others))??
        }
        _ => return None,
    };
    layer.layers.contains(&within).then(|| format!("`{}` in `{}`: {}", path.text, layer.name, layer.why))
}

/// Modules of a file in a service, from its path: `services/x/src/app/mod.rs` is `app`.
fn modules_of(path: &str) -> Vec<&str> {
    let Some((_, inside)) = path.split_once("/src/") else { return Vec::new() };
    let name = inside.strip_suffix(".rs").unwrap_or(inside);
    name.split('/').filter(|part| *part != "mod").collect()
}

fn is_query(path: &str) -> bool {
    let name = path.rsplit("::").next().unwrap_or_default();
    let of_sqlx = starts_with(path, "sqlx") && (name.starts_with("query") || name == "raw_sql");
    let is_macro = name.starts_with("query") && name.ends_with('!');
    of_sqlx || is_macro || starts_with(path, "sqlx::QueryBuilder")
}

fn starts_with(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        let file = TextFile { path: format!("services/scoring/src/{path}"), text: text.into() };
        check(&file).expect("Rust").into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn the_domain_has_no_input_or_output() {
        for bad in [
            "use tokio::fs;",
            "use sqlx::PgPool;",
            "use mainstay_api::x;",
            "type A = prost::bytes::Bytes;",
            "fn f(_: tonic::Status) {}",
        ] {
            assert_eq!(found("domain/score.rs", &format!("use std::fmt;\n{bad}")), [2], "{bad}");
        }
        assert_eq!(found("domain/score.rs", "use chrono::DateTime;\nuse crate::domain::model::Model;"), []);
    }

    #[test]
    fn use_cases_do_not_know_of_rpc_or_sql() {
        assert_eq!(found("app/get.rs", "use tonic::{Request, Status};"), [1, 1]);
        assert_eq!(found("app/get.rs", "use sqlx::PgConnection;\nfn f() { sqlx::query(\"SELECT 1\"); }"), [2]);
        assert_eq!(found("app/get.rs", "use crate::storage::accounts;\nuse crate::domain::x;"), []);
        assert_eq!(found("app/get.rs", "use crate::{storage, grpc::x};"), [1]);
    }

    #[test]
    fn sql_is_in_the_storage_only() {
        for bad in [
            "sqlx::query!(\"\")",
            "query_as!(A, \"\")",
            "sqlx::raw_sql(x)",
            "sqlx::QueryBuilder::new(x)",
            "sqlx::query_scalar(x)",
        ] {
            let text = format!("fn f() {{ {bad}; }}");
            assert_eq!(found("service.rs", &text), [1], "{bad}");
            assert_eq!(found("jobs/rescore.rs", &text), [1], "{bad}");
            assert_eq!(found("storage/accounts.rs", &text), [], "{bad}");
        }
        assert_eq!(found("grpc/health.rs", "use sqlx::PgPool;"), [1]);
    }

    #[test]
    fn the_storage_does_not_know_of_messages() {
        assert_eq!(
            found("storage/accounts.rs", "use tonic::Status;\nuse mainstay_api::x;\nuse crate::app::App;"),
            [1, 2, 3]
        );
    }

    #[test]
    fn rpcs_and_messages_go_through_use_cases() {
        for bad in ["use crate::storage::accounts;", "use super::super::storage::codes;"] {
            assert_eq!(found("grpc/health.rs", bad), [1], "{bad}");
            assert_eq!(found("convert/health.rs", bad), [1], "{bad}");
        }
        assert_eq!(found("grpc/health.rs", "use crate::app::get_health;\nuse mainstay_storage::fingerprint;"), []);
    }

    #[test]
    fn going_up_by_super_is_seen_too() {
        assert_eq!(found("domain/score.rs", "use super::super::storage::accounts;"), [1]);
        assert_eq!(found("domain/score.rs", "use super::storage::x;"), [] as [usize; 0]);
        assert_eq!(found("domain/mod.rs", "use super::storage::x;"), [1]);
    }

    #[test]
    fn time_comes_from_the_clock() {
        let file = |path: &str| TextFile {
            path: path.into(),
            text: "fn f() { chrono::Utc::now(); }\nuse std::time::SystemTime;".into(),
        };
        assert_eq!(check_time(&file("services/scoring/src/app/x.rs")).expect("Rust").len(), 1);
        assert_eq!(check_time(&file(CLOCK)).expect("Rust"), []);
    }

    #[test]
    fn a_pure_crate_reads_and_writes_nothing() {
        let file = TextFile { path: "crates/domain/src/x.rs".into(), text: "use std::fs::File;\nuse std::fmt;".into() };
        assert_eq!(check_pure(&file).expect("Rust").len(), 1);
    }
}
