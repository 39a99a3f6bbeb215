//! `docs/errors.md` beside the protos: every reason is explained, and no other.

use std::collections::BTreeMap;
use std::path::Path;

use mainstay_api::FILE_DESCRIPTOR_SET;
use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_rpc::error::{code_of, reason_text};
use prost_reflect::DescriptorPool;

/// What a section says of each reason: the gRPC code after `Code: `.
type Explained = BTreeMap<String, BTreeMap<String, String>>;

/// The reasons of all protos, sorted, by their domain: `mainstay` for the common ones, else `<service>.mainstay`.
fn declared() -> BTreeMap<String, Vec<String>> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    pool.all_enums()
        .filter(|one| one.name() == "ErrorReason")
        .map(|one| {
            let service = one.package_name().split('.').nth(1).expect("mainstay.<package>.v1").to_owned();
            let domain = if service == "common" { "mainstay".to_owned() } else { format!("{service}.mainstay") };
            let values = one.values().filter(|value| value.number() != 0);
            let strip = |name: &str| name.strip_prefix("ERROR_REASON_").expect("the prefix").to_owned();
            let mut reasons: Vec<String> = values.map(|value| strip(value.name())).collect();
            reasons.sort();
            (domain, reasons)
        })
        .collect()
}

fn explained() -> Explained {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let text = std::fs::read_to_string(&path).expect("docs/errors.md");
    let mut found = Explained::new();
    let (mut domain, mut reason) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut domain);
        } else if let Some(heading) = line.strip_prefix("### ") {
            heading.clone_into(&mut reason);
            let known = found.entry(domain.clone()).or_default().insert(reason.clone(), String::new());
            assert_eq!(known, None, "{reason} is explained twice");
        } else if let Some(code) = line.strip_prefix("Code: ") {
            let codes = found.get_mut(&domain).expect("a code follows its reason");
            codes.insert(reason.clone(), code.trim_matches('`').to_owned());
        }
    }
    found
}

#[test]
fn every_reason_is_explained_and_no_other() {
    let explained: BTreeMap<String, Vec<String>> =
        explained().into_iter().map(|(domain, codes)| (domain, codes.into_keys().collect())).collect();
    let declared = declared();
    assert!(declared.len() >= 2, "{declared:?}");
    assert_eq!(explained, declared);
}

#[test]
fn each_common_reason_is_explained_with_its_code() {
    let explained = explained().remove("mainstay").expect("the section");
    for number in 1.. {
        let Ok(reason) = ErrorReason::try_from(number) else { break };
        let code = format!("{:?}", code_of(reason));
        let said = explained[reason_text(reason)].replace('_', "");
        assert!(said.eq_ignore_ascii_case(&code), "{}: {said}, not {code}", reason_text(reason));
    }
}
