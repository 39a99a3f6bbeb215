//! What a Rust file names: paths in `use` and in code, macros, string literals.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a file names.
#[derive(Debug, Default)]
pub struct Source {
    /// Paths of two or more parts, all those of a `use`, and macros (`query!`).
    pub paths: Vec<Named>,
    /// Contents of string literals that are not documentation.
    pub strings: Vec<Named>,
}

/// Text at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The path with `::` between its parts, or the string's content.
    pub text: String,
    /// Line in the file, from 1.
    pub line: usize,
}

impl Source {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is not Rust.
    pub fn parse(text: &str) -> Result<Self> {
        let tokens: TokenStream = text.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
        let mut source = Self::default();
        source.walk(tokens);
        Ok(source)
    }

    fn walk(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            at = match &trees[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => at + attribute_to_skip(&trees[at..]),
                TokenTree::Ident(word) if word == "use" => self.use_tree(&trees, at + 1, ""),
                TokenTree::Ident(_) => self.path(&trees, at),
                TokenTree::Group(group) => {
                    self.walk(group.stream());
                    at + 1
                }
                TokenTree::Literal(literal) => {
                    if let Some(text) = string_content(&literal.to_string()) {
                        self.strings.push(Named { text, line: literal.span().start().line });
                    }
                    at + 1
                }
                TokenTree::Punct(_) => at + 1,
            };
        }
    }

    /// Reads a path in code that starts at `at`; returns the place behind it.
    fn path(&mut self, trees: &[TokenTree], at: usize) -> usize {
        let line = trees[at].span().start().line;
        let mut text = trees[at].to_string();
        let mut end = at + 1;
        while let (true, Some(TokenTree::Ident(part))) = (is_separator(trees, end), trees.get(end + 2)) {
            text = format!("{text}::{part}");
            end += 3;
        }
        // A `!=` is no macro.
        let is_macro = is_punct(trees, end, '!') && !is_punct(trees, end + 1, '=');
        if is_macro {
            text.push('!');
        }
        let is_field = at > 0 && is_punct(trees, at - 1, '.');
        if !is_field && (is_macro || text.contains("::")) {
            self.paths.push(Named { text, line });
        }
        end
    }

    /// Reads one branch of a `use` or all of a group's; returns the place behind it.
    fn use_tree(&mut self, trees: &[TokenTree], from: usize, prefix: &str) -> usize {
        let mut text = prefix.to_owned();
        let mut line = None;
        let mut at = from;
        while let Some(tree) = trees.get(at) {
            match tree {
                TokenTree::Ident(word) if word == "as" => at += 1,
                TokenTree::Ident(part) => {
                    if !text.is_empty() {
                        text.push_str("::");
                    }
                    text.push_str(&part.to_string());
                    line = Some(part.span().start().line);
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    text.push_str("::*");
                    line = Some(punct.span().start().line);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {}
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut next = 0;
                    while next < inner.len() {
                        next = self.use_tree(&inner, next, &text) + 1;
                    }
                    line = None;
                }
                _ => break,
            }
            at += 1;
        }
        if let Some(line) = line {
            self.paths.push(Named { text, line });
        }
        at
    }
}

fn is_punct(trees: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_separator(trees: &[TokenTree], at: usize) -> bool {
    is_punct(trees, at, ':') && is_punct(trees, at + 1, ':')
}

/// Number of trees of a `#[doc = "…"]`, which a comment becomes; 1, the `#` alone, for other attributes.
fn attribute_to_skip(trees: &[TokenTree]) -> usize {
    let group_at = if is_punct(trees, 1, '!') { 2 } else { 1 };
    match trees.get(group_at) {
        Some(TokenTree::Group(group)) if group.stream().to_string().starts_with("doc ") => group_at + 1,
        _ => 1,
    }
}

/// Content of a string literal, escapes left as they are.
fn string_content(literal: &str) -> Option<String> {
    let unprefixed = literal.trim_start_matches(['b', 'c', 'r', '#']);
    unprefixed.strip_prefix('"')?.trim_end_matches('#').strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<(String, usize)> {
        Source::parse(text).expect("Rust").paths.into_iter().map(|named| (named.text, named.line)).collect()
    }

    #[test]
    fn uses_are_taken_apart() {
        let found = paths("use sqlx::{PgPool, postgres::{self, PgRow as Row}};\nuse crate::app::*;\nuse tonic;\n");
        let expected = [
            ("sqlx::PgPool", 1),
            ("sqlx::postgres::self", 1),
            ("sqlx::postgres::PgRow", 1),
            ("crate::app::*", 2),
            ("tonic", 3),
        ];
        assert_eq!(found, expected.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn paths_and_macros_in_bodies_are_found() {
        let found =
            paths("fn f(x: tonic::Status) {\n  sqlx::query!(\"a\");\n  let y = a.b() != c;\n  query_as!(A, \"b\") }");
        let expected = [("tonic::Status", 1), ("sqlx::query!", 2), ("query_as!", 4)];
        assert_eq!(found, expected.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn strings_are_found_and_comments_are_not() {
        let source = Source::parse("//! use tonic::x\n/// SELECT\nconst A: &str = r#\"SELECT 1\"#; // tonic::y\n")
            .expect("Rust");
        assert_eq!(source.strings, [Named { text: "SELECT 1".into(), line: 3 }]);
        assert_eq!(source.paths, []);
    }
}
