//! `mainstay accounts signals`, on services of their own.

use crate::up::{Up, done, folder, today};
use crate::{run, write};

#[tokio::test]
async fn r62_all_that_was_seen_of_an_account_is_listed_newest_first_and_by_kind_and_system() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let accounts = write(folder.path(), "accounts.csv", "id,name\nacme,Acme\nglobex,Globex\n");
    done(up.address, &["import", "accounts", &accounts]).await;
    let rows = "account,time,source,source_id,kind,metric,quantity,ticket_id,action,priority\n\
                acme,2026-11-01,product,u-1,usage,emails,5,,,\n\
                acme,2026-11-02,zendesk,t-1,ticket,,,T-1,opened,urgent\n\
                globex,2026-11-03,product,u-2,usage,emails,7,,,\n";
    done(up.address, &["import", "signals", &write(folder.path(), "signals.csv", rows)]).await;
    let listed = async |more: &[&str]| {
        let all = done(up.address, &[&["accounts", "signals", "acme"], more].concat()).await.out;
        let cells = |line: &str| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
        all.lines().skip(1).map(cells).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]).await, ["zendesk ticket T-1 opened, urgent t-1", "product usage 5 emails u-1"]);
    assert_eq!(listed(&["--kind", "usage"]).await, ["product usage 5 emails u-1"]);
    assert_eq!(listed(&["--source", "zendesk"]).await, ["zendesk ticket T-1 opened, urgent t-1"]);
    assert_eq!(listed(&["--before", "2026-11-02", "--limit", "0"]).await, ["product usage 5 emails u-1"]);
    assert_eq!(listed(&["--from", &today().await]).await, [""; 0]);
    let newest = done(up.address, &["accounts", "signals", "acme", "--limit", "1"]).await;
    assert_eq!(newest.err, "The newest 1; --limit 0 shows all.\n");
    let json = done(up.address, &["accounts", "signals", "acme", "--kind", "ticket", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["ticket"]["ticketId"], "T-1");
    let refused = run(up.address, &["accounts", "signals", "acme", "--kind", "tickets"]).await;
    assert!(refused.code == 2 && refused.err.contains("survey-answer"), "{}", refused.err);
}

#[tokio::test]
async fn r216_signals_that_are_wrong_are_withdrawn_one_by_one_or_all_of_a_system() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let accounts = write(folder.path(), "accounts.csv", "id,name\nacme,Acme\n");
    done(up.address, &["import", "accounts", &accounts]).await;
    let rows = "account,time,source,source_id,kind,metric,quantity\n\
                acme,2026-11-01,product,u-1,usage,emails,5\n\
                acme,2026-11-02,staging,u-2,usage,emails,6\n\
                acme,2026-11-03,staging,u-3,usage,emails,7\n\
                acme,2026-11-04,staging,u-4,usage,emails,8\n";
    done(up.address, &["import", "signals", &write(folder.path(), "signals.csv", rows)]).await;
    let withdraw = async |more: &[&str]| {
        let command = ["accounts", "withdraw-signals", "acme", "--source", "staging", "--reason", "a test"];
        run(up.address, &[&command, more].concat()).await
    };
    let checked = withdraw(&["--all", "--check"]).await;
    assert_eq!(
        checked.out, "3 signals would be withdrawn. Scores from 2026-11-02 on would change.\n",
        "{}",
        checked.err
    );
    let one = withdraw(&["--id", "u-3"]).await;
    assert_eq!(one.out, "1 signal was withdrawn. Scores are computed again from 2026-11-03 on.\n");
    let late = withdraw(&["--all", "--from", "2026-11-03"]).await;
    assert_eq!(late.out, "1 signal was withdrawn. Scores are computed again from 2026-11-04 on.\n");
    let again = withdraw(&["--id", "u-3", "--id", "u-4"]).await;
    assert_eq!(again.out, "0 signals were withdrawn, 2 already had been.\n");
    let listed = done(up.address, &["accounts", "signals", "acme"]).await.out;
    let marked: Vec<bool> = listed.lines().skip(1).map(|line| line.contains("(withdrawn on ")).collect();
    assert_eq!(marked, [true, true, false, false], "{listed}");
    assert!(listed.contains("by anonymous: a test)"), "{listed}");
    let unknown = withdraw(&["--id", "u-9"]).await;
    assert!(unknown.code != 0 && unknown.err.contains("source_ids[0]"), "{}", unknown.err);
    for missing in [&["--check"][..], &["--all", "--id", "u-2"], &["--id", "u-2", "--from", "2026-11-01"]] {
        assert_eq!(withdraw(missing).await.code, 2, "{missing:?}");
    }
}
