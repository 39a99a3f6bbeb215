//! `mainstay surveys`, against all services in one process.

use crate::up::{Up, folder};
use crate::{Ran, run, write};

const QUARTERLY: &str = "\
display_name: Quarterly NPS
kind: SURVEY_KIND_NPS
trigger: { quarterly: { tenure_days: 90, spread_days: 30 } }
texts: { question: How likely are you to recommend Example? }
";

/// Runs a command on surveys to its end, which must be good.
async fn done(up: &Up, arguments: &[&str]) -> Ran {
    let ran = try_run(up, arguments).await;
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran
}

async fn try_run(up: &Up, arguments: &[&str]) -> Ran {
    let server = up.surveys.to_string();
    run(up.address, &[&["surveys"], arguments, &["--surveys-server", &server]].concat()).await
}

#[tokio::test]
async fn a_programme_is_led_from_the_command_line_from_a_file_to_its_end() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let file = write(folder.path(), "quarterly.yaml", QUARTERLY);
    let checked = done(&up, &["programs", "create", "nps", "--file", &file, "--check"]).await;
    assert!(checked.out.contains("How likely are you to recommend Example?"), "{}", checked.out);
    assert!(checked.err.contains("nps could be created; nothing was."), "{}", checked.err);
    let nothing = done(&up, &["programs", "list"]).await;
    assert!(nothing.out.is_empty() && nothing.err.contains("No programmes"), "{} {}", nothing.out, nothing.err);

    let created = done(&up, &["programs", "create", "nps", "--file", &file]).await;
    assert!(created.out.contains("draft") && created.err.contains("A draft asks nobody"), "{}", created.err);
    let made = done(&up, &["programs", "create", "support", "--kind", "csat", "--when", "support"]).await;
    assert!(made.out.contains("any ticket resolved"), "{}", made.out);
    let preview = done(&up, &["programs", "preview", "nps"]).await;
    assert!(preview.err.contains("Of 0 accounts, 0 contacts would be asked now."), "{}", preview.err);
    let published = done(&up, &["programs", "publish", "nps", "--output", "json"]).await;
    let program: serde_json::Value = serde_json::from_str(&published.out).expect("JSON");
    assert_eq!(program["state"], "PROGRAM_STATE_PUBLISHED");
    assert_eq!(program["trigger"]["quarterly"]["spreadDays"], 30);
    done(&up, &["programs", "pause", "nps"]).await;
    done(&up, &["programs", "resume", "programs/nps"]).await;
    done(&up, &["programs", "archive", "nps"]).await;
    let listed = done(&up, &["programs", "list", "--all"]).await;
    assert!(listed.out.contains("archived") && listed.out.contains("draft"), "{}", listed.out);

    let wrong = write(folder.path(), "wrong.yaml", "kind: SURVEY_KIND_NONE\n");
    let refused = try_run(&up, &["programs", "create", "wrong", "--file", &wrong]).await;
    assert_eq!(refused.code, 2, "{}", refused.err);
    let refused = try_run(&up, &["programs", "resume", "nps"]).await;
    assert!(refused.code == 1 && refused.err.contains("ARCHIVED"), "{}", refused.err);
    for report in ["nps", "csat", "rate", "trend", "resurveys"] {
        done(&up, &["report", report]).await;
    }
    let none = done(&up, &["responses", "--category", "detractor"]).await;
    assert!(none.err.contains("No answers."), "{}", none.err);
    assert_eq!(up.end("-TERM").await, Some(0));
}
