//! Models as files that people write, review and compare.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use mainstay_api::mainstay::scoring::v1::{ActivateModelRequest, CreateModelRequest, Model, Segment};
use mainstay_clients::retrying;
use mainstay_domain::Violations;
use mainstay_scoring::domain::{HealthModel, ModelDraft, parse_model_file, write_model_file};
use mainstay_scoring::{model_draft, model_message};

use crate::command::model_activation::{activated, make_active};
use crate::command::models::{client, get, new_request_id};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::words::{id_of, model_name};

pub(crate) const APPLY_HELP: &str = "\
A model is never changed: to change one, give the file another name (`name: models/…`). All
faults of a model are told at once, by their place.

Examples:
  mainstay models get active --yaml > model.yaml     a model to begin with
  mainstay models apply model.yaml --check           say what is wrong with it, create nothing
  mainstay models apply model.yaml --activate        create it, and score by it from today on";

/// Which file, and what to do with it.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// The file, YAML, or - for the standard input
    file: PathBuf,
    /// Make it the model that scores from today on
    #[arg(long, conflicts_with = "check")]
    activate: bool,
    /// Have the server check it, and create nothing
    #[arg(long)]
    check: bool,
}

/// Creates a model from a file.
pub(crate) async fn apply(
    arguments: &ApplyArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let draft = read(&arguments.file)?;
    let request = CreateModelRequest {
        model_id: id_of(&draft.name).to_owned(),
        model: Some(model_message(draft)),
        request_id: new_request_id(),
        validate_only: arguments.check,
    };
    let created = retrying(&connection.retries, async || client(connection).create_model(request.clone()).await);
    let mut model = created.await?.into_inner();
    if arguments.activate {
        let id = id_of(&model.name).to_owned();
        let request = ActivateModelRequest { name: model.name, ..ActivateModelRequest::default() };
        let activated = make_active(request, connection).await;
        model = activated
            .inspect_err(|_| note(&format!("{id} is created; `mainstay models get {id}` says whether it scores.")))?;
    }
    if output.is_json() {
        output.json_object(&model)?;
        return Ok(());
    }
    let id = id_of(&model.name);
    output.line(&match (arguments.check, arguments.activate) {
        (true, _) => format!("{id} can be created."),
        (false, true) => activated(&model, Segment::Unspecified),
        (false, false) => format!("{id} is created; `mainstay models activate {id}` has it score."),
    })?;
    Ok(())
}

/// Shows in which lines two models differ, each a model by id or a file.
pub(crate) async fn diff_lines(
    from: &str,
    to: &str,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let before = text_of(from, connection).await?;
    let after = text_of(to, connection).await?;
    if before == after {
        output.line("They are the same.")?;
        return Ok(());
    }
    output.line(&format!("--- {from}\n+++ {to}"))?;
    for line in changed_lines(&before, &after) {
        output.line(&line)?;
    }
    Ok(())
}

/// A model as YAML.
pub(crate) fn yaml(model: Model) -> Result<String, Failure> {
    written(&model_draft(model))
}

fn written(draft: &ModelDraft) -> Result<String, Failure> {
    write_model_file(draft).map_err(|fault| Failure::Usage(format!("the model cannot be written as YAML: {fault}")))
}

async fn text_of(given: &str, connection: &Connection) -> Result<String, Failure> {
    let path = Path::new(given);
    if is_file(path) {
        // Checked, so that it is written with the defaults that the server would fill in.
        let model = HealthModel::from_draft(read(path)?)
            .map_err(|faults| Failure::Usage(format!("{given} is not a model: {}", told(&faults))))?;
        return written(&model.to_draft());
    }
    yaml(get(model_name(given)?, connection).await?)
}

fn told(faults: &Violations) -> String {
    faults.iter().map(|fault| format!("{} {}", fault.field, fault.description)).collect::<Vec<_>>().join("; ")
}

/// Whether an argument stands for a file and not for a model's id.
pub(crate) fn is_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The model that a file, or - for the standard input, has.
pub(crate) fn read(path: &Path) -> Result<ModelDraft, Failure> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = read.map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))?;
    parse_model_file(&text).map_err(|fault| Failure::Usage(format!("{}: {fault}", path.display())))
}

/// The lines of both texts in order: `-` only in the first, `+` only in the
/// second, with two lines around for orientation. By the longest common
/// subsequence, which is quick enough for texts of some hundred lines.
fn changed_lines(from: &str, to: &str) -> Vec<String> {
    const AROUND: usize = 2;
    let lines = merged(&from.lines().collect::<Vec<_>>(), &to.lines().collect::<Vec<_>>());
    let is_near = |place: usize| {
        let near = place.saturating_sub(AROUND)..(place + AROUND + 1).min(lines.len());
        lines[near].iter().any(|(mark, _)| *mark != ' ')
    };
    let mut shown = Vec::new();
    let mut last = None;
    for (place, (mark, line)) in lines.iter().enumerate().filter(|(place, _)| is_near(*place)) {
        if last.is_some_and(|last| last + 1 < place) {
            shown.push("  …".to_owned());
        }
        shown.push(format!("{mark} {line}"));
        last = Some(place);
    }
    shown
}

fn merged<'t>(from: &[&'t str], to: &[&'t str]) -> Vec<(char, &'t str)> {
    let mut common = vec![vec![0_u32; to.len() + 1]; from.len() + 1];
    for (row, line) in from.iter().enumerate().rev() {
        for (column, other) in to.iter().enumerate().rev() {
            common[row][column] = if line == other {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut lines = Vec::with_capacity(from.len().max(to.len()));
    while row < from.len() || column < to.len() {
        if row < from.len() && column < to.len() && from[row] == to[column] {
            lines.push((' ', from[row]));
            (row, column) = (row + 1, column + 1);
        } else if column == to.len() || (row < from.len() && common[row + 1][column] >= common[row][column + 1]) {
            lines.push(('-', from[row]));
            row += 1;
        } else {
            lines.push(('+', to[column]));
            column += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use mainstay_scoring::domain::DEFAULT_MODEL;

    use super::*;

    #[test]
    fn a_model_is_the_same_text_after_the_way_over_the_wire() {
        let draft = parse_model_file(DEFAULT_MODEL).expect("reads");
        assert_eq!(yaml(model_message(draft)).expect("writes"), DEFAULT_MODEL);
    }

    #[test]
    fn changed_lines_stand_with_their_surroundings() {
        let from = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk";
        let to = "a\nb\nC\nd\ne\nf\ng\nh\ni\nj\nk\nl";
        let expected = ["  a", "  b", "- c", "+ C", "  d", "  e", "  …", "  j", "  k", "+ l"];
        assert_eq!(changed_lines(from, to), expected);
        assert!(changed_lines(from, from).is_empty());
        assert_eq!(changed_lines("", "a"), ["+ a"]);
    }
}
