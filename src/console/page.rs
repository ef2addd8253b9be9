//! How a page is made: one frame, escaped texts, headers that keep everything foreign out.

use std::fmt::Write;

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A small page in the making.
pub(super) struct Page {
    head: String,
    body: String,
}

impl Page {
    pub(super) fn titled(title: &str) -> Page {
        Page { head: String::new(), body: format!("<h1>{}</h1>", escaped(title)) }
    }

    /// Goes on by itself to that address.
    pub(super) fn going_to(mut self, address: &str) -> Page {
        let _ = write!(self.head, "<meta http-equiv=\"refresh\" content=\"0;url={}\">", escaped(address));
        self
    }

    /// Has one of our scripts run, when the page is there.
    pub(super) fn script(mut self, name: &str) -> Page {
        let _ = write!(self.head, "<script type=\"module\" src=\"/console/{}\"></script>", escaped(name));
        self
    }

    pub(super) fn text(mut self, text: &str) -> Page {
        let _ = write!(self.body, "<p>{}</p>", escaped(text));
        self
    }

    /// A list of names, as programs write them.
    pub(super) fn list<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Page {
        self.body.push_str("<ul>");
        for name in names {
            let _ = write!(self.body, "<li><code>{}</code></li>", escaped(name));
        }
        self.body.push_str("</ul>");
        self
    }

    pub(super) fn link(mut self, address: &str, text: &str) -> Page {
        let _ = write!(self.body, "<p><a class=\"button\" href=\"{}\">{}</a></p>", escaped(address), escaped(text));
        self
    }

    /// A form that is sent to `action`, or to the page itself.
    pub(super) fn form(mut self, action: Option<&str>, fields: &[Input<'_>], button: &str) -> Page {
        let action = action.map_or_else(String::new, |action| format!(" action=\"{}\"", escaped(action)));
        let _ = write!(self.body, "<form method=\"post\"{action}>");
        for field in fields {
            field.write(&mut self.body);
        }
        let _ = write!(self.body, "<button class=\"main\">{}</button></form>", escaped(button));
        self
    }

    pub(super) fn answer(self, status: StatusCode) -> Response {
        let Page { head, body } = self;
        guarded(
            status,
            format!(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Switchboard</title>\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
                 <meta name=\"color-scheme\" content=\"light dark\">\
                 <link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/console/base.css\">{head}</head>\
                 <body class=\"card\"><main>{body}</main></body></html>\n"
            ),
        )
    }
}

/// Something to fill in.
pub(super) struct Input<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) help: &'a str,
    pub(super) kind: &'static str,
    pub(super) value: &'a str,
}

impl Input<'_> {
    fn write(&self, body: &mut String) {
        let [name, label, help, value] = [self.name, self.label, self.help, self.value].map(escaped);
        if self.kind == "hidden" {
            let _ = write!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
            return;
        }
        let _ = write!(
            body,
            "<label>{label}<input type=\"{}\" name=\"{name}\" value=\"{value}\" autocomplete=\"off\" spellcheck=\"false\" \
             required></label>",
            self.kind
        );
        if !help.is_empty() {
            let _ = write!(body, "<p class=\"help\">{help}</p>");
        }
    }
}

/// A page of two sentences.
pub(super) fn told(status: StatusCode, title: &str, text: &str) -> Response {
    Page::titled(title).text(text).answer(status)
}

/// Nothing of a page may be kept, framed or told to others.
pub(super) fn guarded(status: StatusCode, html: impl Into<String>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // `no-referrer` would take the `Origin` from our own forms; this tells other sites just as little.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // For browsers that do not know `frame-ancestors`.
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), payment=(), usb=()"),
    ];
    (status, headers, html.into()).into_response()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let page = Page::titled("<b>").text("\"'&").link("javascript:\"", "<i>");
        assert!(!page.body.contains("<b>") && !page.body.contains("<i>"), "{}", page.body);
        assert!(page.body.contains("<p>&quot;&#39;&amp;</p>"), "{}", page.body);
    }
}
