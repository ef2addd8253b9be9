//! Full text search. What was changed within the last minute is not found yet, because the index lags behind.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Salesforce,
    errors::{bad, unknown_field, unknown_object},
    grammar::parse_condition,
    model::{Kind, ObjectDef, object},
    query::{Runner, attributes},
    world::{Fields, instant},
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How far the index lags behind.
const LAG: SignedDuration = SignedDuration::from_secs(60);

/// `POST parameterizedSearch`.
pub fn search(world: &Salesforce, call: &Call<'_>) -> Outcome {
    let fields = call.fields();
    let text = fields["q"].as_str().unwrap_or_default();
    if text.chars().filter(|char| char.is_alphanumeric()).count() < 2 {
        return Err(bad("MALFORMED_SEARCH", "search term must be longer than one character: "));
    }
    let words = Words::of(text, fields.get("in").and_then(Value::as_str).unwrap_or("ALL"));
    let most = fields.get("overallLimit").and_then(Value::as_u64).unwrap_or(2000);
    let mut hits = vec![];
    for place in fields.get("sobjects").and_then(Value::as_array).cloned().unwrap_or_default() {
        hits.extend(within(world, call, &words, &place)?);
    }
    hits.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(Answer::ok(json!({ "searchRecords": hits })))
}

/// What is found of one object.
fn within(world: &Salesforce, call: &Call<'_>, words: &Words, place: &Value) -> Result<Vec<Value>, Answer> {
    let name = place["name"].as_str().unwrap_or_default();
    let of = object(name).ok_or_else(|| unknown_object(name))?;
    let wanted: Vec<&str> = place["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let condition = place["where"].as_str().map(parse_condition).transpose();
    let condition = condition.map_err(|why| bad("MALFORMED_SEARCH", &why))?;
    let runner = Runner { world, now: call.now };
    let mut hits = vec![];
    for record in world.all(of.name).filter(|record| is_indexed(record, call) && words.are_in(of, record)) {
        let fits = condition.as_ref().map_or(Ok(true), |condition| runner.holds(of, record, condition))?;
        if fits {
            hits.push(shown(of, record, &wanted)?);
        }
    }
    let most = place["limit"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    hits.truncate(most);
    Ok(hits)
}

fn shown(of: &'static ObjectDef, record: &Fields, wanted: &[&str]) -> Result<Value, Answer> {
    let mut shown = attributes(of.name, record);
    for name in if wanted.is_empty() { &["Id"][..] } else { wanted } {
        let field = of.field(name).ok_or_else(|| unknown_field(of.name, name))?;
        shown.insert(field.name.to_owned(), record.get(field.name).cloned().unwrap_or_default());
    }
    Ok(Value::Object(shown))
}

fn is_indexed(record: &Fields, call: &Call<'_>) -> bool {
    let changed = record.get("LastModifiedDate").and_then(Value::as_str).and_then(instant);
    changed.is_none_or(|changed| call.now.duration_since(changed) >= LAG)
}

/// What is looked for, and in which kinds of fields.
struct Words {
    words: Vec<String>,
    digits: String,
    scope: String,
}

impl Words {
    fn of(text: &str, scope: &str) -> Words {
        let words = text.split(|char: char| !char.is_alphanumeric() && !"@.*_-".contains(char));
        let words = words.map(str::to_lowercase).filter(|word| !word.is_empty()).collect();
        Words { words, digits: text.chars().filter(char::is_ascii_digit).collect(), scope: scope.to_owned() }
    }

    /// Whether all of them are in one record.
    fn are_in(&self, of: &ObjectDef, record: &Fields) -> bool {
        let texts = of.fields.iter().filter(|field| self.looks_in(field.kind, field.name));
        let texts: Vec<&str> = texts.filter_map(|field| record.get(field.name)?.as_str()).collect();
        if self.scope == "PHONE" {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            return texts.iter().any(|text| !self.digits.is_empty() && digits(text).ends_with(&self.digits));
        }
        let text = texts.join(" ").to_lowercase();
        let there: Vec<&str> = text.split(|char: char| !char.is_alphanumeric() && !"@.".contains(char)).collect();
        self.words.iter().all(|word| match word.strip_suffix('*') {
            Some(beginning) => there.iter().any(|one| one.starts_with(beginning)),
            None => there.iter().any(|one| one.trim_matches('.') == word),
        })
    }

    fn looks_in(&self, kind: Kind, name: &str) -> bool {
        match (&*self.scope, kind) {
            ("EMAIL", kind) => matches!(kind, Kind::Email),
            ("PHONE", kind) => matches!(kind, Kind::Phone),
            ("NAME", _) => matches!(name, "Name" | "Subject" | "CaseNumber"),
            (_, kind) => matches!(kind, Kind::Text(_) | Kind::Long(_) | Kind::Email | Kind::Phone),
        }
    }
}
