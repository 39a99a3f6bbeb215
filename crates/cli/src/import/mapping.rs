//! Which column, or which constant, gives which field.

use std::collections::HashMap;

use crate::import::row::{Header, REJECT_COLUMNS, Row, normalized};

/// A field that can be imported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Its name, which is also that of its column.
    pub(crate) name: &'static str,
    /// Other columns that mean it, the likelier first.
    pub(crate) aliases: &'static [&'static str],
}

impl Field {
    /// A field whose column has its name.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, aliases: &[] }
    }

    /// A field that other columns may mean too.
    pub(crate) const fn with_aliases(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases }
    }
}

/// All fields of what is imported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// Fields with a name of ours.
    pub(crate) named: &'static [Field],
    /// Fields whose name is ours up to a dot, and the caller's behind it.
    pub(crate) prefixes: &'static [&'static str],
    /// Named fields without which there is no use in a row.
    pub(crate) required: &'static [&'static str],
}

impl Fields {
    fn find(&self, field: &str) -> bool {
        self.named.iter().any(|known| known.name == field)
            || self.prefixes.iter().any(|prefix| field.strip_prefix(prefix).is_some_and(|key| !key.is_empty()))
    }
}

/// Which column, or which constant, gives which field.
#[derive(Debug)]
pub(crate) struct Mapping {
    fields: Fields,
    columns: HashMap<String, String>,
    constants: HashMap<String, String>,
}

impl Mapping {
    /// A mapping by `FIELD=COLUMN` and `FIELD=VALUE` pairs.
    pub(crate) fn new(
        fields: Fields,
        columns: &[(String, String)],
        constants: &[(String, String)],
    ) -> Result<Self, String> {
        let mut mapping = Self { fields, columns: HashMap::new(), constants: HashMap::new() };
        for (field, column) in columns {
            let field = mapping.known(field)?;
            if mapping.columns.insert(field.clone(), normalized(column)).is_some() {
                return Err(format!("the field `{field}` is mapped twice"));
            }
        }
        for (field, value) in constants {
            let field = mapping.known(field)?;
            if mapping.columns.contains_key(&field) {
                return Err(format!("the field `{field}` is mapped and also given as a constant"));
            }
            if mapping.constants.insert(field.clone(), value.clone()).is_some() {
                return Err(format!("the field `{field}` is given as a constant twice"));
            }
        }
        Ok(mapping)
    }

    fn known(&self, field: &str) -> Result<String, String> {
        let field = normalized(field);
        if self.fields.find(&field) {
            return Ok(field);
        }
        let names = self.fields.named.iter().map(|known| known.name.to_owned());
        let prefixes = self.fields.prefixes.iter().map(|prefix| format!("{prefix}…"));
        let all = names.chain(prefixes).collect::<Vec<_>>().join(", ");
        Err(format!("there is no field `{field}`; the fields are {all}"))
    }

    /// Checks the columns of a file before its rows are read: each mapped one is there, those of required
    /// fields are, and each once.
    pub(crate) fn check(&self, header: &Header) -> Result<(), String> {
        let absent: Vec<&str> = self.mapped_columns().filter(|column| header.place(column).is_none()).collect();
        if !absent.is_empty() {
            let titles = header.titles.join(", ");
            return Err(format!("the file has no column `{}`; its columns are {titles}", absent.join("`, `")));
        }
        let repeated = header.repeated();
        if !repeated.is_empty() {
            return Err(format!("the file has the column `{}` twice", repeated.join("`, `")));
        }
        match self.fields.required.iter().find(|field| !self.names(field, header)) {
            Some(field) => Err(format!(
                "no column gives the field `{field}`: say which does with --map {field}=COLUMN; the columns are {}",
                header.titles.join(", ")
            )),
            None => Ok(()),
        }
    }

    /// The columns that fields are mapped to, normalized, in their order.
    pub(crate) fn mapped_columns(&self) -> impl Iterator<Item = &str> {
        let mut columns: Vec<&str> = self.columns.values().map(String::as_str).collect();
        columns.sort_unstable();
        columns.into_iter()
    }

    /// The titles of the columns that no field uses.
    pub(crate) fn unused<'h>(&self, header: &'h Header) -> Vec<&'h str> {
        let used: Vec<usize> = self.fields.named.iter().filter_map(|field| self.place(field, header)).collect();
        let is_unused = |(place, title): &(usize, &String)| {
            let column = normalized(title);
            !used.contains(place)
                && !self.columns.values().any(|mapped| *mapped == column)
                && !self.fields.prefixes.iter().any(|prefix| column.starts_with(prefix))
                && !REJECT_COLUMNS.contains(&column.as_str())
        };
        header.titles.iter().enumerate().filter(is_unused).map(|(_, title)| title.as_str()).collect()
    }

    /// Whether rows with these columns say something of a named field, be it that it is empty.
    pub(crate) fn names(&self, name: &str, header: &Header) -> bool {
        let field = self.fields.named.iter().find(|field| field.name == name);
        self.constants.contains_key(name) || field.is_some_and(|field| self.place(field, header).is_some())
    }

    /// Whether rows with these columns say something of a field that begins with a prefix.
    pub(crate) fn names_below(&self, prefix: &str, header: &Header) -> bool {
        let mapped = self.columns.iter().filter(|(_, column)| header.place(column).is_some()).map(|(field, _)| field);
        let mut fields = self.constants.keys().chain(mapped);
        fields.any(|field| field.starts_with(prefix))
            || header.titles.iter().any(|title| normalized(title).starts_with(prefix))
    }

    /// The place of the column that gives a named field.
    fn place(&self, field: &Field, header: &Header) -> Option<usize> {
        if let Some(column) = self.columns.get(field.name) {
            return header.place(column);
        }
        if self.constants.contains_key(field.name) {
            return None;
        }
        header.place(field.name).or_else(|| field.aliases.iter().find_map(|alias| header.place(alias)))
    }

    /// The value of a named field in a row; `None` when it is empty or not there.
    pub(crate) fn value<'r>(&'r self, name: &str, row: &'r Row) -> Option<&'r str> {
        if let Some(constant) = self.constants.get(name) {
            return Some(constant);
        }
        let field = self.fields.named.iter().find(|field| field.name == name)?;
        let value = row.values.get(self.place(field, &row.header)?)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The keys and values of the fields that begin with a prefix, by key.
    pub(crate) fn values_below<'r>(&'r self, prefix: &str, row: &'r Row) -> Vec<(String, &'r str)> {
        let mut found: HashMap<String, &str> = HashMap::new();
        for (title, value) in row.header.titles.iter().zip(&row.values) {
            if let Some(key) = normalized(title).strip_prefix(prefix) {
                found.insert(key.to_owned(), value.trim());
            }
        }
        for (field, column) in &self.columns {
            let value = row.header.place(column).and_then(|place| row.values.get(place));
            if let (Some(key), Some(value)) = (field.strip_prefix(prefix), value) {
                found.insert(key.to_owned(), value.trim());
            }
        }
        for (field, value) in &self.constants {
            if let Some(key) = field.strip_prefix(prefix) {
                found.insert(key.to_owned(), value);
            }
        }
        let mut pairs: Vec<_> = found.into_iter().filter(|(key, value)| !key.is_empty() && !value.is_empty()).collect();
        pairs.sort_unstable();
        pairs
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;

    const FIELDS: Fields = Fields {
        named: &[Field::with_aliases("account", &["account_id", "id"]), Field::new("plan"), Field::new("seats")],
        prefixes: &["label."],
        required: &["account"],
    };

    /// A row of these columns and values, on line 2.
    pub(crate) fn row(pairs: &[(&str, &str)]) -> Row {
        let titles = pairs.iter().map(|(title, _)| (*title).to_owned()).collect();
        let values = pairs.iter().map(|(_, value)| (*value).to_owned()).collect();
        Row { line: 2, header: Arc::new(Header::new(titles)), values, text: String::new() }
    }

    /// Pairs as the command line gives them.
    pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn columns_of_the_same_name_are_found_without_being_told() {
        let mapping = Mapping::new(FIELDS, &[], &[]).expect("fields of ours");
        let row = row(&[("ID", " acme "), ("Plan", " "), ("Label.sales-region", "EMEA"), ("label.empty", "")]);
        assert_eq!(mapping.value("account", &row), Some("acme"));
        assert_eq!(mapping.value("plan", &row), None);
        assert_eq!(mapping.values_below("label.", &row), [("sales-region".to_owned(), "EMEA")]);
    }

    #[test]
    fn mapped_columns_and_constants_come_before_names() {
        let columns = pairs(&[("account", "CRM Id"), ("label.region", "Area")]);
        let mapping = Mapping::new(FIELDS, &columns, &pairs(&[("plan", "pro"), ("label.tier", "a")])).expect("fields");
        let row = row(&[("account", "wrong"), ("crm-id", "right"), ("plan", "basic"), ("area", "EMEA")]);
        assert_eq!(mapping.value("account", &row), Some("right"));
        assert_eq!(mapping.value("plan", &row), Some("pro"));
        let labels = [("region".to_owned(), "EMEA"), ("tier".to_owned(), "a")];
        assert_eq!(mapping.values_below("label.", &row), labels);
        assert_eq!(mapping.check(&row.header), Ok(()));
        assert_eq!(mapping.unused(&row.header), ["account", "plan"]);
    }

    #[test]
    fn a_row_names_a_field_by_a_column_that_may_be_empty_or_by_a_constant() {
        let columns = pairs(&[("seats", "licences"), ("label.region", "area")]);
        let mapping = Mapping::new(FIELDS, &columns, &pairs(&[("plan", "pro")])).expect("fields");
        let named = |columns: &[(&str, &str)]| {
            let header = row(columns).header;
            let fields = ["account", "plan", "seats"].into_iter().filter(|field| mapping.names(field, &header));
            (fields.collect::<Vec<_>>(), mapping.names_below("label.", &header))
        };
        assert_eq!(named(&[("id", "a"), ("seats", "5")]), (vec!["account", "plan"], false));
        assert_eq!(named(&[("licences", ""), ("area", "")]), (vec!["plan", "seats"], true));
        assert_eq!(named(&[("label.tier", "")]), (vec!["plan"], true));
    }

    #[test]
    fn what_cannot_be_mapped_is_told_before_a_row_is_read() {
        let fault = Mapping::new(FIELDS, &pairs(&[("accont", "x")]), &[]).expect_err("no such field");
        assert!(fault.contains("`accont`") && fault.contains("account, plan, seats, label.…"), "{fault}");
        assert!(Mapping::new(FIELDS, &pairs(&[("plan", "a"), ("plan", "b")]), &[]).is_err());
        assert!(Mapping::new(FIELDS, &pairs(&[("plan", "a")]), &pairs(&[("plan", "b")])).is_err());
        let mapping = Mapping::new(FIELDS, &pairs(&[("plan", "tariff")]), &[]).expect("fields");
        let fault = mapping.check(&row(&[("id", "")]).header).expect_err("no such column");
        assert_eq!(fault, "the file has no column `tariff`; its columns are id");
        let twice = Mapping::new(FIELDS, &[], &[]).expect("fields").check(&row(&[("id", ""), ("ID", "")]).header);
        assert!(twice.is_err());
        let unnamed = Mapping::new(FIELDS, &[], &[]).expect("fields").check(&row(&[("nr", ""), ("plan", "")]).header);
        let told =
            "no column gives the field `account`: say which does with --map account=COLUMN; the columns are nr, plan";
        assert_eq!(unnamed, Err(told.to_owned()));
    }
}
