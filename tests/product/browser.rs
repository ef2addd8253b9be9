//! A person's browser: it keeps cookies as browsers do, says where a request comes from, and follows what it is told.
#![allow(dead_code, reason = "each part of the tests uses its own part of this")]

use std::collections::BTreeMap;

use reqwest::{Method, Response, header};
use url::Url;

use crate::client::http;

/// One browser.
pub struct Browser {
    http: reqwest::Client,
    /// By host and name: ports do not keep cookies apart. With each its path.
    jar: BTreeMap<(String, String), (String, String)>,
}

/// A page that was shown.
pub struct Page {
    pub status: u16,
    pub url: Url,
    pub text: String,
    pub headers: header::HeaderMap,
}

impl Browser {
    pub fn new() -> Browser {
        Browser { http: http(), jar: BTreeMap::new() }
    }

    /// Opens an address as one does from a mail or another program.
    pub async fn open(&mut self, url: &str) -> Page {
        self.go(Method::GET, url.parse().unwrap(), None, String::new()).await
    }

    /// Sends the form of a page with these fields beside the hidden ones.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let (_, form) = page.text.split_once("<form").unwrap_or_else(|| panic!("no form in {}", page.text));
        let action = form.split_once('>').unwrap().0.split_once("action=\"");
        let action = action.map(|(_, rest)| unescaped(rest.split_once('"').unwrap().0));
        let target = action.map_or_else(|| page.url.clone(), |action| page.url.join(&action).unwrap());
        let body = filled_in(form, fields);
        self.go(Method::POST, target, Some(page.url.clone()), body).await
    }

    /// Sends an empty form that a script of the page made.
    pub async fn press(&mut self, page: &Page, path: &str) -> Page {
        let target = page.url.join(path).unwrap();
        self.go(Method::POST, target, Some(page.url.clone()), String::new()).await
    }

    /// What a person does at the page behind a link: goes on, and consents at the vendor.
    pub async fn connect(&mut self, url: &str) -> Page {
        let question = self.open(url).await;
        assert_eq!(question.status, 200, "{}", question.text);
        let vendor = self.submit(&question, &[]).await;
        self.consent(&vendor).await
    }

    /// Agrees on a vendor's page.
    pub async fn consent(&mut self, vendor: &Page) -> Page {
        assert!(vendor.text.contains("decision"), "no consent page: {}", vendor.text);
        self.submit(vendor, &[("decision", "approve")]).await
    }

    async fn go(&mut self, method: Method, url: Url, from: Option<Url>, body: String) -> Page {
        let (mut method, mut url, mut from, mut body) = (method, url, from, body);
        for _ in 0..8 {
            let response = self.request(&method, &url, from.as_ref(), &body).await;
            self.keep_cookies(&url, &response);
            let (status, headers) = (response.status(), response.headers().clone());
            let text = response.text().await.unwrap();
            let next = match headers.get(header::LOCATION) {
                Some(place) if status.is_redirection() => Some(place.to_str().unwrap().to_owned()),
                _ => text
                    .split_once("http-equiv=\"refresh\" content=\"0;url=")
                    .map(|(_, rest)| unescaped(rest.split_once('"').unwrap().0)),
            };
            let Some(next) = next else {
                return Page { status: status.as_u16(), url, text, headers };
            };
            let target = url.join(&next).unwrap();
            from = Some(std::mem::replace(&mut url, target));
            (method, body) = (Method::GET, String::new());
        }
        panic!("sent round in circles, last to {url}")
    }

    async fn request(&self, method: &Method, url: &Url, from: Option<&Url>, body: &str) -> Response {
        let mut request = self.http.request(method.clone(), url.clone());
        let host = url.host_str().unwrap();
        let fits = |(of, _): &&(String, String), path: &str| of == host && url.path().starts_with(path);
        let cookies = self.jar.iter().filter(|(key, (_, path))| fits(key, path));
        let cookies: Vec<_> = cookies.map(|((_, name), (value, _))| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let site = match from {
            None => "none",
            Some(from) if from.origin() == url.origin() => "same-origin",
            Some(_) => "cross-site",
        };
        request = request.header("Sec-Fetch-Site", site);
        if *method == Method::POST {
            let origin = from.map_or_else(|| "null".to_owned(), |from| from.origin().ascii_serialization());
            let form = "application/x-www-form-urlencoded";
            request = request.header(header::ORIGIN, origin).header(header::CONTENT_TYPE, form).body(body.to_owned());
        }
        request.send().await.unwrap()
    }

    fn keep_cookies(&mut self, url: &Url, response: &Response) {
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let mut parts = cookie.to_str().unwrap().split(';').map(str::trim);
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let path = parts.find_map(|part| part.strip_prefix("Path=")).unwrap_or("/").to_owned();
            let key = (url.host_str().unwrap().to_owned(), name.to_owned());
            if value.is_empty() {
                self.jar.remove(&key);
            } else {
                self.jar.insert(key, (value.to_owned(), path));
            }
        }
    }
}

/// What a form sends: its hidden fields, and these.
fn filled_in(form: &str, fields: &[(&str, &str)]) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    for input in form.split("<input type=\"hidden\" name=\"").skip(1) {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        body.append_pair(name, &unescaped(rest.split_once('"').unwrap().0));
    }
    body.extend_pairs(fields);
    body.finish()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
