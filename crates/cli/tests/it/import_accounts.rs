//! `mainstay import accounts`.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::Account;

use crate::server::TestServer;
use crate::{run, run_with_input, write};

const FILE: &str = "\
CRM Id,Name,ARR,Currency,CSM,label.region,Notes
acme,Acme,1234.50,EUR,mia@example.com,EMEA,x
globex,Globex,5000,JPY,,,
,Nameless,1,EUR,,,
initech,refused,1,EUR,,,
umbrella,Umbrella,1.005,EUR,nobody,,
";

#[tokio::test]
async fn good_rows_are_taken_in_and_bad_ones_set_aside_by_line() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", FILE);
    let ran = run(server.address, &["import", "accounts", &file, "--map", "account=CRM Id"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.out, "accounts: 2 new, 0 changed, 0 unchanged; 3 rejected\n");
    assert!(ran.err.contains("Columns that are not used: Notes"), "{}", ran.err);
    assert!(ran.err.contains("line 4: account: is missing\n"), "{}", ran.err);
    let rejected = std::fs::read_to_string(format!("{file}.rejected")).expect("set aside");
    let lines: Vec<&str> = rejected.lines().collect();
    assert_eq!(lines[0], "rejected_line,rejected_reason,CRM Id,Name,ARR,Currency,CSM,label.region,Notes");
    assert_eq!(lines[1], "4,\"account: is missing\",,Nameless,1,EUR,,,");
    assert_eq!(lines[2], "5,\"display_name: must be another\",initech,refused,1,EUR,,,");
    assert!(lines[3].starts_with("6,\"arr: ") && lines[3].contains("; csm: "), "{}", lines[3]);
    assert_eq!(lines.len(), 4);
    let state = server.state();
    let acme = &state.accounts["accounts/acme"];
    assert_eq!(acme.arr, Some(Money { currency_code: "EUR".to_owned(), minor_units: 123_450 }));
    assert_eq!((acme.owners[0].email.as_str(), acme.labels["region"].as_str()), ("mia@example.com", "EMEA"));
    assert_eq!(state.accounts["accounts/globex"].arr.as_ref().map(|arr| arr.minor_units), Some(5_000));
}

#[tokio::test]
async fn an_import_that_is_run_again_changes_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", "id,name\na,A\nb,B\nc,C\n");
    let arguments = ["import", "accounts", &file, "--batch-size", "2"];
    let first = run(server.address, &arguments).await;
    assert_eq!((first.code, first.out.as_str()), (0, "accounts: 3 new, 0 changed, 0 unchanged; 0 rejected\n"));
    let again = run(server.address, &arguments).await;
    assert_eq!((again.code, again.out.as_str()), (0, "accounts: 0 new, 0 changed, 3 unchanged; 0 rejected\n"));
    assert_eq!(server.state().account_batches, [2, 1, 2, 1]);
    assert!(!folder.path().join("accounts.csv.rejected").exists());
}

#[tokio::test]
async fn corrected_rows_are_imported_from_the_file_of_rejected_ones() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", "id,name\na,A\nb,\n");
    assert_eq!(run(server.address, &["import", "accounts", &file]).await.code, 1);
    let rejected = format!("{file}.rejected");
    // Still bad, so that they are set aside once more, and then once more.
    assert_eq!(run(server.address, &["import", "accounts", &rejected]).await.code, 2);
    let rejected = format!("{rejected}.rejected");
    assert_eq!(run(server.address, &["import", "accounts", &rejected]).await.code, 2);
    let corrected = std::fs::read_to_string(&rejected).expect("set aside").replace(",b,", ",b,B");
    std::fs::write(&rejected, corrected).expect("written");
    let ran = run(server.address, &["import", "accounts", &rejected]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains("not used"), "{}", ran.err);
    assert_eq!(server.state().accounts["accounts/b"].display_name, "B");
}

#[tokio::test]
async fn json_lines_come_through_a_pipe_with_constants() {
    let server = TestServer::start().await;
    let arguments =
        ["import", "accounts", "-", "--format", "json-lines", "--constant", "currency=USD", "--output", "json"];
    let input = "{\"id\": \"a\", \"name\": \"A\", \"arr\": 12.30, \"limit\": {\"emails\": 5}}\nnot json\n";
    let ran = run_with_input(server.address, &arguments, input).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    let summary: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&summary["added"], &summary["rejected"]), (&1.into(), &1.into()));
    assert!(ran.err.contains("line 2: is not a JSON object"), "{}", ran.err);
    let state = server.state();
    let account = &state.accounts["accounts/a"];
    assert_eq!(account.arr.as_ref().map(|arr| arr.minor_units), Some(1_230));
    assert!((account.plan_limits["emails"] - 5.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_server_that_is_not_ready_yet_is_waited_for() {
    let server = TestServer::start().await;
    server.state().unavailable_batches = 3;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", "id,name\na,A\n");
    let ran = run(server.address, &["import", "accounts", &file]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    server.state().unavailable_batches = 5;
    let ran = run(server.address, &["import", "accounts", &file]).await;
    assert_eq!(ran.code, 2, "nothing was taken in: {}", ran.out);
    assert!(ran.err.contains("starting"), "{}", ran.err);
}

#[tokio::test]
async fn what_a_file_has_no_columns_for_stays_as_it_is() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let full = "{\"id\": \"a\", \"name\": \"A\", \"plan\": \"gold\", \"seats\": 5, \"csm\": \"mia@example.com\", \
                \"contacts\": [{\"id\": \"c-1\", \"display_name\": \"Eve\"}]}\n";
    let full = write(folder.path(), "full.jsonl", full);
    assert_eq!(run(server.address, &["import", "accounts", &full]).await.code, 0);
    let before = server.state().accounts["accounts/a"].clone();
    assert_eq!((before.contacts[0].id.as_str(), before.contacts[0].display_name.as_str()), ("c-1", "Eve"));

    let some = write(folder.path(), "some.csv", "id,plan,seats\na,silver,\n");
    let ran = run(server.address, &["import", "accounts", &some, "--constant", "label.tier=1"]).await;
    assert_eq!(ran.out, "accounts: 0 new, 1 changed, 0 unchanged; 0 rejected\n", "{}", ran.err);
    let expected = Account {
        plan: "silver".to_owned(),
        seats: None,
        labels: [("tier".to_owned(), "1".to_owned())].into(),
        ..before
    };
    assert_eq!(server.state().accounts["accounts/a"], expected);
    assert_eq!(server.state().account_masks[1], ["plan", "seats", "labels"]);
}

#[tokio::test]
async fn contacts_come_as_text_in_a_column_too() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = "id,name,contacts\na,A,\"[{\"\"id\"\": \"\"c-1\"\", \"\"champion\"\": true}]\"\nb,B,\nc,C,Eve\n";
    let file = write(folder.path(), "accounts.csv", text);
    let ran = run(server.address, &["import", "accounts", &file]).await;
    assert_eq!(ran.out, "accounts: 2 new, 0 changed, 0 unchanged; 1 rejected\n");
    assert!(ran.err.contains("line 4: contacts: must be a list such as"), "{}", ran.err);
    let state = server.state();
    assert!(state.accounts["accounts/a"].contacts[0].champion);
    assert_eq!(state.accounts["accounts/b"].contacts, []);
}

#[tokio::test]
async fn lines_that_name_different_fields_change_each_its_own() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let lines = [
        "{\"id\": \"a\", \"name\": \"A\", \"plan\": \"gold\"}",
        "{\"id\": \"b\", \"name\": \"refused\", \"seats\": 1}",
        "{\"id\": \"c\", \"name\": \"C\", \"plan\": \"gold\"}",
        "{\"id\": \"a\", \"seats\": 7}",
        "{\"id\": \"c\", \"plan\": null}",
    ];
    let file = write(folder.path(), "accounts.jsonl", &lines.join("\n"));
    let ran = run(server.address, &["import", "accounts", &file]).await;
    assert_eq!(ran.out, "accounts: 2 new, 2 changed, 0 unchanged; 1 rejected\n", "{}", ran.err);
    assert!(ran.err.contains("line 2: display_name: must be another"), "{}", ran.err);
    let state = server.state();
    assert_eq!(state.account_batches, [2, 1, 1, 1]);
    let facts = |id: &str| (state.accounts[id].plan.clone(), state.accounts[id].seats);
    assert_eq!(facts("accounts/a"), ("gold".to_owned(), Some(7)));
    assert_eq!(facts("accounts/c"), (String::new(), None));
}

#[tokio::test]
async fn of_two_rows_of_an_account_the_later_counts_and_a_second_run_changes_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", "id,name\na,A\nb,B\na,A2\n");
    let first = run(server.address, &["import", "accounts", &file]).await;
    let expected = "accounts: 2 new, 0 changed, 0 unchanged; 1 replaced by later rows; 0 rejected\n";
    assert_eq!((first.code, first.out.as_str()), (0, expected));
    assert_eq!(server.state().accounts["accounts/a"].display_name, "A2");
    let again = run(server.address, &["import", "accounts", &file, "--output", "json"]).await;
    let summary: serde_json::Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((&summary["changed"], &summary["known"], &summary["replaced"]), (&0.into(), &2.into(), &1.into()));
}

#[tokio::test]
async fn names_of_json_lines_are_checked_as_columns_are() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let lines = [
        "{\"nr\": \"a\", \"name\": \"A\", \"pln\": \"gold\"}",
        "{\"nr\": \"b\", \"name\": \"B\", \"Name\": \"B\"}",
        "{\"nr\": \"c\", \"name\": \"C\", \"pln\": \"gold\", \"segmnt\": \"smb\"}",
    ];
    let file = write(folder.path(), "accounts.jsonl", &lines.join("\n"));
    let ran = run(server.address, &["import", "accounts", &file, "--map", "account=nr", "--map", "seats=seat"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "accounts: 2 new, 0 changed, 0 unchanged; 1 rejected\n"));
    for told in [
        "Columns that are not used: pln\n",
        "Columns that are not used: segmnt\n",
        "line 1: has no `seat`, which --map names\n",
        "line 2: has the column `name` twice\n",
        "no row has `seat`, which --map names",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_file_without_rows_is_taken_in() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let csv = write(folder.path(), "accounts.csv", "id,name\n");
    let json = write(folder.path(), "accounts.jsonl", "\n");
    for file in [csv, json] {
        let ran = run(server.address, &["import", "accounts", &file, "--map", "display_name=name"]).await;
        let expected = "accounts: 0 new, 0 changed, 0 unchanged; 0 rejected\n";
        assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{}", ran.err);
    }
    assert!(server.state().account_batches.is_empty());
}

#[tokio::test]
async fn wrong_use_is_told_before_anything_is_sent() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", "id,name\na,A\n");
    let empty = write(folder.path(), "empty.csv", "");
    let unnamed = write(folder.path(), "unnamed.csv", "nr,name\n1,A\n");
    let semicolons = write(folder.path(), "semicolons.csv", "id;name\na;A\n");
    let unclear = write(folder.path(), "accounts.txt", "id,name\n");
    for (arguments, told) in [
        (vec![file.as_str(), "--map", "account=nr"], "has no column `nr`; its columns are id, name"),
        (vec![&file, "--map", "acount=id"], "there is no field `acount`"),
        (vec![&file, "--date-format", "%Q"], "is not a format"),
        (vec![&file, "--rejects", &file], "names the file that is imported"),
        (vec![&empty], "is empty"),
        (vec![&unnamed], "say which does with --map account=COLUMN; the columns are nr, name"),
        (vec![&semicolons], "one column with `;` in it: is that the --delimiter?"),
        (vec![&unclear], "--format"),
        (vec!["missing.csv"], "No such file"),
        (vec![&file, "--map", "account"], "must have a name"),
    ] {
        let ran = run(server.address, &[vec!["import", "accounts"], arguments].concat()).await;
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(told), "{}", ran.err);
    }
    assert!(server.state().accounts.is_empty());
}

#[tokio::test]
async fn a_dry_run_checks_rows_and_sends_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "accounts.csv", "id,name\na,A\nb,\n");
    let ran = run(server.address, &["import", "accounts", &file, "--dry-run"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "accounts: 1 good, none sent; 1 rejected\n"));
    assert!(server.state().accounts.is_empty());
}
