//! What Notion's API accepts: parameters and fields, after its reference.

use crate::sandbox::shape::{Field, Kind};

const fn any(name: &'static str) -> Field {
    Field::optional(name, Kind::Anything)
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean)
}

const LIST: Kind = Kind::List(&Kind::Anything);

const MAP: Kind = Kind::Map(&Kind::Anything);

/// How a list is paged.
pub const PAGED: &[Field] = &[any("start_cursor"), Field::optional("page_size", Kind::Integer(1, 100))];

/// Which properties of pages are wanted.
pub const ONLY: &[Field] = &[Field::optional("filter_properties", Kind::List(&Kind::Text))];

/// `comments`, by the page or block that they stand on.
pub const ON_BLOCK: &[Field] = &[Field::required("block_id", Kind::Text)];

/// `search`.
pub const SEARCH: &[Field] = &[
    Field::optional("query", Kind::Text),
    any("sort"),
    any("filter"),
    any("start_cursor"),
    Field::optional("page_size", Kind::Number),
];

/// `data_sources/…/query`.
pub const QUERY: &[Field] = &[
    any("filter"),
    Field::optional("sorts", LIST),
    any("start_cursor"),
    Field::optional("page_size", Kind::Number),
    flag("in_trash"),
];

/// `pages`.
pub const CREATE_PAGE: &[Field] = &[
    Field::required("parent", Kind::Anything),
    Field::optional("properties", MAP),
    Field::optional("children", LIST),
    any("icon"),
    any("cover"),
];

/// `pages/…`.
pub const UPDATE_PAGE: &[Field] = &[
    Field::optional("properties", MAP),
    any("icon"),
    any("cover"),
    flag("in_trash"),
    flag("archived"),
    flag("is_locked"),
];

/// `blocks/…/children`.
pub const APPEND: &[Field] = &[Field::required("children", LIST), Field::optional("after", Kind::Text)];

/// `comments`.
pub const COMMENT: &[Field] =
    &[any("parent"), Field::optional("discussion_id", Kind::Text), Field::required("rich_text", LIST)];
