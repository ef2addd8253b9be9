//! The catalog: every vendor that Switchboard speaks with, one line each.

use crate::tool::Integration;

/// Names each integration once: its module, and its row in [`ALL`].
macro_rules! integrations {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every integration, in the order in which the console shows them.
        pub const ALL: &[&Integration] = &[$(&$name::INTEGRATION),*];
    };
}

integrations!(google_calendar);

/// The integration with this id, such as `google-calendar`.
pub fn find(id: &str) -> Option<&'static Integration> {
    ALL.iter().copied().find(|integration| integration.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integration_is_found_by_its_id() {
        assert_eq!(find("google-calendar").map(|found| found.title), Some("Google Calendar"));
        assert!(find("google_calendar").is_none());
    }
}
