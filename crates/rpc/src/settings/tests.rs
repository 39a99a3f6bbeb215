use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveTime;

use super::{Reader, SettingsError};

const SECOND: Duration = Duration::from_secs(1);

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    path
}

fn reader(text: &str, pairs: &[(&str, &str)]) -> Reader {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, "scoring.toml", text);
    Reader::load("scoring", Some(&path), environment(pairs)).expect("TOML")
}

fn faults(reader: &Reader) -> Vec<String> {
    reader.finish().expect_err("faults").faults
}

/// The fault without the folder of the file.
fn cut(fault: &str) -> String {
    match (fault.find(" (/"), fault.find("scoring.toml")) {
        (Some(start), Some(end)) => format!("{} ({}", &fault[..start], &fault[end..]),
        _ => fault.to_owned(),
    }
}

#[test]
fn the_environment_stands_above_the_file_above_the_defaults() {
    let mut reader = reader(
        "[pool]\nconnections_max = 20\nname = \"file\"\n",
        &[("MAINSTAY_SCORING__POOL__NAME", "environment"), ("MAINSTAY_SURVEYS__POOL__NAME", "other"), ("PATH", "/bin")],
    );
    assert_eq!(reader.u32("pool.connections_max", "connections", 10, 1..=100), 20);
    assert_eq!(reader.string("pool.name", "its name", "default"), "environment");
    assert!(reader.bool("pool.lazy", "connect late", true));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn every_type_is_read_from_the_file_and_from_the_environment() {
    let text = "u32 = 1\nu64 = 2\nbool = true\nduration = \"5m\"\naddress = \"[::1]:80\"\npath = \"/tmp/x\"\n\
                list = [\"a\", \"b,c\"]\nword = \"json\"\n";
    let variables = [
        ("MAINSTAY_SCORING__U32", "1"),
        ("MAINSTAY_SCORING__U64", "2"),
        ("MAINSTAY_SCORING__BOOL", "true"),
        ("MAINSTAY_SCORING__DURATION", "5m"),
        ("MAINSTAY_SCORING__ADDRESS", "[::1]:80"),
        ("MAINSTAY_SCORING__PATH", "/tmp/x"),
        ("MAINSTAY_SCORING__LIST", "a, b"),
        ("MAINSTAY_SCORING__WORD", "json"),
    ];
    for (mut reader, list) in [(reader(text, &[]), ["a", "b,c"]), (reader("", &variables), ["a", "b"])] {
        assert_eq!(reader.u32("u32", "", 0, 0..=9), 1);
        assert_eq!(reader.u64("u64", "", 0, 0..=9), 2);
        assert!(reader.bool("bool", "", false));
        assert_eq!(reader.duration("duration", "", SECOND, SECOND..=600 * SECOND), 300 * SECOND);
        let address = reader.socket_address("address", "", "127.0.0.1:1".parse().expect("an address"));
        assert_eq!(address.to_string(), "[::1]:80");
        assert_eq!(reader.optional_path("path", ""), Some(PathBuf::from("/tmp/x")));
        assert_eq!(reader.list("list", "", &[]), list);
        assert_eq!(reader.choice("word", "", "pretty", &["pretty", "json"]), "json");
        assert_eq!(reader.finish(), Ok(()));
    }
}

#[test]
fn all_faults_are_told_at_once_with_their_place() {
    let mut reader = reader(
        "listn = \"x\"\n\n[pool]\nconnections_max = 1000\ntimeout = 5\nname = 7\n[auth.jwt]\nzzz = true\n",
        &[("MAINSTAY_SCORING__POOL__LAZY", "maybe")],
    );
    reader.socket_address("listen", "where to listen", "127.0.0.1:1".parse().expect("an address"));
    assert_eq!(reader.u32("pool.connections_max", "", 10, 1..=100), 10);
    reader.duration("pool.timeout", "", SECOND, SECOND..=60 * SECOND);
    reader.string("pool.name", "", "x");
    reader.bool("pool.lazy", "", false);
    reader.required_string("pool.url", "where the database is");
    reader.fault("pool.name", "does not go with pool.lazy");
    let told: Vec<String> = faults(&reader).iter().map(|fault| cut(fault)).collect();
    assert_eq!(
        told,
        [
            "pool.connections_max (scoring.toml:4) must be from 1 to 100, not 1000",
            "pool.timeout (scoring.toml:5) must be a length of time with its unit, such as `5s`, not a bare number",
            "pool.name (scoring.toml:6) must be a text, not a number",
            "pool.lazy (environment MAINSTAY_SCORING__POOL__LAZY) must be true or false, not `maybe`",
            "pool.url must be given: where the database is",
            "pool.name (scoring.toml:6) does not go with pool.lazy",
            "auth.jwt.zzz (scoring.toml:8) is not a setting",
            "listn (scoring.toml:1) is not a setting; did you mean listen?",
        ]
    );
}

#[test]
fn a_time_of_day_is_read_to_the_minute_and_may_be_none() {
    let seven = NaiveTime::from_hms_opt(7, 0, 0);
    let read = |given: &str| {
        let mut reader = reader(given, &[]);
        (reader.time_of_day("at", "when", seven), reader.finish())
    };
    assert_eq!(read(""), (seven, Ok(())));
    assert_eq!(read("at = \"23:59\""), (NaiveTime::from_hms_opt(23, 59, 0), Ok(())));
    for none in ["at = \"off\"", "at = \"\""] {
        assert_eq!(read(none), (None, Ok(())), "{none}");
    }
    for wrong in ["\"7:00\"", "\"24:00\"", "\"07:60\"", "\"07:00:00\"", "\" 07:00\"", "\"never\"", "07:00:00", "7"] {
        let faults = read(&format!("at = {wrong}")).1.expect_err(wrong).faults;
        assert!(faults.len() == 1 && faults[0].contains("must be a time of day"), "{wrong}: {faults:?}");
    }
    let mut empty = reader("", &[("MAINSTAY_SCORING__AT", "")]);
    assert_eq!(empty.time_of_day("at", "when", seven), seven, "an empty variable is none");
    let mut off = reader("", &[("MAINSTAY_SCORING__AT", "off")]);
    assert_eq!(off.time_of_day("at", "when", seven), None);
    assert!(off.describe().contains("at = off"), "{}", off.describe());
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_told() {
    let missing = Reader::load("scoring", Some(Path::new("/nowhere/scoring.toml")), []).expect_err("missing");
    assert!(missing.faults[0].starts_with("the configuration file /nowhere/scoring.toml cannot be read:"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, "scoring.toml", "a = 1\nb = = 2\n");
    let SettingsError { faults } = Reader::load("scoring", Some(&path), []).expect_err("not TOML");
    assert!(faults[0].contains("scoring.toml:2: not TOML"), "{faults:?}");
}

#[test]
fn a_secret_comes_from_its_file_and_is_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, "password", "hunter2\n");
    let mut reader = reader(
        &format!("[database]\nurl_file = {:?}\n", path.display().to_string()),
        &[("MAINSTAY_SCORING__TOKEN", "swordfish")],
    );
    let url = reader.required_secret("database.url", "where the database is");
    let token = reader.optional_secret("token", "a token");
    assert_eq!(url.expose(), "hunter2");
    assert_eq!(token.as_ref().map(super::Secret::expose), Some("swordfish"));
    assert_eq!(reader.finish(), Ok(()));
    let shown = format!("{} {reader_debug:?} {url} {token:?}", reader.describe(), reader_debug = url);
    assert!(!shown.contains("hunter2") && !shown.contains("swordfish"), "{shown}");
    assert!(shown.contains("token = <redacted>"), "{shown}");
    assert!(shown.contains(&format!("database.url_file = {}", path.display())), "{shown}");
}

#[test]
fn a_secret_given_twice_or_not_at_all_is_a_fault() {
    let mut reader = reader("a = \"x\"\na_file = \"/nowhere\"\nc = \"\"\n", &[]);
    reader.required_secret("a", "the first");
    reader.required_secret("b", "the second");
    reader.required_secret("c", "the third");
    let told = faults(&reader);
    assert!(told[0].starts_with("a (") && told[0].ends_with("exclude each other"), "{told:?}");
    assert!(told[1].contains("the file /nowhere cannot be read"), "{told:?}");
    assert_eq!(told[2], "b or b_file must be given: the second");
    assert!(told[3].starts_with("c (") && told[3].ends_with("must be a text that is not empty"), "{told:?}");
    assert_eq!(told.len(), 4);
}

#[test]
fn faults_of_a_secret_do_not_show_it() {
    let mut reader = reader("[database.url]\npassword = \"hunter2\"\n", &[("MAINSTAY_SCORING__PASWORD", "swordfish")]);
    reader.required_secret("database.url", "where the database is");
    let told = faults(&reader).join("\n");
    assert!(told.contains("database.url.password"), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("swordfish"), "{told}");
}

#[test]
fn a_table_of_lists_keeps_its_names() {
    let mut reader = reader("[auth.grants]\n\"system:serviceaccount:prod:*\" = [\"scoring.*\"]\n\"a.b\" = 7\n", &[]);
    let grants = reader.map_of_lists("auth.grants", "permissions by subject");
    assert_eq!(
        grants.into_iter().collect::<Vec<_>>(),
        [("system:serviceaccount:prod:*".to_owned(), vec!["scoring.*".to_owned()])]
    );
    assert_eq!(faults(&reader).len(), 1);
}

#[test]
fn the_names_of_a_table_are_those_that_have_settings() {
    let text = "[hooks.crm]\nurl = \"x\"\ntimeout = \"1s\"\n[hooks]\nplain = 1\n[hooks_of_others.x]\ny = 1\n";
    let reader = reader(text, &[("MAINSTAY_SCORING__HOOKS__BI__URL", "y")]);
    assert_eq!(reader.names("hooks").into_iter().collect::<Vec<_>>(), ["bi", "crm"]);
    assert!(reader.names("nothing").is_empty());
}

#[test]
fn the_description_tells_value_meaning_and_origin() {
    let mut reader = reader("", &[("MAINSTAY_SCORING__POOL__NAME", "main"), ("MAINSTAY_SCORING__EMPTY", "")]);
    reader.string("pool.name", "its name", "x");
    reader.optional_string("empty", "may be empty");
    reader.duration("drain", "time to end", 30 * SECOND, SECOND..=60 * SECOND);
    assert_eq!(
        reader.describe(),
        "drain = 30s\n    time to end (default)\n\
         empty is not set\n    may be empty\n\
         pool.name = main\n    its name (environment MAINSTAY_SCORING__POOL__NAME)\n"
    );
    assert_eq!(reader.finish(), Ok(()));
}
