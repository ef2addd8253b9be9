//! `call`: one tool, from the shell.

use std::io::{BufRead, IsTerminal, Read, Write};

use serde_json::{Map, Value};

use crate::cli::{
    options::Call,
    order::{AnswerView, CallView, Failure, Order},
    session::Session,
    show::{self, STRONG},
};

/// `switchboard call`
pub async fn run(session: &mut Session, call: &Call) -> Result<(), Failure> {
    let arguments = arguments(call)?;
    let order = |answered| Order::Call { tool: call.tool.clone(), arguments: arguments.clone(), answered };
    match session.ask("calling", order(None)).await? {
        CallView::Done { text, structured } => print(call, &text, structured),
        CallView::Ask { question, ticket, approval } => {
            let Some(approved) = ask(&question)? else { return Err(nobody_to_ask(&question, &approval)) };
            let answered: CallView = session.ask("calling", order(Some(AnswerView { ticket, approved }))).await?;
            match answered {
                CallView::Done { text, structured } => print(call, &text, structured),
                CallView::Ask { .. } if !approved => Err(Failure::new("Nothing was done.")),
                CallView::Ask { question, approval, .. } => Err(nobody_to_ask(&question, &approval)),
            }
        }
    }
}

fn print(call: &Call, text: &str, structured: Option<Value>) -> Result<(), Failure> {
    if call.json {
        return show::json(&structured.unwrap_or_else(|| Value::String(text.to_owned())));
    }
    show::line(text);
    Ok(())
}

/// The person's answer; nothing when there is nobody at a terminal.
fn ask(question: &str) -> Result<Option<bool>, Failure> {
    let mut input = std::io::stdin();
    if !input.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let _ = write!(anstream::stderr(), "{} [y/N] ", show::styled(STRONG, question));
    let mut line = String::new();
    let read =
        input.lock().read_line(&mut line).and_then(|_| input.by_ref().take(0).read_to_string(&mut String::new()));
    read.map_err(Failure::of)?;
    Ok(Some(matches!(line.trim().to_lowercase().as_str(), "y" | "yes")))
}

fn nobody_to_ask(question: &str, approval: &str) -> Failure {
    Failure::new(format!("A person has to say yes first: {question}"))
        .next(format!("Run `switchboard approvals approve {approval}`, then make the same call again."))
}

/// The arguments from `--args` and `name=value`.
fn arguments(call: &Call) -> Result<Map<String, Value>, Failure> {
    let mut arguments = match call.args.as_deref() {
        Some("-") => parse(&stdin()?)?,
        Some(text) => parse(text)?,
        None => Map::new(),
    };
    for pair in &call.pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure::new(format!("`{pair}` is no argument.")).next("Write NAME=VALUE, such as title='Design review'.")
        })?;
        arguments.insert(name.to_owned(), value_of(value));
    }
    Ok(arguments)
}

/// A list or object is written as JSON; all else is text, which the tool turns into what it wants.
fn value_of(text: &str) -> Value {
    let is_json = text.starts_with(['[', '{']);
    let parsed = is_json.then(|| serde_json::from_str(text).ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn parse(text: &str) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(format!("--args is no JSON object: {error}.")).next(r#"Write --args '{"title":"Design review"}'."#)
    })
}

fn stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(Failure::of)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(args: Option<&str>, pairs: &[&str]) -> Call {
        Call {
            tool: "t".into(),
            pairs: pairs.iter().map(|pair| (*pair).to_owned()).collect(),
            args: args.map(str::to_owned),
            json: false,
        }
    }

    #[test]
    fn pairs_and_json_come_together() {
        let call =
            call(Some(r#"{"limit":5}"#), &["title=Design review", r#"attendees=["ana@example.com"]"#, "note=a=b"]);
        let expected = json!({ "limit": 5, "title": "Design review", "attendees": ["ana@example.com"], "note": "a=b" });
        assert_eq!(Value::Object(arguments(&call).unwrap()), expected);
    }

    #[test]
    fn what_is_no_argument_is_named() {
        let error = arguments(&call(None, &["title"])).unwrap_err();
        assert!(error.what.contains("`title`") && error.next.unwrap().contains("NAME=VALUE"));
        assert!(arguments(&call(Some("[1]"), &[])).is_err());
    }
}
