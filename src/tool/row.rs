//! A tool that is ready to be listed and called: its schemas made, its definition written down.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    Call, Effect, Error, Icon, Readable, Result, Scopes, ToolDef,
    def::{Implementation, RuntimeTool},
    error::capitalised,
    written,
};
use crate::{compute, schema};

/// Where a tool belongs: an integration, or a set that a library user made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolset {
    /// Such as `google-calendar`.
    pub id: Cow<'static, str>,
    /// Such as `Google Calendar`.
    pub title: Cow<'static, str>,
}

/// A tool that is ready to be listed and called.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it belongs.
    pub toolset: Toolset,
    def: Def,
    input: Value,
    definition: Value,
    raw: Option<Arc<schema::Raw>>,
    variant: Option<String>,
}

/// Constant lines are borrowed, those made at run time are owned.
#[derive(Clone, Debug)]
enum Def {
    Constant(&'static ToolDef),
    Owned(Arc<ToolDef>),
}

/// What a finished call gives back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// For models and people.
    pub content: Vec<Content>,
    /// For programs; fits the published output schema.
    pub structured: Option<Value>,
    /// Whether somebody outside wrote a part of it.
    pub from_others: bool,
}

impl Outcome {
    /// Only a text.
    pub fn text(text: impl Into<String>) -> Self {
        Outcome { content: vec![Content::Text(text.into())], ..Outcome::default() }
    }

    /// All texts in it, a line apart.
    pub fn joined_text(&self) -> String {
        let texts = self.content.iter().filter_map(|part| match part {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// One part of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// A picture, base64.
    Image {
        /// The bytes in base64.
        data: String,
        /// Such as `image/png`.
        mime_type: String,
    },
    /// Sound, base64.
    Audio {
        /// The bytes in base64.
        data: String,
        /// Such as `audio/wav`.
        mime_type: String,
    },
    /// Something that can be fetched by its address.
    Link {
        /// Its address.
        uri: String,
        /// What it is called.
        name: String,
        /// Such as `application/pdf`.
        mime_type: Option<String>,
    },
    /// A resource with its bytes.
    Blob {
        /// Its address.
        uri: String,
        /// Such as `application/pdf`.
        mime_type: String,
        /// The bytes in base64.
        data: String,
    },
    /// A resource with its text.
    Resource {
        /// Its address.
        uri: String,
        /// Such as `text/plain`.
        mime_type: String,
        /// What it says.
        text: String,
    },
}

/// Something that belongs to a result and is read by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its address: of a form in [`Tool::READABLE`](super::Tool::READABLE), or of the vendor's.
    pub uri: String,
    /// What it is called, such as the name of a file.
    pub name: String,
    /// Such as `application/pdf`.
    pub mime_type: Option<String>,
}

impl From<Link> for Content {
    fn from(Link { uri, name, mime_type }: Link) -> Content {
        Content::Link { uri, name, mime_type }
    }
}

impl Row {
    /// Makes a constant tool ready.
    pub fn constant(toolset: Toolset, def: &'static ToolDef) -> Row {
        Row::ready(toolset, Def::Constant(def), None)
    }

    /// Makes a tool of run time ready.
    ///
    /// # Errors
    /// In words, when its input is no schema of an object, or breaks a rule of `x-mcp-header`.
    pub fn owned(toolset: Toolset, def: ToolDef) -> Result<Row, String> {
        let raw = match &def.kind {
            Implementation::Runtime(tool) => Some(Arc::new(compile(&def, tool)?)),
            Implementation::Typed { .. } => None,
        };
        Ok(Row::ready(toolset, Def::Owned(Arc::new(def)), raw))
    }

    fn ready(toolset: Toolset, def: Def, raw: Option<Arc<schema::Raw>>) -> Row {
        let parts = Parts::of(&toolset, def.get());
        Row { definition: parts.definition(def.get()), input: parts.input, toolset, def, raw, variant: None }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.def.get().name
    }

    /// The same tool, listed with one more argument, which whoever lists it takes out of a call again.
    #[must_use]
    pub fn with_argument(&self, name: &str, property: Value, is_required: bool) -> Row {
        let mut row = self.clone();
        row.variant = Some(format!("{name} {property} {is_required}"));
        if let Some(properties) = row.input["properties"].as_object_mut() {
            properties.insert(name.to_owned(), property);
        }
        if is_required {
            match row.input["required"].as_array_mut() {
                Some(required) => required.push(name.into()),
                None => row.input["required"] = json!([name]),
            }
        }
        row.definition["inputSchema"] = row.input.clone();
        row
    }

    /// Equal for rows that are listed in the same way.
    pub fn identity(&self) -> (usize, Option<&str>) {
        (std::ptr::from_ref(self.def.get()).addr(), self.variant.as_deref())
    }

    /// What it does to the world.
    pub fn effect(&self) -> Effect {
        self.def.get().effect
    }

    /// Whether a repeat has no further effect.
    pub fn is_idempotent(&self) -> bool {
        self.def.get().idempotent
    }

    /// What must have been granted.
    pub fn scopes(&self) -> Scopes {
        self.def.get().scopes
    }

    /// What can be read by its address wherever it may be called.
    pub fn readable(&self) -> &'static [Readable] {
        self.def.get().readable
    }

    /// The MCP definition, as `tools/list` sends it.
    pub fn definition(&self) -> &Value {
        &self.definition
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        self.definition["title"].as_str().unwrap_or_else(|| self.name())
    }

    /// What the model reads.
    pub fn description(&self) -> &str {
        self.definition["description"].as_str().unwrap_or_default()
    }

    /// The input schema.
    pub fn input(&self) -> &Value {
        &self.input
    }

    /// What it costs a model to know this tool: name, description and input schema, four bytes a token.
    pub fn tokens(&self) -> usize {
        (self.name().len() + self.description().len() + self.input.to_string().len()).div_ceil(4)
    }

    /// Runs it: repairs what is certain, refuses what does not fit, and hands over to the tool. What others wrote comes
    /// back in a fence.
    pub async fn call(&self, arguments: Map<String, Value>, cx: &Call) -> Result<Outcome> {
        let arguments = self.fitting(arguments).await?;
        let is_ours = matches!(self.def.get().kind, Implementation::Typed { .. });
        let done = match (&self.def.get().kind, arguments) {
            (Implementation::Typed { run, .. }, arguments) => run(arguments, cx).await,
            (Implementation::Runtime(tool), Value::Object(arguments)) => tool.handler.call(arguments, cx).await,
            (Implementation::Runtime(_), _) => Err(Error::arguments(["`arguments` must be an object".into()])),
        };
        done.map(|outcome| written::outcome(outcome, is_ours, self.has_room_for_a_label()))
    }
}

impl Row {
    /// Whether the published schema lets a structure say which of its texts others wrote.
    fn has_room_for_a_label(&self) -> bool {
        let output = &self.definition["outputSchema"];
        output["additionalProperties"] != false || output["properties"].get(written::OUTSIDE).is_some()
    }

    /// The arguments with their types repaired, if they fit. Many of them are looked at away from the async workers.
    async fn fitting(&self, arguments: Map<String, Value>) -> Result<Value> {
        let size = schema::limits::size(&arguments).map_err(|problem| Error::arguments([problem]))?;
        let fitted = if size.is_large() {
            let (input, raw) = (self.input.clone(), self.raw.clone());
            compute::run(move || fitted(&input, raw.as_deref(), arguments)).await?
        } else {
            fitted(&self.input, self.raw.as_deref(), arguments)
        };
        fitted.map_err(Error::arguments)
    }
}

/// The arguments with their types repaired, or what is wrong with them.
fn fitted(input: &Value, raw: Option<&schema::Raw>, arguments: Map<String, Value>) -> Result<Value, Vec<String>> {
    let mut arguments = Value::Object(arguments);
    schema::repair(input, &mut arguments);
    let problems = match raw {
        Some(raw) => raw.check(&arguments),
        None => schema::check(input, &arguments),
    };
    if problems.is_empty() { Ok(arguments) } else { Err(problems) }
}

impl Def {
    fn get(&self) -> &ToolDef {
        match self {
            Def::Constant(def) => def,
            Def::Owned(def) => def,
        }
    }
}

fn compile(def: &ToolDef, tool: &Arc<RuntimeTool>) -> Result<schema::Raw, String> {
    if tool.input["type"] != "object" {
        return Err(format!("the input schema of `{}` must be of type object", def.name));
    }
    let compiled = schema::mirrored(&tool.input).and_then(|_| schema::Raw::compile(&tool.input));
    compiled.map_err(|reason| format!("the input schema of `{}`: {reason}", def.name))
}

/// What a definition is made of.
struct Parts {
    title: String,
    description: String,
    input: Value,
    output: Option<Value>,
    meta: Option<Value>,
    icons: Vec<Icon>,
}

impl Parts {
    fn of(toolset: &Toolset, def: &ToolDef) -> Parts {
        match &def.kind {
            Implementation::Typed { input, output, .. } => {
                let (description, input) = schema::split_description(input());
                let (_, mut output) = schema::split_description(output());
                if let Some(properties) = output["properties"].as_object_mut() {
                    let about = json!({ "type": "string", "description": written::ABOUT_OUTSIDE });
                    properties.insert(written::OUTSIDE.to_owned(), about);
                }
                let title = title(toolset, &def.name);
                Parts { title, description, input, output: Some(output), meta: None, icons: Vec::new() }
            }
            Implementation::Runtime(tool) => Parts {
                title: tool.title.clone().unwrap_or_else(|| title(toolset, &def.name)),
                description: tool.description.clone(),
                input: tool.input.clone(),
                output: tool.output.clone(),
                meta: tool.meta.clone(),
                icons: tool.icons.clone(),
            },
        }
    }

    /// Hints as the specification defines them: 2026-07-28, server/tools, "Tool".
    fn definition(&self, def: &ToolDef) -> Value {
        let mut definition = json!({
            "name": def.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input,
        });
        if let Some(output) = &self.output {
            definition["outputSchema"] = output.clone();
        }
        definition["annotations"] = json!({
            "title": self.title,
            "readOnlyHint": def.effect == Effect::Reads,
            "destructiveHint": def.effect.is_destructive(),
            "idempotentHint": def.idempotent,
            "openWorldHint": true,
        });
        if let Some(meta) = &self.meta {
            definition["_meta"] = meta.clone();
        }
        if !self.icons.is_empty() {
            definition["icons"] = json!(self.icons);
        }
        definition
    }
}

/// `Google Calendar: Check availability` for `google_calendar_check_availability`.
fn title(toolset: &Toolset, name: &str) -> String {
    let prefix = toolset.id.replace('-', "_") + "_";
    let words = name.strip_prefix(&prefix).unwrap_or(name).replace('_', " ");
    format!("{}: {}", toolset.title, capitalised(&words))
}
