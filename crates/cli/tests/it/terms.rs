//! `mainstay definitions` and what people say against a computed band, on services of their own.

use crate::run;
use crate::up::{Up, done, folder, wait_for_score};
use crate::write;

#[tokio::test]
async fn r83_terms_are_explained_from_the_command_line() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let all = done(up.address, &["definitions"]).await.out;
    assert!(all.starts_with("TERM "), "{all}");
    assert!(all.lines().any(|line| line.starts_with("at-risk ")), "{all}");
    let version = all.lines().find_map(|line| line.strip_prefix("Version of all: ")).expect("a version").to_owned();
    let json = done(up.address, &["definitions", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["version"], version.as_str());

    let one = done(up.address, &["definitions", "at-risk"]).await.out;
    assert!(one.contains("(at-risk)\n") && one.contains("score < 70 points"), "{one}");
    let unknown = run(up.address, &["definitions", "happiness"]).await;
    assert_eq!((unknown.code, unknown.out.as_str()), (1, ""));
    assert!(unknown.err.contains("definitions/happiness"), "{}", unknown.err);
}

#[tokio::test]
async fn r84_a_band_is_corrected_reviewed_and_withdrawn_from_the_command_line() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let accounts = write(folder.path(), "accounts.csv", "id,name,segment\nacme,Acme,smb\n");
    done(up.address, &["import", "accounts", &accounts]).await;
    done(up.address, &["health", "judge", "acme", "1", "--by", "mia@example.com"]).await;
    wait_for_score(up.address, "acme").await;

    let correct = ["health", "correct", "acme", "--band", "healthy", "--reason", "They use the app"];
    let said = done(up.address, &correct).await.out;
    for part in [
        "computed    0.0 (critical) on ",
        "said        CSM: healthy\n",
        "reason      They use the app\n",
        "state       pending\n",
    ] {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
    let name = said.lines().next().and_then(|line| line.strip_prefix("correction")).expect("a name").trim().to_owned();
    let health = done(up.address, &["health", "get", "acme"]).await.out;
    assert!(health.contains("0.0 (critical)") && health.contains("CSM: healthy, pending, until "), "{health}");
    let again = run(up.address, &correct).await;
    assert_eq!((again.code, again.out.as_str()), (1, ""));
    assert!(again.err.contains(&name), "the one that there is is named: {}", again.err);

    let listed = done(up.address, &["health", "corrections"]).await.out;
    assert!(listed.starts_with("CORRECTION "), "{listed}");
    assert!(listed.lines().nth(1).is_some_and(|line| line.starts_with(&name)), "{listed}");
    let review = ["health", "review", &name, "accept", "Asked them", "--reviewer", "lee@example.com"];
    let reviewed = done(up.address, &review).await.out;
    assert!(
        reviewed.contains("state       accepted\n") && reviewed.contains("Asked them (lee@example.com, "),
        "{reviewed}"
    );
    let withdrawn = done(up.address, &["health", "withdraw", &name]).await.out;
    assert!(withdrawn.contains("state       withdrawn\n"), "{withdrawn}");
    let none = done(up.address, &["health", "corrections"]).await;
    assert_eq!((none.out.as_str(), none.err.trim()), ("", "No corrections."));

    let past = [&correct[..], &["--until", "2020-01-01"]].concat();
    let refused = run(up.address, &past).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("expire_time"), "{}", refused.err);
}
