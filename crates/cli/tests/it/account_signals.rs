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
    assert_eq!(listed(&[]).await, ["zendesk ticket T-1 opened, urgent", "product usage 5 emails"]);
    assert_eq!(listed(&["--kind", "usage"]).await, ["product usage 5 emails"]);
    assert_eq!(listed(&["--source", "zendesk"]).await, ["zendesk ticket T-1 opened, urgent"]);
    assert_eq!(listed(&["--before", "2026-11-02", "--limit", "0"]).await, ["product usage 5 emails"]);
    assert_eq!(listed(&["--from", &today().await]).await, [""; 0]);
    let newest = done(up.address, &["accounts", "signals", "acme", "--limit", "1"]).await;
    assert_eq!(newest.err, "The newest 1; --limit 0 shows all.\n");
    let json = done(up.address, &["accounts", "signals", "acme", "--kind", "ticket", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["ticket"]["ticketId"], "T-1");
    let refused = run(up.address, &["accounts", "signals", "acme", "--kind", "tickets"]).await;
    assert!(refused.code == 2 && refused.err.contains("survey-answer"), "{}", refused.err);
}
