//! `mainstay models activate`, where enough is known of who left.

use std::fmt::Write;

use crate::company::MODEL;
use crate::up::{Up, done, folder};
use crate::{run, write};

#[tokio::test]
async fn r202_a_model_that_nobody_tried_is_activated_only_with_a_word_and_a_reason() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let address = up.address;
    let (mut accounts, mut left) = ("id,name\n".to_owned(), "account,time,kind,action,source_id\n".to_owned());
    for number in 0..20 {
        writeln!(accounts, "c{number},Customer {number}").expect("written");
        if number < 10 {
            writeln!(left, "c{number},2026-02-01,lifecycle,churn,c{number}").expect("written");
        }
    }
    done(address, &["import", "accounts", &write(folder.path(), "accounts.csv", &accounts)]).await;
    done(address, &["import", "signals", &write(folder.path(), "left.csv", &left)]).await;

    let model = write(folder.path(), "sum.yaml", MODEL);
    let refused = run(address, &["models", "apply", &model, "--activate"]).await;
    assert!(refused.code == 1 && refused.err.contains("MODEL_UNTRIED"), "{}", refused.err);
    assert!(refused.err.starts_with("sum is created; "), "{}", refused.err);
    let without_reason = run(address, &["models", "activate", "sum", "--accept-untried"]).await;
    assert!(without_reason.code == 2 && without_reason.err.contains("--reason"), "{}", without_reason.err);
    let wanted = ["models", "activate", "sum", "--accept-untried", "--reason", "only mails are recorded"];
    let activated = done(address, &wanted).await;
    assert!(activated.out.starts_with("sum scores from today on"), "{}", activated.out);
    assert!(activated.err.contains("mainstay models backtest sum"), "{}", activated.err);
}
