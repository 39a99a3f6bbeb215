//! `mainstay health recompute` and `mainstay operations`, on services of their own.

use crate::up::{Up, done, folder, today};
use crate::{run, write};

#[tokio::test]
async fn all_accounts_are_scored_again_and_the_work_is_listed_waited_for_and_ended() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let none = done(up.address, &["operations", "list"]).await;
    assert!(none.err.contains("There was no long work yet"), "{}", none.err);
    let accounts = write(folder.path(), "accounts.csv", "id,name\nacme,Acme\nglobex,Globex\n");
    done(up.address, &["import", "accounts", &accounts]).await;
    let today = today().await;
    let scored = done(up.address, &["health", "recompute", "--from", &today]).await;
    assert!(scored.err.ends_with("2 accounts scored again.\n"), "{}", scored.err);
    let listed = done(up.address, &["operations", "list"]).await.out;
    let row: Vec<&str> = listed.lines().nth(1).expect("an operation").split_whitespace().collect();
    assert_eq!(row[1..7], ["recomputation", "from", &today, "on", "2", "2"], "{listed}");
    assert_eq!(row.last(), Some(&"done"), "{listed}");

    let json = done(up.address, &["health", "recompute", "--detach", "--output", "json"]).await.out;
    let begun: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let id = begun["name"].as_str().expect("a name").trim_start_matches("operations/").to_owned();
    let over = done(up.address, &["operations", "wait", &id]).await;
    assert!(over.err.ends_with(&format!("operations/{id} is done.\n")), "{}", over.err);
    done(up.address, &["operations", "cancel", &id]).await;
    let over = done(up.address, &["operations", "list", "--limit", "1"]).await;
    assert!(over.out.contains(&id) && over.out.contains("done"), "what is over is not ended: {}", over.out);

    let unknown = run(up.address, &["operations", "wait", "00000000-0000-4000-8000-000000000000"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("does not exist"), "{}", unknown.err);
    let refused = run(up.address, &["health", "recompute", "--from", "2020-01-01"]).await;
    assert!(refused.code == 1 && refused.err.contains("more than 730 days ago"), "{}", refused.err);
}
