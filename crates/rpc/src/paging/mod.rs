//! Keyset pages: sizes, opaque tokens, and the page itself.

mod page;
mod token;

pub use page::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Page, PageRequest, page_size};
pub use token::{decode_token, encode_token};
