//! The sections of a report of data quality.

use mainstay_api::mainstay::scoring::v1 as proto;

use super::report_sections::{Section, Value};
use crate::csv::figure;
use crate::words::id_of;

/// Those of a report of data quality.
pub(crate) fn data_sections(report: &proto::DataQualityReport) -> Vec<Section> {
    let summary = [
        (">CUSTOMERS", "customers"),
        (">WITHOUT SCORE", "unscored"),
        (">ON LITTLE DATA", "thin"),
        (">ON OLD DATA", "stale"),
    ];
    let summary = Section::new(("summary", "Customers"), &summary, "").with([vec![
        Value::count(report.account_count),
        Value::count(report.unscored_count),
        Value::count(report.thin_count),
        Value::count(report.stale_count),
    ]]);
    let fields = [("FIELD", "field"), (">MISSING", "missing"), (">SHARE", "missing_share"), ("OWNER", "owner_email")];
    let fields = Section::new(("fields", "What accounts lack"), &fields, "").with(report.fields.iter().map(|one| {
        vec![
            Value::text(&one.field),
            Value::count(one.missing_count),
            Value::percent(one.missing_share),
            Value::text(&one.owner_email),
        ]
    }));
    let sources = [
        ("SOURCE", "source"),
        ("STATE", "state"),
        ("LAST DAY", "last_day"),
        (">DAYS AGO", "silent_days"),
        (">LONGEST PAUSE", "longest_pause_days"),
        ("OWNER", "owner_email"),
    ];
    let sources = Section::new(("sources", "Sources of signals"), &sources, "No signals came in.").with(
        report.sources.iter().map(|one| {
            vec![
                Value::text(&one.source),
                Value::text(if one.is_silent { "silent" } else { "speaks" }),
                Value::text(&one.last_day),
                Value::count(one.silent_days),
                Value::text(figure(one.longest_pause_days)),
                Value::text(&one.owner_email),
            ]
        }),
    );
    let inputs = [("INPUT", "input"), ("STATE", "state")];
    let unread = report.unread_metrics.iter().map(|metric| (format!("metrics/{metric}"), "sent, not read"));
    let awaited = report.awaited_inputs.iter().map(|input| (input.clone(), "read, never sent"));
    let inputs =
        Section::new(("inputs", "Inputs of the model"), &inputs, "All that is read is sent, and the other way round.")
            .with(unread.chain(awaited).map(|(input, state)| vec![Value::text(input), Value::text(state)]));
    let duplicates = [("NAME", "display_name"), (">CUSTOMERS", "customers"), ("ACCOUNTS", "accounts")];
    let duplicates = Section::new(("duplicates", "Customers of the same name"), &duplicates, "There are none.").with(
        report.duplicate_names.iter().map(|one| {
            let accounts: Vec<&str> = one.accounts.iter().map(|account| id_of(account)).collect();
            vec![Value::text(&one.display_name), Value::count(one.account_count), Value::text(accounts.join(" "))]
        }),
    );
    vec![summary, fields, sources, inputs, duplicates, disagreements(report)]
}

fn disagreements(report: &proto::DataQualityReport) -> Section {
    let columns = [
        ("FIELD", "field"),
        ("OWNER", "owner_email"),
        (">CUSTOMERS", "customers"),
        ("ACCOUNT", "account"),
        ("WHO SAYS WHAT", "claims"),
    ];
    let rows = report.disagreements.iter().flat_map(|one| {
        one.accounts.iter().map(|account| {
            let claims = account.claims.iter().map(|claim| format!("{}: {}", claim.source, claim.value));
            vec![
                Value::text(&one.field),
                Value::text(&one.owner_email),
                Value::count(one.account_count),
                Value::text(id_of(&account.account)),
                Value::text(claims.collect::<Vec<_>>().join("; ")),
            ]
        })
    });
    Section::new(
        ("disagreements", "What systems say differently, the first customers of each field"),
        &columns,
        "Nothing that is known of: say which system speaks with `import accounts --source`.",
    )
    .with(rows)
}

#[cfg(test)]
mod tests {
    use super::super::report_sections::assert_asked_for_by;
    use super::*;
    use crate::command::reports::DataSection;

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        assert_asked_for_by::<DataSection>(&data_sections(&proto::DataQualityReport::default()));
    }
}
