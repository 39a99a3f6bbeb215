//! `mainstay forecast` and `mainstay renewals`, on services of their own.

use crate::company::Company;
use crate::run;
use crate::up::{Up, done, folder};
use crate::write;

/// Three of the company's customers are due, a year apart.
const DUE: &str = "
    UPDATE scoring.accounts SET renewal_at = timestamptz '2060-02-01Z' + make_interval(years => place::integer)
      FROM (SELECT account_id, row_number() OVER (ORDER BY account_id) AS place
              FROM scoring.accounts WHERE lifecycle_stage = 3) AS customers
     WHERE customers.account_id = accounts.account_id AND place <= 3";

#[tokio::test]
async fn r77_r79_r87_forecasts_are_learnt_and_shown_from_the_command_line() {
    let company = Company::start().await;
    let address = company.up.address;
    let early = run(address, &["forecast", "portfolio"]).await;
    assert_eq!(early.code, 1);
    assert!(early.err.contains("TrainForecast"), "what to do first is said: {}", early.err);
    let none = done(address, &["forecast", "models"]).await;
    assert!(none.err.contains("There is no forecast model yet: mainstay forecast train."), "{}", none.err);

    let checked = done(address, &["forecast", "train", "--check"]).await.out;
    assert!(checked.contains(" could be kept.\n"), "{checked}");
    let trained = done(address, &["forecast", "train"]).await;
    assert!(trained.err.starts_with("0 % of the accounts are done …\n"), "{}", trained.err);
    let learnt = trained.out;
    assert!(learnt.starts_with("forecastModels/1 makes the forecasts now.\n"), "{learnt}");
    for part in ["\nOf            churn within 90 days\n", "\nemails_sum  ", "FORECAST", "95 % INTERVAL"] {
        assert!(learnt.contains(part), "`{part}` is missing in:\n{learnt}");
    }
    let listed = done(address, &["operations", "list"]).await.out;
    let row: Vec<&str> = listed.lines().nth(1).expect("an operation").split_whitespace().collect();
    assert_eq!(row[1..7], ["training", "of", "a", "forecast", "601", "601"], "{listed}");
    let models = done(address, &["forecast", "models"]).await.out;
    assert!(models.starts_with("MODEL  LEARNT      HORIZON"), "{models}");
    assert!(models.lines().nth(1).is_some_and(|line| line.starts_with("1 ") && line.contains("90 days")), "{models}");

    let portfolio = done(address, &["forecast", "portfolio", "--days", "30"]).await.out;
    assert!(portfolio.starts_with("What can be expected to be lost, as of 20"), "{portfolio}");
    assert!(portfolio.contains("\nWithin 30 days, by forecastModels/1.\n"), "{portfolio}");
    let markdown = done(address, &["forecast", "portfolio", "--output", "markdown"]).await.out;
    assert!(markdown.starts_with("# What can be expected to be lost, as of 20"), "{markdown}");
    assert!(markdown.contains("\n| SEGMENT | ACCOUNTS | LEAVE |"), "{markdown}");
    let csv = done(address, &["forecast", "portfolio", "--csv"]).await.out;
    assert!(csv.lines().count() > 3 && csv.lines().next().is_some_and(|titles| titles.contains(',')), "{csv}");
    let refused = run(address, &["forecast", "portfolio", "--csv", "--output", "json"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("--csv and --output json are two formats: leave one of them out"), "{}", refused.err);

    let sql = "SELECT account_id FROM scoring.accounts WHERE lifecycle_stage = 3 ORDER BY account_id LIMIT 1";
    let customer: String = sqlx::query_scalar(sql).fetch_one(company.database.pool()).await.expect("a customer");
    let one = done(address, &["forecast", "account", &customer]).await.out;
    assert!(one.starts_with(&format!("{customer} leaves within 90 days with a probability of ")), "{one}");
    assert!(one.contains("\nemails_sum  "), "{one}");
    let unknown = run(address, &["forecast", "account", "nobody"]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("accounts/nobody does not exist"), "{}", unknown.err);
}

#[tokio::test]
async fn a_forecast_is_trained_without_waiting_for_it_and_the_refusal_of_one_is_told() {
    let company = Company::start().await;
    let address = company.up.address;
    let begun = done(address, &["forecast", "train", "--detach"]).await.err;
    let id = begun.trim_end().strip_prefix("Begun: mainstay operations wait ").expect("an operation").to_owned();
    let over = done(address, &["operations", "wait", &id]).await;
    assert!(over.err.ends_with(&format!("operations/{id} is done.\n")), "{}", over.err);
    assert!(done(address, &["forecast", "model"]).await.out.contains("churn within 90 days"));

    company.sql("UPDATE scoring.accounts SET lifecycle_stage = 3, churned_at = NULL").await;
    let refused = run(address, &["forecast", "train"]).await;
    assert!(refused.code == 1 && refused.err.contains("0 customers left: at least 20 must have"), "{}", refused.err);
    let refused = run(address, &["forecast", "train", "--output", "json"]).await;
    assert!(refused.code == 1 && refused.err.contains("\"TOO_LITTLE_DATA\""), "{}", refused.err);
}

#[tokio::test]
async fn r215_keeping_customers_is_compared_with_winning_new_ones_from_the_command_line() {
    let company = Company::start().await;
    let address = company.up.address;
    done(address, &["forecast", "train"]).await;
    let channel = "Partner channel,90000 EUR,200000 EUR,0.6";
    let compare = ["forecast", "compare", "--cost", "1200 EUR", "--prevented", "0.2", "--project", channel];
    let shown = done(address, &compare).await.out;
    assert!(shown.starts_with("Keeping customers and winning new ones, as of "), "{shown}");
    for part in ["\nINVESTMENT ", "\nkeeping customers   1,200.00 EUR ", "\nPartner channel    90,000.00 EUR "] {
        assert!(shown.contains(part), "`{part}` is missing in:\n{shown}");
    }
    let csv = done(address, &[compare.as_slice(), &["--csv", "losses"]].concat()).await.out;
    assert!(
        csv.starts_with("loss,arr,expected_loss,kept_customer_months,month_limit,value_at_stake\nexpected,"),
        "{csv}"
    );
    let markdown = done(address, &[compare.as_slice(), &["--output", "markdown"]].concat()).await.out;
    assert!(markdown.contains("\n| Partner channel | 90,000.00 EUR | "), "{markdown}");
    let refused = run(address, &["forecast", "compare", "--cost", "1200"]).await;
    assert!(refused.code == 2 && refused.err.contains("write `1200 EUR`"), "{}", refused.err);
    let refused = run(address, &["forecast", "compare", "--cost", "1200 EUR", "--prevented", "20"]).await;
    assert!(refused.code == 1 && refused.err.contains("prevented_share"), "{}", refused.err);
}

#[tokio::test]
async fn r66_r88_renewals_are_listed_forecast_and_called_from_the_command_line() {
    let company = Company::start().await;
    let address = company.up.address;
    company.sql(DUE).await;
    let early = done(address, &["renewals", "forecast"]).await;
    assert!(early.err.contains("mainstay forecast train"), "{}", early.err);
    done(address, &["forecast", "train"]).await;

    let listed = done(address, &["renewals", "list", "--open", "--limit", "2"]).await;
    assert!(listed.out.starts_with("DUE         ACCOUNT"), "{}", listed.out);
    let rows: Vec<&str> = listed.out.lines().skip(1).collect();
    assert!(rows[0].starts_with("2061-02-01  account-") && rows[0].contains('%'), "{}", listed.out);
    assert_eq!(rows.len(), 2);
    assert!(listed.err.contains("The first 2 renewals; --limit 0 shows all."), "{}", listed.err);
    let id = rows[0].split_whitespace().nth(1).expect("an account").to_owned();

    let call = ["renewals", "call", &id, "at-risk", "--by", "sam@example.com", "--note", "new CFO"];
    let called = done(address, &call).await.out;
    assert!(called.starts_with(&format!("{id}, due on 2061-02-01: at risk; the model says ")), "{called}");
    let csv = done(address, &["renewals", "list", "--csv", "--to", "2061-03-01"]).await.out;
    assert!(csv.lines().nth(1).is_some_and(|line| line.ends_with(",at risk,sam@example.com,,")), "{csv}");
    let refused = run(address, &["renewals", "call", "nobody", "commit", "--by", "sam@example.com"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("accounts/nobody does not exist"), "{}", refused.err);

    let markdown = done(address, &["renewals", "forecast", "--quarters", "1", "--output", "markdown"]).await.out;
    assert!(markdown.starts_with("# Renewals to come, as of 20"), "{markdown}");
    let head = "\n| QUARTER | DUE | WITH FORECAST | RENEW | FROM | TO | COMMIT | LIKELY | AT RISK | CHURN | MODEL |\n| --- | ---: |";
    assert!(markdown.contains(head), "{markdown}");
    let csv = done(address, &["renewals", "forecast", "--quarters", "2", "--csv", "quarters"]).await.out;
    let rows: Vec<&str> = csv.lines().collect();
    let titles = "quarter,renewals,renewals_forecast,expected_renewals,expected_renewals_low,expected_renewals_high,\
                  called_commit,called_likely,called_at_risk,called_churn,forecast_model";
    assert!(rows.len() == 3 && rows[0] == titles && rows[1].ends_with(",0,0,0,0,1"), "{csv}");
    let csv = done(address, &["renewals", "forecast", "--csv", "revenues"]).await.out;
    assert_eq!(
        csv, "quarter,arr,forecast_arr,expected_arr,expected_arr_low,expected_arr_high\n",
        "none is due so soon"
    );
    let refused = run(address, &["renewals", "forecast", "--quarters", "13"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("quarter_count") && refused.err.contains("must be 1 to 12"), "{}", refused.err);
}

#[tokio::test]
async fn r51_r201_what_renewed_and_stayed_is_reported_from_the_command_line() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let csv =
        "id,name,segment,arr,renewal_date\nacme,Acme,smb,1200 EUR,2060-01-01\nglobex,Globex,smb,900 EUR,2060-02-01\n";
    done(up.address, &["import", "accounts", &write(folder.path(), "accounts.csv", csv)]).await;
    let renewed = write(folder.path(), "renewed.csv", "id,renewal_date\nacme,2061-01-01\n");
    done(up.address, &["import", "accounts", &renewed]).await;
    let listed = done(up.address, &["renewals", "list"]).await.out;
    let rows: Vec<Vec<&str>> = listed.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["2060-01-01", "acme", "Acme", "smb", "1,200.00", "EUR", "–", "–", "renewed"], "{listed}");
    assert_eq!((rows[1][1], rows[2][0]), ("globex", "2061-01-01"), "{listed}");
    let report = done(up.address, &["renewals", "report"]).await.out;
    assert!(report.starts_with("What became of renewals, as of 20"), "{report}");
    assert!(
        report.contains(" 0        0        0     –     –   –   85.0%\n"),
        "none was due in the last year: {report}"
    );
    assert!(report.contains("\nOf no decided renewal people and a forecast model said something.\n"), "{report}");
    let csv = done(up.address, &["renewals", "report", "--csv", "summary"]).await.out;
    let titles =
        "start_day,end_day,renewed,churned,undecided,renewal_rate,renewal_rate_low,renewal_rate_high,target_rate\n";
    assert!(csv.starts_with(titles) && csv.ends_with(",0,0,0,,,,0.85\n"), "{csv}");
    let csv = done(up.address, &["renewals", "report", "--csv", "accuracy"]).await.out;
    assert_eq!(csv, "calls,people_brier,model_brier\n");
    let refused = run(up.address, &["renewals", "report", "--from", "2026-02-01", "--to", "2026-01-01"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("end_day") && refused.err.contains("must be after start_day"), "{}", refused.err);
    let retention = done(up.address, &["renewals", "retention"]).await;
    assert!(retention.out.starts_with("Retention of revenue, as of 20"), "{}", retention.out);
    assert!(retention.out.contains("\nNo revenue is known of those who were customers then.\n"), "{}", retention.out);
    assert!(retention.out.contains("KNOWN SINCE"), "{}", retention.out);
    let csv = done(up.address, &["renewals", "retention", "--csv", "revenues"]).await.out;
    let titles = "customers,start_arr,churned_arr,contraction_arr,expansion_arr,gross_retention,net_retention\n";
    assert_eq!(csv, titles);
}
