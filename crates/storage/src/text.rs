//! Text that comes from elsewhere, on its way into a row.

/// At most `characters_max` characters of a text, without the character 0, which PostgreSQL's `text` cannot hold. For
/// what people read, such as errors; not for what is compared.
pub fn storable_text(text: &str, characters_max: usize) -> String {
    text.chars().filter(|character| *character != '\0').take(characters_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_holds_no_nul() {
        assert_eq!(storable_text("a\0b", 2), "ab");
        assert_eq!(storable_text(&"ü".repeat(50), 7).chars().count(), 7);
    }
}
