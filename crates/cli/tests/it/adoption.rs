//! `mainstay adoption`, on services of their own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::up::{PATIENCE, Up, done, folder, today};
use crate::{run, write};

/// Waits until all customers were looked at for a target.
async fn wait_for_groups(address: SocketAddr, expected: &str) {
    let seen = async {
        while !done(address, &["adoption", "outcomes", "--csv", "groups"]).await.out.starts_with(expected) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, seen).await.expect("all customers are looked at");
}

#[tokio::test]
async fn r72_r73_r82_adoption_comes_as_tables_markdown_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let today = today().await;
    let customers = format!(
        "account,display_name,segment,arr,activation_time\nacme,Acme Ltd,smb,1200.00 EUR,{today}\n\
         globex,Globex,smb,900 EUR,2024-01-01\n"
    );
    done(up.address, &["import", "accounts", &write(folder.path(), "customers.csv", &customers)]).await;
    let rows = format!(
        "account,time,kind,feature,action,milestone,source_id\n\
         acme,{today},feature_use,export,,,u-1\n\
         acme,{today},lifecycle,,milestone,live,m-1\n"
    );
    done(up.address, &["import", "signals", &write(folder.path(), "signals.csv", &rows)]).await;
    assert_eq!(done(up.address, &["adoption", "targets"]).await.out, "");
    let set = ["adoption", "set", "live", "--milestone", "live", "--within", "30", "--share", "0.8"];
    assert_eq!(
        done(up.address, &set).await.err,
        "80% of all customers are to reach live within 30 days.\nAll accounts are looked at anew: see `mainstay adoption outcomes`.\n"
    );
    wait_for_groups(up.address, "group,customers,arr,mean_score,customers_at_risk\nachieved,1,1200.00 EUR,").await;
    let customers = done(up.address, &["adoption", "customers", "--group", "behind", "--csv"]).await.out;
    let header = "account,display_name,segment,group,missing,due_day,arr,score\n";
    assert_eq!(customers, format!("{header}globex,Globex,smb,behind,live,2024-01-31,900.00 EUR,\n"));

    let features = done(up.address, &["adoption", "features", "--csv", "trend", "--periods", "1"]).await.out;
    assert_eq!(
        features,
        format!(
            "feature,start_day,customers,users,share,users_new,users_returned,users_lapsed\nexport,{}-01,2,1,0.5,1,0,0\n",
            &today[..7]
        )
    );
    let markdown =
        done(up.address, &["adoption", "features", "--period", "fortnight", "--output", "markdown"]).await.out;
    assert!(
        markdown.contains("## Features in the newest period that is over\n\n| FEATURE | USERS | SHARE |"),
        "{markdown}"
    );
    let shown = done(up.address, &["adoption", "show", "acme"]).await.out;
    assert!(shown.starts_with("Adoption of acme, as of "), "{shown}");
    assert!(shown.contains("\nTargets\nTARGET  UNTIL       REACHED"), "{shown}");
    let json = done(up.address, &["adoption", "outcomes", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    // Activated today, and there already: judged when all of today have had their time.
    assert_eq!(json["targets"][0]["all"]["aheadCount"], "1");

    let refused = run(up.address, &["adoption", "set", "x", "--metric", "sent", "--within", "1", "--share", "1"]).await;
    assert!(refused.code == 2 && refused.err.contains("--quantity"), "{}", refused.err);
    let refused =
        run(up.address, &["adoption", "set", "x", "--milestone", "a", "--within", "999", "--share", "1"]).await;
    assert!(refused.code == 1 && refused.err.contains("must be 1 to 730"), "{}", refused.err);
    done(up.address, &["adoption", "remove", "live"]).await;
    let refused = run(up.address, &["adoption", "remove", "live"]).await;
    assert!(refused.code == 1 && refused.err.contains("adoptionTargets/live does not exist"), "{}", refused.err);
}
