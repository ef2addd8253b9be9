//! Small pictures by which people know a server, a tool, a prompt or a resource.

use serde::Serialize;

/// One picture (2025-11-25, basic, icons). Clients of earlier revisions are told nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    src: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<Theme>,
}

/// The ground that a picture is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// A light one.
    Light,
    /// A dark one.
    Dark,
}

impl Icon {
    /// The picture at `src`, which begins with `https://` or `data:`.
    ///
    /// # Errors
    /// In words, for any other address: clients refuse it.
    pub fn new(src: impl Into<String>) -> Result<Icon, String> {
        let src = src.into();
        if !src.starts_with("https://") && !src.starts_with("data:image/") {
            return Err(format!("an icon is at `https://…` or in `data:image/…`, not at `{src}`"));
        }
        Ok(Icon { src, mime_type: None, sizes: Vec::new(), theme: None })
    }

    /// Says what kind of picture it is, such as `image/svg+xml`.
    #[must_use]
    pub fn typed(self, mime_type: impl Into<String>) -> Icon {
        Icon { mime_type: Some(mime_type.into()), ..self }
    }

    /// Says for which size it is drawn, such as `48x48`, or `any`; said again, for that one as well.
    #[must_use]
    pub fn sized(mut self, size: impl Into<String>) -> Icon {
        self.sizes.push(size.into());
        self
    }

    /// Says for which ground it is drawn.
    #[must_use]
    pub fn on(self, theme: Theme) -> Icon {
        Icon { theme: Some(theme), ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_icon_is_written_as_clients_read_it() {
        let icon = Icon::new("https://a.example/i.svg").unwrap().typed("image/svg+xml").sized("any").on(Theme::Dark);
        let written =
            json!({"src": "https://a.example/i.svg", "mimeType": "image/svg+xml", "sizes": ["any"], "theme": "dark"});
        assert_eq!(json!(icon), written);
        assert_eq!(json!(Icon::new("data:image/png;base64,AA").unwrap()), json!({"src": "data:image/png;base64,AA"}));
        for wrong in ["http://a.example/i.png", "javascript:alert(1)", "data:text/html,x", "file:///i.png", ""] {
            assert!(Icon::new(wrong).is_err(), "{wrong}");
        }
    }
}
