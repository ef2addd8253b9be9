//! The files of the pages, as they stand in the binary.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// The frame that all pages of the console share.
pub(super) const INDEX: &str = include_str!("assets/index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// The files of a folder beside this one, each with its kind.
macro_rules! files {
    ($($kind:ident $name:literal)*) => { &[$(($name, $kind, include_str!(concat!("assets/", $name)))),*] };
}

/// Name, kind and text of each file.
const FILES: &[(&str, &str, &str)] = files! {
    PICTURE "icon.svg"
    STYLE "base.css"
    STYLE "frame.css"
    STYLE "parts.css"
    STYLE "call.css"
    SCRIPT "main.js"
    SCRIPT "api.js"
    SCRIPT "dom.js"
    SCRIPT "ask.js"
    SCRIPT "words.js"
    SCRIPT "login.js"
    SCRIPT "welcome.js"
    SCRIPT "integrations.js"
    SCRIPT "agents.js"
    SCRIPT "agent.js"
    SCRIPT "settings.js"
    SCRIPT "selector.js"
    SCRIPT "tokens.js"
    SCRIPT "snippets.js"
    SCRIPT "approvals.js"
    SCRIPT "audit.js"
    SCRIPT "people.js"
    SCRIPT "call.js"
    SCRIPT "oncall.js"
    SCRIPT "line.js"
    SCRIPT "conversation.js"
    SCRIPT "captions.js"
    SCRIPT "browserspeech.js"
    SCRIPT "latency.js"
};

/// One of the files. Browsers keep it and ask each time whether it is still the same.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    served(kind, text, &headers)
}

/// What stands in front of the name of every page.
pub(super) async fn icon(headers: HeaderMap) -> Response {
    served(PICTURE, include_str!("assets/icon.svg"), &headers)
}

fn served(kind: &'static str, text: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:x}\"", Sha256::digest(text));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let about = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::ETAG, HeaderValue::try_from(tag).expect("hexadecimal digits are a header")),
    ];
    if is_known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, text).into_response() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_keep_to_their_own_policy() {
        let texts = FILES.iter().map(|(name, _, text)| (*name, *text)).filter(|(name, _)| *name != "icon.svg");
        for (name, text) in texts.chain([("index.html", INDEX)]) {
            for foreign in ["http://", "https://", " style=\"", " onclick", "innerHTML", "eval(", "<script>"] {
                assert!(!text.contains(foreign), "{name}: {foreign}");
            }
        }
    }

    #[test]
    fn every_file_that_a_page_wants_is_there() {
        let texts = FILES.iter().map(|(_, _, text)| *text).chain([INDEX]);
        let wanted = texts.flat_map(|text| {
            let modules = text
                .split("\"./")
                .skip(1)
                .filter_map(|rest| rest.split_once(".js\""))
                .map(|(name, _)| format!("{name}.js"));
            let linked = text
                .split("\"/console/")
                .skip(1)
                .filter_map(|rest| rest.split_once('"'))
                .map(|(name, _)| name.to_owned());
            modules.chain(linked).collect::<Vec<_>>()
        });
        let missing: Vec<String> = wanted.filter(|name| !FILES.iter().any(|(known, ..)| known == name)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_a_browser_has_is_not_sent_again() {
        let path = || Path("base.css".to_owned());
        let first = file(path(), HeaderMap::new()).await;
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!((first.status(), file(path(), headers).await.status()), (StatusCode::OK, StatusCode::NOT_MODIFIED));
        assert_eq!(file(Path("other.css".into()), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND);
    }
}
