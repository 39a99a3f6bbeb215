//! Pulling monthly usage, as `docs/how-to/pull-monthly-usage.md` has it.

use serde_json::Value;

use crate::run_with_input;
use crate::up::{Up, done, folder};
use crate::write;

fn page() -> String {
    let path = format!("{}/../../docs/how-to/pull-monthly-usage.md", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the page")
}

/// The blocks of the page in a language, without what they are indented by.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}");
    let mut lines = page.lines().map(str::trim_start);
    let mut blocks = Vec::new();
    while lines.by_ref().any(|line| line == begin) {
        let block = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n"));
        blocks.push(block.collect());
    }
    blocks
}

/// What is known of a metric of an account: time, quantity or level, and source id, newest first.
async fn known(up: &Up, account: &str, metric: &str) -> Vec<(String, String, String)> {
    let listed = done(up.address, &["accounts", "signals", account, "--output", "json"]).await.out;
    let signals = listed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let of_metric = signals.filter_map(|signal| {
        let payload = ["usage", "gauge"].into_iter().find_map(|kind| signal.get(kind))?;
        let number = payload.get("quantity").or_else(|| payload.get("level"))?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (payload["metric"] == metric).then(|| (text(&signal["eventTime"]), text(number), text(&signal["sourceId"])))
    });
    of_metric.collect()
}

fn row(time: &str, number: &str, source_id: &str) -> (String, String, String) {
    (time.to_owned(), number.to_owned(), source_id.to_owned())
}

#[tokio::test]
async fn r53_monthly_usage_is_pulled_once_however_often_months_overlap_and_a_correction_is_no_second_count() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let accounts = write(folder.path(), "accounts.csv", "id,name\nacme,Acme\nglobex,Globex\n");
    done(up.address, &["import", "accounts", &accounts]).await;

    let page = page();
    let script = blocks(&page, "bash").concat();
    let (_, import) = script.split_once("| mainstay ").expect("the import");
    let import: Vec<&str> = import.split_whitespace().collect();
    let pull = async |csv: &str| run_with_input(up.address, &import, csv).await;
    let [month, more, levels] = <[String; 3]>::try_from(blocks(&page, "csv")).expect("three files");

    let first = pull(&month).await;
    assert_eq!(first.out, blocks(&page, "text").concat(), "as the page says: {}", first.err);
    // The next pull has these months once more, of one of which the platform says something else by now, and one that was missed.
    let next = format!("{}acme,2026-08-31,exports,1100,2026-08/acme/exports\n", month.replace("1350", "1400"));
    let next = pull(&next).await;
    assert_eq!(next.out, "signals: 1 recorded, 3 known already; 0 rejected\n", "{}", next.err);
    let october = row("2026-10-31T00:00:00Z", "1350", "2026-10/acme/exports");
    assert_eq!(known(&up, "acme", "exports").await[0], october, "what came first stays");

    assert_eq!(pull(&more).await.out, "signals: 1 recorded, 0 known already; 0 rejected\n");
    assert_eq!(pull(&more).await.out, "signals: 0 recorded, 1 known already; 0 rejected\n");
    let numbers: Vec<String> = known(&up, "acme", "exports").await.into_iter().map(|(_, number, _)| number).collect();
    assert_eq!(numbers.len(), 4);
    assert!(numbers.contains(&"50".to_owned()), "{numbers:?}");
    let less = pull(&more.replace(",50,", ",-50,").replace("/2", "/3")).await;
    assert!(less.code != 0 && less.err.contains("quantity: "), "{}", less.err);

    assert_eq!(pull(&levels).await.out, "signals: 2 recorded, 0 known already; 0 rejected\n");
    let newest = row("2026-10-31T00:00:01Z", "290.0", "2026-10/acme/seats_used/2");
    assert_eq!(known(&up, "acme", "seats_used").await[0], newest);

    // An account that is not there yet is told, and its rows are taken in by the next run.
    let early = "account,date,metric,quantity,source_id\n\
                 initech,2026-10-31,exports,7,2026-10/initech/exports\nacme,2026-10-31,exports,1,2026-10/acme/imports\n";
    let refused = pull(early).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, "signals: 1 recorded, 0 known already; 1 rejected\n"));
    done(up.address, &["import", "accounts", &write(folder.path(), "more.csv", "id,name\ninitech,Initech\n")]).await;
    let again = pull(early).await;
    assert_eq!((again.code, again.out.as_str()), (0, "signals: 1 recorded, 1 known already; 0 rejected\n"));
    assert_eq!(up.end("-TERM").await, Some(0));
}
