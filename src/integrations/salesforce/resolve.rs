//! Names where people use names: an account, an opportunity, a case, a person or an owner, as ids.

use super::{
    given, soql,
    wire::{self, Raw},
};
use crate::tool::{Call, Error, Kind, Named, Result, ambiguous, one_of};

/// How many candidates a look-up brings.
const CANDIDATES: usize = 20;

/// How many words of a name are looked for.
const WORDS: usize = 5;

/// A record that was named.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) name: String,
    detail: String,
}

impl Named for Found {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn detail(&self) -> Option<&str> {
        Some(self.detail.as_str()).filter(|detail| !detail.is_empty())
    }
}

impl Found {
    fn of(raw: &Raw, detail: impl Fn(&Raw) -> String) -> Found {
        let name = ["Name", "Subject"].map(|name| wire::text(raw, name)).into_iter().find(|name| !name.is_empty());
        let (id, name) = (wire::text(raw, "Id").to_owned(), name.unwrap_or_default().to_owned());
        Found { id, name, detail: detail(raw) }
    }
}

/// An account by id or name.
pub(super) async fn account(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    Ok(one_of("account", wanted, accounts(cx, wanted).await?)?.id)
}

/// Accounts whose name has a word of `wanted` in it.
pub(super) async fn accounts(cx: &Call, wanted: &str) -> Result<Vec<Found>> {
    let place = |raw: &Raw| {
        let parts = ["BillingCity", "BillingCountry"].map(|name| wire::text(raw, name));
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    };
    candidates(cx, "Account", "BillingCity, BillingCountry", wanted, place).await
}

/// An opportunity by id or name.
pub(super) async fn opportunity(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    let found = candidates(cx, "Opportunity", "Account.Name, StageName", wanted, |raw| {
        format!("{}, {}", wire::of_parent(raw, "Account", "Name"), wire::text(raw, "StageName"))
    });
    Ok(one_of("opportunity", wanted, found.await?)?.id)
}

/// A case by id or number; numbers have leading zeros that people leave away.
pub(super) async fn case(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    let number = wanted.trim_start_matches('#');
    if number.is_empty() || number.len() > 30 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(super::wrong("`case_id` is the id of a case, or its number such as `00001026`"));
    }
    let query = format!("SELECT Id FROM Case WHERE CaseNumber = {} LIMIT 1", soql::quoted(&format!("{number:0>8}")));
    let found = soql::first(cx, &query).await?;
    found.map(|raw| wire::text(&raw, "Id").to_owned()).ok_or_else(|| {
        Error::not_found(format!("case `{wanted}` that the account may see"))
            .next("`salesforce_search_records` finds cases by their words.")
    })
}

/// A contact by id or e-mail address.
pub(super) async fn contact(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    chosen("contact", wanted, by_email(cx, "Contact", wanted).await?)
}

/// A contact, or else a lead, by id or e-mail address.
pub(super) async fn person(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    let mut found = by_email(cx, "Contact", wanted).await?;
    if found.is_empty() {
        found = by_email(cx, "Lead", wanted).await?;
    }
    chosen("person", wanted, found)
}

async fn by_email(cx: &Call, object: &str, email: &str) -> Result<Vec<Found>> {
    let Some(email) = given(Some(email)).filter(|email| email.contains('@')) else {
        return Err(super::wrong(&format!("`{email}` is neither an id nor an e-mail address")));
    };
    let (company, open) = if object == "Lead" { ("Company", " AND IsConverted = false") } else { ("Account.Name", "") };
    let query = format!(
        "SELECT Id, Name, {company} FROM {object} WHERE Email = {}{open} ORDER BY LastModifiedDate DESC LIMIT {CANDIDATES}",
        soql::quoted(email)
    );
    let at = |raw: &Raw| match object {
        "Lead" => wire::text(raw, "Company").to_owned(),
        _ => wire::of_parent(raw, "Account", "Name").to_owned(),
    };
    Ok(soql::all(cx, &query).await?.iter().map(|raw| Found::of(raw, at)).collect())
}

/// The only one that has the address.
fn chosen(noun: &str, email: &str, mut found: Vec<Found>) -> Result<String> {
    match found.len() {
        0 => Err(Error::not_found(format!("{noun} with the address `{email}`"))
            .next("`salesforce_lookup_contact` finds people by name or phone.")),
        1 => Ok(found.remove(0).id),
        _ => Err(ambiguous(noun, email, &found)),
    }
}

/// What an activity is about: an account, opportunity or case by id, or by the name of an account or opportunity, or
/// by the number of a case.
pub(super) async fn subject(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    if wanted.trim_start_matches('#').bytes().all(|byte| byte.is_ascii_digit()) {
        return case(cx, wanted).await;
    }
    let opportunities = candidates(cx, "Opportunity", "StageName", wanted, |raw| {
        format!("opportunity, {}", wire::text(raw, "StageName"))
    });
    let mut found = opportunities.await?;
    found.extend(candidates(cx, "Account", "Industry", wanted, |_| "account".to_owned()).await?);
    Ok(one_of("account or opportunity", wanted, found)?.id)
}

/// A user by id, e-mail address or name.
pub(super) async fn owner(cx: &Call, wanted: &str) -> Result<String> {
    if soql::is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    let literal = soql::quoted(wanted.trim());
    let query = format!(
        "SELECT Id, Name, Email FROM User WHERE IsActive = true AND \
         (Email = {literal} OR Username = {literal} OR {}) ORDER BY Name LIMIT {CANDIDATES}",
        likeness(wanted)
    );
    let found = soql::all(cx, &query).await?;
    if wanted.contains('@') {
        let same = |raw: &&Raw| wire::text(raw, "Email").eq_ignore_ascii_case(wanted.trim());
        let found: Vec<_> = found.iter().filter(same).map(|raw| Found::of(raw, |_| String::new())).collect();
        return match found.as_slice() {
            [only] => Ok(only.id.clone()),
            [] => Err(Error::not_found(format!("active user with the address `{wanted}`"))),
            _ => Err(ambiguous("user", wanted, &found)),
        };
    }
    let found = found.iter().map(|raw| Found::of(raw, |raw| wire::text(raw, "Email").to_owned()));
    Ok(one_of("user", wanted, found)?.id)
}

/// Records of an object whose name has a word of `wanted` in it.
async fn candidates(
    cx: &Call,
    object: &str,
    fields: &str,
    wanted: &str,
    detail: impl Fn(&Raw) -> String,
) -> Result<Vec<Found>> {
    if given(Some(wanted)).is_none() {
        return Err(Error::new(Kind::Arguments, "A name must not be empty."));
    }
    let likeness = likeness(wanted);
    let query = format!("SELECT Id, Name, {fields} FROM {object} WHERE {likeness} ORDER BY Name LIMIT {CANDIDATES}");
    Ok(soql::all(cx, &query).await?.iter().map(|raw| Found::of(raw, &detail)).collect())
}

/// The condition that a name has one of the words in it: the whole name is among what is found, and so is what comes
/// near.
pub(super) fn likeness(wanted: &str) -> String {
    let words = wanted.split_whitespace().filter(|word| word.chars().count() > 2).take(WORDS);
    let mut words: Vec<_> = words.map(|word| format!("Name LIKE {}", soql::containing(word))).collect();
    if words.is_empty() {
        words.push(format!("Name LIKE {}", soql::containing(wanted.trim())));
    }
    if words.len() == 1 { words.remove(0) } else { format!("({})", words.join(" OR ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_words() {
        assert_eq!(likeness("Contoso Foods"), "(Name LIKE '%Contoso%' OR Name LIKE '%Foods%')");
        assert_eq!(likeness("O'Neill & Co"), r"Name LIKE '%O\'Neill%'");
        assert_eq!(likeness("3M"), "Name LIKE '%3M%'");
    }
}
