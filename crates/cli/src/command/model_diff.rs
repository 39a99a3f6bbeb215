//! `mainstay models diff`: in what two models differ.

use std::path::Path;

use clap::Args;
use mainstay_api::mainstay::scoring::v1::model_source::Source;
use mainstay_api::mainstay::scoring::v1::{DiffModelsRequest, MeasureWeights, ModelChange, ModelDiff, ModelSource};
use mainstay_clients::retrying;
use mainstay_scoring::model_message;

use crate::command::model_files;
use crate::command::models::client;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::table;
use crate::words::{id_of, model_name};

pub(crate) const HELP: &str = "\
Components and measures are compared by their ids: their order makes no difference.

Examples:
  mainstay models diff default active
  mainstay models diff active model.yaml             what a file on disk would change
  mainstay models diff active model.yaml --lines     the same as lines of YAML";

/// Most characters of a text in the table: rationales are long.
const TEXT_LENGTH_MAX: usize = 60;

/// Which models to compare.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// A model by id, or a file that ends in .yaml or .yml
    from: String,
    /// The one to compare it with
    to: String,
    /// Show the lines of their YAML that differ
    #[arg(long)]
    lines: bool,
}

/// Shows in what two models differ.
pub(crate) async fn run(
    arguments: &DiffArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    if arguments.lines {
        return model_files::diff_lines(&arguments.from, &arguments.to, connection, output).await;
    }
    let request = DiffModelsRequest { base: Some(source(&arguments.from)?), other: Some(source(&arguments.to)?) };
    let answer = retrying(&connection.retries, async || client(connection).diff_models(request.clone()).await).await?;
    let diff = answer.into_inner();
    if output.is_json() {
        output.json_object(&diff)?;
        return Ok(());
    }
    tell(&diff, output)
}

/// The model that an argument names: a file's, or a stored one.
pub(crate) fn source(given: &str) -> Result<ModelSource, Failure> {
    let path = Path::new(given);
    let source = if model_files::is_file(path) {
        Source::Model(model_message(model_files::read(path)?))
    } else {
        Source::Name(model_name(given)?)
    };
    Ok(ModelSource { source: Some(source) })
}

fn tell(diff: &ModelDiff, output: &mut Output) -> Result<(), Failure> {
    if diff.changes.is_empty() {
        output.line(&format!("{} and {} are the same.", id_of(&diff.base), id_of(&diff.other)))?;
        return Ok(());
    }
    output.line(&format!("From {} to {}:", id_of(&diff.base), id_of(&diff.other)))?;
    output.line("")?;
    let mut changes = table(&["", "WHAT", "BEFORE", "AFTER"]);
    for change in &diff.changes {
        changes.add_row([mark(change), &change.path, &short(&change.before), &short(&change.after)]);
    }
    output.table(changes)?;
    let moved: Vec<&MeasureWeights> = diff.weights.iter().filter(|weights| weights.before != weights.after).collect();
    if !moved.is_empty() {
        output.line("")?;
        let mut weights = table(&["MEASURE", ">SHARE BEFORE", ">AFTER", "NAME"]);
        for measure in moved {
            let (before, after) = (share(measure.before), share(measure.after));
            weights.add_row([measure.measure.clone(), before, after, measure.display_name.clone()]);
        }
        output.table(weights)?;
    }
    Ok(())
}

fn mark(change: &ModelChange) -> &'static str {
    match (change.before.is_empty(), change.after.is_empty()) {
        (true, false) => "+",
        (false, true) => "-",
        _ => "~",
    }
}

/// A share of the score, with the decimal by which small changes are seen.
fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= TEXT_LENGTH_MAX {
        return line;
    }
    let kept: String = line.chars().take(TEXT_LENGTH_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("a\n  b"), "a b");
        let long = "ü".repeat(TEXT_LENGTH_MAX + 1);
        assert_eq!(short(&long), format!("{}…", "ü".repeat(TEXT_LENGTH_MAX - 1)));
        assert_eq!(short(&"ü".repeat(TEXT_LENGTH_MAX)).chars().count(), TEXT_LENGTH_MAX);
    }
}
