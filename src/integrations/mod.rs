//! The catalog: every vendor that Switchboard speaks with, one line each.

use crate::{text::Transformation, tool::Integration};

/// Names each integration once: its module, and its row in [`ALL`].
macro_rules! integrations {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every integration, in the order in which the console shows them.
        pub const ALL: &[&Integration] = &[$(&$name::INTEGRATION),*];
    };
}

mod google;

#[doc(hidden)]
pub use gmail::shown as mail_as_shown;

integrations!(google_calendar, gmail, slack, airtable, google_sheets, notion, salesforce, hubspot);

/// What the integrations make of texts of callers and vendors, for the tests that hold it to its bounds.
#[doc(hidden)]
pub fn transformations() -> impl Iterator<Item = &'static Transformation> {
    let all = [
        slack::TRANSFORMATIONS,
        notion::TRANSFORMATIONS,
        salesforce::TRANSFORMATIONS,
        airtable::TRANSFORMATIONS,
        google_sheets::TRANSFORMATIONS,
    ];
    all.into_iter().flatten()
}

/// The integration with this id, such as `google-calendar`.
pub fn find(id: &str) -> Option<&'static Integration> {
    ALL.iter().copied().find(|integration| integration.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tool::{Effect, Row};

    fn rows_of(integration: &'static Integration) -> Vec<Row> {
        integration.tools.iter().map(|def| Row::constant(integration.toolset(), def)).collect()
    }

    /// The scheme is the integration's, only tools that look have addresses, the variables of a record are all that
    /// its tool needs, and a finder is a tool of the same integration that takes words and answers with a list.
    #[test]
    fn what_is_readable_fits_its_tool() {
        let mut seen = BTreeSet::new();
        for integration in ALL {
            let rows = rows_of(integration);
            for (row, readable) in rows.iter().flat_map(|row| row.readable().iter().map(move |one| (row, one))) {
                let uri = readable.uri;
                assert!(uri.starts_with(&format!("{}://", integration.id)) && !readable.kind().is_empty(), "{uri}");
                assert!(seen.insert(uri), "{uri} is there twice");
                assert_eq!(row.effect(), Effect::Reads, "{uri} belongs to a tool that does more than look");
                let properties = row.input()["properties"].as_object().cloned().unwrap_or_default();
                let variables: Vec<_> = readable.variables().collect();
                if !readable.is_document() {
                    let unknown = variables.iter().find(|name| !properties.contains_key(**name));
                    assert_eq!(unknown, None, "{uri} has a variable that `{}` does not take", row.name());
                    let needed =
                        row.input()["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
                    let missing: Vec<_> = needed.filter(|name| !variables.contains(name)).collect();
                    assert!(missing.is_empty(), "{uri} lacks {missing:?}, which `{}` needs", row.name());
                }
                if let Some(finder) = &readable.finder {
                    let tool = rows.iter().find(|row| row.name() == finder.tool).expect(finder.tool);
                    let entry = &tool.definition()["outputSchema"]["properties"][finder.list]["items"]["properties"];
                    assert!(
                        tool.effect() == Effect::Reads && tool.input()["properties"][finder.words].is_object(),
                        "{uri}"
                    );
                    let unknown = finder.beside.iter().find(|(name, _)| tool.input()["properties"][name].is_null());
                    assert_eq!(unknown, None, "{uri}: `{}` takes no such argument", finder.tool);
                    assert!(entry[finder.id].is_object() && entry[finder.name].is_object(), "{uri}: {entry}");
                }
            }
        }
    }

    #[test]
    fn an_integration_is_found_by_its_id() {
        assert_eq!(find("google-calendar").map(|found| found.title), Some("Google Calendar"));
        assert!(find("google_calendar").is_none());
    }
}
