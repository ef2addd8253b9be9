//! Puts a server into the text of a settings file. Comments, order and spacing of the rest stay as they are.
//!
//! `jsonc-parser` edits JSON with comments, as VS Code and Zed keep it, without writing it anew; `toml_edit` does the
//! same for TOML. Both are used here only.

use jsonc_parser::{
    ParseOptions,
    cst::{CstInputValue, CstRootNode},
};

use super::{Form, Launch, NAME};

/// The text with the server in it.
///
/// # Errors
/// In words: it cannot be read, or something else stands where the servers belong.
pub(super) fn into(text: &str, form: &Form, launch: &Launch) -> Result<String, String> {
    match form {
        Form::Json { servers, typed } => json(text, servers, entry(launch, *typed)),
        Form::CommandList => json(text, "mcp", command_list(launch)),
        Form::Toml => toml(text, launch),
    }
}

fn json(text: &str, servers: &str, entry: CstInputValue) -> Result<String, String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let settings = root.object_value_or_create().ok_or("it holds something else than an object")?;
    let listed = settings.object_value_or_create(servers);
    let listed = listed.ok_or_else(|| format!("its member `{servers}` is no object"))?;
    match listed.get(NAME) {
        Some(known) => known.set_value(entry),
        None => drop(listed.append(NAME, entry)),
    }
    Ok(root.to_string())
}

fn entry(launch: &Launch, typed: bool) -> CstInputValue {
    let kind = typed.then(|| ("type".to_owned(), "stdio".into()));
    let command = ("command".to_owned(), launch.command.as_str().into());
    let args = ("args".to_owned(), CstInputValue::Array(launch.args.iter().map(|arg| arg.as_str().into()).collect()));
    CstInputValue::Object(kind.into_iter().chain([command, args]).collect())
}

fn command_list(launch: &Launch) -> CstInputValue {
    let words = std::iter::once(&launch.command).chain(&launch.args).map(|word| word.as_str().into());
    CstInputValue::Object(vec![
        ("type".to_owned(), "local".into()),
        ("command".to_owned(), CstInputValue::Array(words.collect())),
        ("enabled".to_owned(), true.into()),
    ])
}

fn toml(text: &str, launch: &Launch) -> Result<String, String> {
    let mut settings: toml_edit::DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let servers = settings.entry("mcp_servers").or_insert_with(|| {
        let mut table = toml_edit::Table::new();
        table.set_implicit(true);
        toml_edit::Item::Table(table)
    });
    let servers = servers.as_table_like_mut().ok_or("its key `mcp_servers` is no table")?;
    let server = servers.entry(NAME).or_insert_with(toml_edit::table);
    let server = server.as_table_like_mut().ok_or_else(|| format!("its key `mcp_servers.{NAME}` is no table"))?;
    server.insert("command", toml_edit::value(launch.command.as_str()));
    server.insert("args", toml_edit::value(launch.args.iter().map(String::as_str).collect::<toml_edit::Array>()));
    Ok(settings.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::install::CLIENTS;

    fn launch() -> Launch {
        Launch { command: "/opt/switchboard".into(), args: vec!["stdio".into(), "--sandbox".into()] }
    }

    const VS_CODE: Form = Form::Json { servers: "servers", typed: true };

    #[test]
    fn comments_and_everything_else_stay() {
        let before = "{\n  // My servers.\n  \"servers\": {\n    \"other\": { \"command\": \"x\" }, // keep\n  },\n  \"inputs\": [1,2],\n}\n";
        let after = into(before, &VS_CODE, &launch()).unwrap();
        for kept in ["// My servers.", "\"other\": { \"command\": \"x\" }", "// keep", "\"inputs\": [1,2]"] {
            assert!(after.contains(kept), "{kept} is gone:\n{after}");
        }
        assert!(after.contains("/opt/switchboard"), "{after}");
        assert_eq!(into(&after, &VS_CODE, &launch()).unwrap(), after, "a second time changes nothing");
    }

    #[test]
    fn an_older_entry_is_replaced() {
        let before = r#"{"servers": {"switchboard": {"command": "old", "args": ["x"]}}}"#;
        let after: Value = serde_json::from_str(&into(before, &VS_CODE, &launch()).unwrap()).unwrap();
        assert_eq!(
            after,
            json!({"servers": {"switchboard": {
                "type": "stdio", "command": "/opt/switchboard", "args": ["stdio", "--sandbox"]}}})
        );
    }

    #[test]
    fn a_list_of_words_is_what_some_want() {
        let after: Value = serde_json::from_str(&into("", &Form::CommandList, &launch()).unwrap()).unwrap();
        let server = &after["mcp"]["switchboard"];
        assert_eq!(server["command"], json!(["/opt/switchboard", "stdio", "--sandbox"]));
        assert_eq!((&server["type"], &server["enabled"]), (&json!("local"), &json!(true)));
    }

    #[test]
    fn toml_keeps_its_comments() {
        let before = "# mine\nmodel = \"x\" # fast\n\n[mcp_servers.other]\ncommand = \"y\"\n";
        let after = into(before, &Form::Toml, &launch()).unwrap();
        assert!(after.starts_with(before), "{after}");
        assert!(after.contains("[mcp_servers.switchboard]\ncommand = \"/opt/switchboard\""), "{after}");
        assert_eq!(into(&after, &Form::Toml, &launch()).unwrap(), after, "a second time changes nothing");
        let fresh = into("", &Form::Toml, &launch()).unwrap();
        assert!(fresh.starts_with("[mcp_servers.switchboard]"), "{fresh}");
    }

    #[test]
    fn what_cannot_be_read_is_left_alone() {
        for (text, form) in [
            ("{", VS_CODE),
            ("[]", VS_CODE),
            (r#"{"servers": []}"#, VS_CODE),
            ("nonsense", VS_CODE),
            ("a = ", Form::Toml),
            ("mcp_servers = 5", Form::Toml),
        ] {
            assert!(into(text, &form, &launch()).is_err(), "{text}");
        }
    }

    #[test]
    fn every_client_takes_an_empty_file() {
        for client in CLIENTS {
            let text = into("", &client.form, &launch()).unwrap();
            assert!(text.contains("switchboard") && text.ends_with('\n'), "{}: {text}", client.id);
        }
    }
}
