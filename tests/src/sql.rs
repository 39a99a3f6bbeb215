//! Whose tables a statement names.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::Violation;
use crate::files::TextFile;
use crate::source::Source;

const AMBIENT_TIME: [&str; 6] =
    ["clock_timestamp", "current_date", "current_timestamp", "localtimestamp", "now", "transaction_timestamp"];
/// Functions in which `FROM` names no table.
const FROM_INSIDE: [&str; 5] = ["extract", "overlay", "position", "substring", "trim"];
/// Words that may follow a table, and are not another name for it.
const CLAUSES: [&str; 22] = [
    "cross",
    "do",
    "except",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "on",
    "order",
    "returning",
    "right",
    "set",
    "union",
    "using",
    "where",
    "window",
];

/// Checks the statements in the string literals of a file in the storage of the service `own`.
pub fn check(file: &TextFile, own: &str, others: &[String]) -> Result<Vec<Violation>> {
    let source = Source::parse(&file.text).with_context(|| file.path.clone())?;
    let statements = source.strings.iter().filter(|string| is_statement(&string.text));
    Ok(statements.flat_map(|string| check_statement(&file.path, string.line, &string.text, own, others)).collect())
}

/// Checks a migration: its tables are in the schema that it is given.
pub fn check_migration(file: &TextFile, others: &[String]) -> Vec<Violation> {
    check_statement(&file.path, 1, &file.text, "{schema}", others)
}

fn is_statement(text: &str) -> bool {
    tokens(text).iter().any(|token| ["SELECT", "INSERT", "UPDATE", "DELETE", "FROM", "JOIN"].contains(&&*token.text))
}

#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut line = 0;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '\n' => {
                line += 1;
                1
            }
            '\'' => 1 + rest[1..].find('\'').map_or(rest.len() - 1, |end| end + 1),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '{' => rest.find('}').map_or(rest.len(), |end| end + 1),
            _ if is_word(next) => rest.find(|other| !is_word(other)).unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        let token = &rest[..length];
        if next == '\'' {
            line += token.matches('\n').count();
        } else if !next.is_whitespace() && !token.starts_with("--") {
            found.push(Token { text: token.to_owned(), line });
        }
        rest = &rest[length..];
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

struct Statement<'a> {
    tokens: &'a [Token],
    own: &'a str,
    /// Names that the statement itself gives to queries.
    named: BTreeSet<&'a str>,
}

fn check_statement(file: &str, first_line: usize, text: &str, own: &str, others: &[String]) -> Vec<Violation> {
    let tokens = tokens(text);
    let mut statement = Statement { tokens: &tokens, own, named: BTreeSet::new() };
    statement.named = (0..tokens.len()).filter_map(|at| statement.named_query(at)).collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let messages = [statement.tables(at).err(), statement.foreign(at, others), statement.ambient_time(at)];
        let violations = messages.into_iter().flatten();
        found.extend(violations.map(|message| Violation::new(file, first_line + token.line, message)));
    }
    found
}

impl<'a> Statement<'a> {
    fn at(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.at(at).eq_ignore_ascii_case(word))
    }

    fn before(&self, at: usize, words: &[&str]) -> bool {
        at > 0 && self.is(at - 1, words)
    }

    /// `name AS (`, `name (columns) AS MATERIALIZED (`.
    fn named_query(&self, at: usize) -> Option<&'a str> {
        let follows = self.behind_group(at + 1);
        let is_named = self.is(follows, &["as"]) && self.is(follows + 1, &["(", "materialized", "not"]);
        is_named.then(|| self.at(at))
    }

    /// The place behind a group in parentheses, if one begins here.
    fn behind_group(&self, at: usize) -> usize {
        let mut depth = 0;
        for next in at..self.tokens.len() {
            match self.at(next) {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return if next == at { at } else { next + 1 };
            }
        }
        self.tokens.len()
    }

    /// Checks the tables behind a word that is followed by some.
    fn tables(&self, at: usize) -> Result<(), String> {
        let names_table = self.is(at, &["join", "into", "references"])
            || self.is(at, &["table"]) && !self.before(at, &["unlogged", "temporary"])
            || self.is(at, &["update"]) && !self.before(at, &["for", "do", "key", "on", "before", "after", "or"])
            || self.is(at, &["from"]) && !self.before(at, &["distinct"]) && !self.is_inside_function(at);
        if !names_table {
            return Ok(());
        }
        let mut next = at + 1;
        loop {
            while self.is(next, &["only", "lateral", "if", "not", "exists"]) {
                next += 1;
            }
            next = self.table(next, !self.is(at, &["into", "table", "references"]))?;
            if !(self.is(at, &["from"]) && self.at(next) == ",") {
                return Ok(());
            }
            next += 1;
        }
    }

    /// Checks one table, query or function and returns the place behind it and its other name.
    fn table(&self, at: usize, may_be_function: bool) -> Result<usize, String> {
        let name = self.at(at);
        let mut next = at + 1;
        if name == "(" {
            next = self.behind_group(at);
        } else if self.at(next) == "." {
            if name != self.own {
                return Err(format!("`{name}.{}`: the service's own schema is `{}`", self.at(next + 1), self.own));
            }
            next += 2;
        } else if may_be_function && self.at(next) == "(" {
            next = self.behind_group(next);
        } else if !self.named.contains(name) {
            return Err(format!("`{name}` without its schema: write `{}.{name}`", self.own));
        }
        if self.is(next, &["with"]) && self.is(next + 1, &["ordinality"]) {
            next += 2;
        }
        if self.is(next, &["as"]) {
            next += 2;
        } else if self.at(next).starts_with(is_word) && !self.is(next, &CLAUSES) {
            next += 1;
        }
        Ok(self.behind_group(next))
    }

    fn is_inside_function(&self, at: usize) -> bool {
        let mut depth = 0;
        for place in (0..at).rev() {
            match self.at(place) {
                ")" => depth += 1,
                "(" if depth == 0 => return self.before(place, &FROM_INSIDE),
                "(" => depth -= 1,
                _ => {}
            }
        }
        false
    }

    fn foreign(&self, at: usize, others: &[String]) -> Option<String> {
        let name = self.at(at);
        let foreign = self.at(at + 1) == "." && others.iter().any(|other| other == name);
        foreign.then(|| format!("`{name}.{}` belongs to another service: ask it by RPC", self.at(at + 2)))
    }

    fn ambient_time(&self, at: usize) -> Option<String> {
        let takes = self.is(at, &AMBIENT_TIME)
            && (self.at(at + 1) == "(" || !self.is(at, &["now", "clock_timestamp", "transaction_timestamp"]));
        takes.then(|| format!("`{}` in a statement: time comes from `Clock`", self.at(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str) -> Vec<String> {
        let others = ["surveys".to_owned()];
        check_statement("x.rs", 1, sql, "scoring", &others).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn statements_on_the_own_schema_pass() {
        for good in [
            "SELECT a.x FROM scoring.accounts AS a JOIN scoring.health h ON a.id = h.id, scoring.models WHERE a.x IS DISTINCT FROM h.x",
            "WITH given AS (SELECT 1), more (a, b) AS MATERIALIZED (SELECT 2) SELECT * FROM given, more",
            "INSERT INTO scoring.accounts (id) SELECT id FROM unnest($1::text[]) WITH ORDINALITY AS given (id, n), scoring.x ON CONFLICT (id) DO UPDATE SET n = 1",
            "SELECT 1 FROM scoring.accounts ORDER BY id FOR UPDATE SKIP LOCKED",
            "DELETE FROM scoring.accounts USING x WHERE extract(year FROM t) = 1 AND y = 'FROM surveys.x'",
            "UPDATE scoring.accounts SET n = n + 1 -- FROM other\n FROM (SELECT 1) AS s (n), LATERAL f(x) t",
        ] {
            assert_eq!(found(good), [] as [&str; 0], "{good}");
        }
    }

    #[test]
    fn names_without_a_schema_or_of_another_are_refused() {
        for bad in [
            "SELECT 1 FROM accounts",
            "SELECT 1 FROM scoring.accounts a, health",
            "SELECT 1 FROM scoring.accounts JOIN health ON true",
            "INSERT INTO accounts (id) VALUES (1)",
            "UPDATE accounts SET n = 1",
            "DELETE FROM public.accounts",
            "SELECT 1 FROM (SELECT 1 FROM accounts) x",
            "SELECT 1 FROM unnest($1) AS given (id), accounts",
            "SELECT surveys.rate(1)",
        ] {
            assert_eq!(found(bad).len(), 1, "{bad}: {:?}", found(bad));
        }
        assert!(!found("SELECT 1 FROM surveys.responses").is_empty());
    }

    #[test]
    fn the_database_does_not_tell_the_time() {
        assert_eq!(found("UPDATE scoring.accounts SET at = now()").len(), 1);
        assert_eq!(
            found("UPDATE scoring.accounts SET at = CURRENT_TIMESTAMP, now = $1"),
            found("SELECT CURRENT_TIMESTAMP")
        );
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let file =
            TextFile { path: "x.rs".into(), text: "fn f() {\n  query!(\"SELECT 1\n FROM accounts\");\n}".into() };
        let violations = check(&file, "scoring", &[]).expect("Rust");
        assert_eq!(violations.iter().map(|violation| violation.line).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn migrations_stay_in_the_schema_they_are_given() {
        let file = |sql: &str| TextFile { path: "0001_x.sql".into(), text: sql.into() };
        let good = "CREATE TABLE {schema}.a (id text REFERENCES {schema}.b (id) ON UPDATE CASCADE);\nCREATE TABLE IF NOT EXISTS {schema}.c ();";
        assert_eq!(check_migration(&file(good), &[]), []);
        for bad in [
            "CREATE TABLE a (id text)",
            "CREATE TABLE scoring.a ()",
            "CREATE TABLE {schema}.a (id text REFERENCES b (id))",
        ] {
            assert_eq!(check_migration(&file(bad), &[]).len(), 1, "{bad}");
        }
    }
}
