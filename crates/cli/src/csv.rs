//! Answers as CSV (RFC 4180), for spreadsheets: figures as they are, without rounding.

/// A line of fields. Those that need it are quoted.
pub(crate) fn csv_line(fields: &[String]) -> String {
    let field = |field: &String| {
        let is_quoted = field.contains([',', '"', '\r', '\n']) || field.trim() != field;
        if is_quoted { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.clone() }
    };
    fields.iter().map(field).collect::<Vec<_>>().join(",")
}

/// A figure; empty for none.
pub(crate) fn figure<T: ToString>(figure: Option<T>) -> String {
    figure.map(|figure| figure.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_a_reader_would_part_them_otherwise() {
        let fields = ["plain", "", "a,b", "say \"hi\"", "two\nlines", " spaced"].map(str::to_owned);
        assert_eq!(csv_line(&fields), "plain,,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\" spaced\"");
        assert_eq!((figure(Some(0.25)), figure(None::<f64>)), ("0.25".to_owned(), String::new()));
    }
}
