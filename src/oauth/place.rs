//! Where a connection's API is, when the vendor says so only after the consent.

use serde_json::{Map, Value};

use super::{Broker, Endpoints, Error, LookUpAt, Names, Result, token::Tokens, wire};
use crate::{
    http::{Path, Request},
    vault::{Connection, Credential},
};

/// How many places are named when the person has to choose.
const SHOWN: usize = 10;

/// What is known about a connection and may stand in addresses: what the vendor sent along, or the person typed in.
pub fn names_of(connection: &Connection) -> Names {
    match &connection.credential {
        Credential::OAuth { extra, .. } => extra.clone(),
        Credential::Fields(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), value.expose().trim().to_owned())).collect()
        }
    }
}

/// Takes out of an answer what would lead requests elsewhere: an instance that is not the vendor's, and what the
/// person or the look-up has already said. False when there was such an instance.
pub(super) fn cleaned(endpoints: &Endpoints, tokens: &mut Tokens) -> bool {
    let said = |name: &String| endpoints.look_up.as_ref().is_some_and(|look_up| look_up.kept_as == *name);
    tokens.extra.retain(|name, _| !said(name) && !endpoints.asked.contains(name));
    let Some(instance) = &endpoints.instance else { return true };
    let Some(named) = tokens.extra.remove(&instance.member) else { return true };
    let Some(origin) = instance.accept(&named) else { return false };
    tokens.extra.insert(instance.member.clone(), origin.as_str().trim_end_matches('/').to_owned());
    true
}

impl Broker {
    /// Asks which place the grant reaches, where the vendor has several (a Jira site): what is to be kept about it.
    pub(super) async fn place(&self, endpoints: &Endpoints, tokens: &Tokens, given: &Names) -> Result<Names> {
        let Some(look_up) = &endpoints.look_up else { return Ok(Names::new()) };
        let request = wire::headed(Request::get(Path::new()), endpoints)
            .header("authorization", format!("Bearer {}", tokens.access.expose()));
        let lane = wire::lane(endpoints, &look_up.url)?;
        let failed = |why: String| {
            Error::Setup(format!("{} did not say which accounts the grant reaches: {why}", endpoints.family))
        };
        let answer = self.0.client.send(&lane, request).await.map_err(|error| failed(error.to_string()))?;
        if !answer.is_success() {
            return Err(failed(format!("it answered {}", answer.status.as_u16())));
        }
        let places: Vec<Map<String, Value>> = answer.json().map_err(|_| failed("its answer is no list".to_owned()))?;
        chosen(look_up, &places, given.get(&look_up.ask).map(|wish| wish.trim()))
    }
}

/// The place that the person named, or the only one.
fn chosen(look_up: &LookUpAt, places: &[Map<String, Value>], wish: Option<&str>) -> Result<Names> {
    let wish = wish.filter(|wish| !wish.is_empty());
    let mut fitting = places.iter().filter(|place| wish.is_none_or(|wish| is_known_by(look_up, place, wish)));
    let place = match (fitting.next(), fitting.next()) {
        (Some(only), None) => only,
        (None, _) if places.is_empty() => {
            return Err(Error::Setup("the grant reaches no account: consent again and choose one".to_owned()));
        }
        _ => return Err(Error::Setup(ambiguous(look_up, places))),
    };
    let id = place.get(&look_up.member).and_then(Value::as_str);
    let id = id.ok_or_else(|| Error::Setup(format!("the vendor's list has no {}", look_up.member)))?;
    let label = label(look_up, place).unwrap_or_default().to_owned();
    Ok(Names::from([(look_up.kept_as.clone(), id.to_owned()), (look_up.ask.clone(), label)]))
}

fn ambiguous(look_up: &LookUpAt, places: &[Map<String, Value>]) -> String {
    let names = places.iter().filter_map(|place| label(look_up, place)).take(SHOWN).collect::<Vec<_>>().join(", ");
    format!("the grant reaches several accounts: {names}. Connect again and name one as `{}`", look_up.ask)
}

fn label<'a>(look_up: &LookUpAt, place: &'a Map<String, Value>) -> Option<&'a str> {
    look_up.known_by.iter().find_map(|name| place.get(name)?.as_str())
}

/// Whether `wish` is the whole of a name, of an address, of its host, or of the host's first label.
fn is_known_by(look_up: &LookUpAt, place: &Map<String, Value>, wish: &str) -> bool {
    let wish = wish.trim_end_matches('/');
    look_up.known_by.iter().filter_map(|name| place.get(name)?.as_str()).any(|known| {
        let host = known.split_once("://").map_or(known, |(_, rest)| rest).trim_end_matches('/');
        let first = host.split('.').next().unwrap_or_default();
        [known.trim_end_matches('/'), host, first].iter().any(|known| known.eq_ignore_ascii_case(wish))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up() -> LookUpAt {
        LookUpAt {
            url: "https://api.example.com/sites".to_owned(),
            member: "id".to_owned(),
            kept_as: "cloudId".to_owned(),
            known_by: vec!["url".to_owned(), "name".to_owned()],
            ask: "site".to_owned(),
        }
    }

    fn places(names: &[&str]) -> Vec<Map<String, Value>> {
        let place = |name: &&str| {
            let place = serde_json::json!({
                "id": format!("id-{name}"), "name": format!("{name} Inc"), "url": format!("https://{name}.atlassian.net"),
            });
            place.as_object().unwrap().clone()
        };
        names.iter().map(place).collect()
    }

    #[test]
    fn the_only_place_is_taken_and_of_several_the_one_that_is_named() {
        let id = |places: &[&str], wish| {
            chosen(&look_up(), &self::places(places), wish).map(|names| names["cloudId"].clone())
        };
        assert_eq!(id(&["acme"], None).unwrap(), "id-acme");
        for wish in ["beta", "BETA", "beta.atlassian.net", "https://beta.atlassian.net/", "beta Inc"] {
            assert_eq!(id(&["acme", "beta"], Some(wish)).unwrap(), "id-beta", "{wish}");
        }
        for (places, wish) in
            [(&["acme", "beta"][..], None), (&["acme", "beta"], Some("gamma")), (&["acme"], Some("b"))]
        {
            let error = id(places, wish).unwrap_err().to_string();
            assert!(error.contains("https://acme.atlassian.net") && error.contains("`site`"), "{error}");
        }
        assert!(id(&[], None).unwrap_err().to_string().contains("choose one"));
    }
}
