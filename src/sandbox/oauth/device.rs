//! Consent on another device (RFC 8628): codes, the page where they are typed in, and their trade.

use serde_json::json;

use super::{
    Accounts, Granted,
    authorize::{Improper, error_page, escape, frame},
    grants::{CODE_LIFETIME, DEVICE_INTERVAL, Decision, DeviceCode, DeviceRefusal},
    value,
};
use crate::sandbox::{
    server::Incoming,
    shape::{Field, Kind},
    twin::Answer,
};

/// The grant type.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Where the person types the code in.
pub const PAGE: &str = "/login/device";

/// The fields of a code's trade.
pub const TRADE: &[Field] = &[
    Field::required("grant_type", Kind::Text),
    Field::required("device_code", Kind::Text),
    Field::optional("client_id", Kind::Text),
    Field::optional("client_secret", Kind::Text),
];

type Pairs = Vec<(String, String)>;

impl Accounts {
    /// Hands out a code. A client names itself here; its secret is asked for only when the code is traded.
    pub(super) fn device(&self, incoming: &Incoming) -> Answer {
        let pairs = self.pairs(incoming).unwrap_or_default();
        if value(&pairs, "client_id") != Some(&self.client_id) {
            return self.refuse(401, "invalid_client", "no client has this client_id");
        }
        let scopes = match self.scopes(&pairs) {
            Ok(scopes) => scopes,
            Err(Improper(code, why)) => return self.refuse(400, code, &why),
        };
        let device = DeviceCode::new(scopes, self.hands_out_refresh(&pairs));
        let (code, user_code) = self.grants().device_code(device, self.clock.now());
        let page = format!("{}{PAGE}", self.issuer());
        Answer::ok(json!({
            "device_code": code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "expires_in": CODE_LIFETIME.as_secs(),
            "interval": DEVICE_INTERVAL.as_secs(),
        }))
    }

    /// Shows the page where a person types the code in.
    pub(super) fn device_page(&self, incoming: &Incoming) -> Answer {
        let code = escape(value(&incoming.query, "user_code").unwrap_or_default());
        let (family, account) = (self.quirks.family, escape(&self.account()));
        Answer::html(
            200,
            frame(&format!(
                "<h1>{family}, offline</h1><p>A device wants to use the sandbox account <b>{account}</b>.</p>\
                 <form method=\"post\" action=\"{PAGE}\"><p><label>Its code <input name=\"user_code\" value=\"{code}\">\
                 </label></p><button name=\"decision\" value=\"approve\">Allow</button> \
                 <button name=\"decision\" value=\"deny\">Deny</button></form><p>Nothing leaves this computer.</p>"
            )),
        )
    }

    /// Takes the decision.
    pub(super) fn decide_device(&self, incoming: &Incoming) -> Answer {
        let pairs = incoming.form();
        let decision = if value(&pairs, "decision") == Some("deny") { Decision::No } else { Decision::Yes };
        if self.decided_device(value(&pairs, "user_code").unwrap_or_default(), decision) {
            return Answer::html(200, frame("<h1>Done</h1><p>You can go back to the device.</p>"));
        }
        error_page(&Improper("invalid_request", "there is no such code, or it is over".into()))
    }

    /// Decides without a browser. False when there is no such code.
    pub(in crate::sandbox) fn decided_device(&self, user_code: &str, decision: Decision) -> bool {
        self.grants().decide_device(user_code.trim(), decision, self.clock.now())
    }

    pub(super) fn trade_device(&self, pairs: &Pairs) -> Result<Granted, Answer> {
        let code = value(pairs, "device_code").unwrap_or_default();
        let traded = self.grants().trade_device(code, self.quirks, self.clock.now());
        traded.map_err(|refusal| {
            let (code, why) = match refusal {
                DeviceRefusal::Pending => ("authorization_pending", "the person has not decided yet"),
                DeviceRefusal::TooFast => ("slow_down", "the interval is not over"),
                DeviceRefusal::Denied => ("access_denied", "the person said no"),
                DeviceRefusal::Expired => ("expired_token", "the code is over"),
            };
            self.refuse(400, code, why)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::{HeaderMap, HeaderValue, header};
    use serde_json::Value;

    use super::*;
    use crate::{
        clock::{Clock, ManualClock},
        sandbox::{
            oauth::{Handed, Quirks, RefreshTokens, Revoking, Rotation},
            server::Host,
            twin::Content,
            world::{Scene, SeedFile},
        },
    };

    /// A vendor with most habits that a vendor can have.
    const ODD: Quirks = Quirks {
        family: "odd",
        device_path: Some("/login/device/code"),
        revoke_path: Some("/applications/{client_id}/token"),
        revoking: Revoking::ClientDelete,
        refresh: RefreshTokens::Always,
        rotation: Rotation::SingleUse,
        separator: ',',
        user_scopes: &["search"],
        tells_lifetime: false,
        extra_scopes: &["chat", "users"],
        answer: |handed: &Handed<'_>| {
            let user = handed.granted.user.as_deref();
            handed.with(json!({
                "ok": true,
                "token_type": null,
                "instance_url": handed.api,
                "authed_user": { "id": "U1", "access_token": user.map(|user| user.access.as_str()) },
            }))
        },
        refuse: |_, code, _| Answer::ok(json!({ "ok": false, "error": code })),
        ..Quirks::STANDARD
    };

    fn accounts() -> (Accounts, std::sync::Arc<ManualClock>) {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let file = SeedFile::read(None, &["company"]).unwrap();
        let scene = Scene::set(&file, clock.now(), 7).unwrap();
        let accounts = Accounts::open(&ODD, BTreeSet::new(), None, 10, clock.clone(), &scene).unwrap();
        accounts.serves("http://127.0.0.1:9".to_owned());
        (accounts, clock)
    }

    fn ask(accounts: &Accounts, method: &str, path: &str, pairs: &[(&str, &str)]) -> (u16, Value) {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = form.finish().into_bytes();
        let incoming = Incoming { method: method.into(), path: path.into(), query: vec![], headers, body };
        let answer = accounts.answer(&incoming, None).answer;
        let body = if let Content::Json(body) = answer.content { body } else { Value::Null };
        (answer.status, body)
    }

    fn client<'a>(accounts: &'a Accounts, pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let own = [("client_id", &*accounts.client_id), ("client_secret", accounts.client_secret.expose())];
        own.into_iter().chain(pairs.iter().copied()).collect()
    }

    #[test]
    fn a_device_waits_for_the_person_and_is_told_to_slow_down() {
        let (accounts, clock) = accounts();
        let (_, handed) =
            ask(&accounts, "POST", "/login/device/code", &[("client_id", &accounts.client_id), ("scope", "chat")]);
        let code = handed["device_code"].as_str().unwrap();
        let poll = || {
            let pairs = client(&accounts, &[("grant_type", GRANT), ("device_code", code)]);
            ask(&accounts, "POST", "/oauth/token", &pairs).1
        };
        assert_eq!(poll()["error"], "authorization_pending");
        assert_eq!(poll()["error"], "slow_down");
        clock.advance(DEVICE_INTERVAL);
        assert!(accounts.decided_device(&handed["user_code"].as_str().unwrap().to_lowercase(), Decision::Yes));
        assert_eq!(poll()["scope"], "chat");
        assert_eq!(poll()["error"], "expired_token", "a code is good once");
        assert!(!accounts.decided_device("WRONG-CODE", Decision::Yes));
    }

    #[test]
    fn an_answer_has_the_vendors_own_shape() {
        let (accounts, _) = accounts();
        let page = "http://localhost:1/oauth/authorize?client_id=sandbox-odd.apps.example&response_type=code\
                    &redirect_uri=http%3A%2F%2Flocalhost%2F&scope=chat,users&user_scope=search";
        let back = accounts.approve(page).unwrap();
        let code =
            url::Url::parse(&back).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let pairs = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://localhost/")];
        let (status, answer) = ask(&accounts, "POST", "/oauth/token", &client(&accounts, &pairs));
        assert_eq!((status, &answer["ok"], &answer["scope"]), (200, &json!(true), &json!("chat,users")));
        assert_eq!(answer["instance_url"], "http://127.0.0.1:9");
        assert!(answer["authed_user"]["access_token"].is_string() && answer["refresh_token"].is_string(), "{answer}");
        assert!(answer.get("token_type").is_none() && answer.get("expires_in").is_none(), "{answer}");
        let (status, again) = ask(&accounts, "POST", "/oauth/token", &client(&accounts, &pairs));
        assert_eq!((status, again), (200, json!({ "ok": false, "error": "invalid_grant" })));
        let (status, _) = ask(&accounts, "DELETE", "/applications/sandbox-odd.apps.example/token", &[]);
        assert_eq!(status, 200, "the client did not prove itself, and this vendor says so with 200");
    }
}
