//! The statements, built once for a schema.

use mainstay_storage::SchemaName;

#[derive(Debug)]
pub(crate) struct Statements {}

impl Statements {
    pub(crate) fn new(_schema: &SchemaName) -> Self {
        Self {}
    }
}
