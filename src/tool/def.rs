//! The declaration of a tool with its types erased: one line of an integration's list.

use std::{borrow::Cow, fmt, pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use super::{Answer, Call, Content, Effect, Error, Host, Icon, Outcome, Readable, Result, Scopes, Tool};
use crate::schema;

/// A running call.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome>> + Send + 'a>>;

/// One line of a list of tools.
///
/// Those of the built-in integrations are constants made by [`ToolDef::of`]. Tools that are known only at run
/// time (imported from an API description, or a server's own) make the same line from owned parts with
/// [`ToolDef::at_runtime`].
pub struct ToolDef {
    /// What it is called, `[a-z][a-z0-9_]*` and at most 40 characters for our own.
    pub name: Cow<'static, str>,
    /// What it does to the world.
    pub effect: Effect,
    /// Whether a repeat has no further effect.
    pub idempotent: bool,
    /// What must have been granted.
    pub scopes: Scopes,
    /// What can be read by its address wherever the tool may be called.
    pub readable: &'static [Readable],
    /// The hosts that it asks beside the integration's own.
    pub hosts: &'static [Host],
    pub(super) kind: Implementation,
}

/// How a tool is implemented.
pub(super) enum Implementation {
    /// A Rust type.
    Typed { input: fn() -> Value, output: fn() -> Value, run: for<'a> fn(Value, &'a Call) -> Running<'a> },
    /// Owned parts.
    Runtime(Arc<RuntimeTool>),
}

/// The parts of a tool that is made at run time.
pub struct RuntimeTool {
    /// What people see.
    pub title: Option<String>,
    /// What the model reads.
    pub description: String,
    /// Any JSON schema of the 2020-12 dialect whose root is an object; it is listed as it is.
    pub input: Value,
    /// The schema of the structured result, if there is one.
    pub output: Option<Value>,
    /// `_meta` of the listed tool, if there is one.
    pub meta: Option<Value>,
    /// Pictures by which people know it.
    pub icons: Vec<Icon>,
    /// What runs.
    pub handler: Box<dyn Handler>,
}

impl RuntimeTool {
    /// A tool that takes what `input`, a JSON schema of an object, says.
    ///
    /// ```
    /// use serde_json::json;
    /// use switchboard::tool::{Effect, Outcome, RuntimeTool, ToolDef};
    ///
    /// let input = json!({"type": "object", "required": ["name"], "properties": {
    ///     "name": {"type": "string", "description": "Whom to greet, such as `Ana`."},
    /// }});
    /// let greet = RuntimeTool::new("Greets somebody by name.", input, |given, _cx| {
    ///     Box::pin(async move { Ok(Outcome::text(format!("Hello, {}!", given["name"]))) })
    /// });
    /// assert_eq!(ToolDef::at_runtime("greet", Effect::Reads, greet).name, "greet");
    /// ```
    pub fn new<F>(description: impl Into<String>, input: Value, handler: F) -> Self
    where
        F: for<'a> Fn(Map<String, Value>, &'a Call) -> Running<'a> + Send + Sync + 'static,
    {
        let handler = Box::new(handler);
        RuntimeTool {
            title: None,
            description: description.into(),
            input,
            output: None,
            meta: None,
            icons: Vec::new(),
            handler,
        }
    }

    /// What people see in place of its name.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        RuntimeTool { title: Some(title.into()), ..self }
    }

    /// The schema of its structured result.
    #[must_use]
    pub fn output(self, output: Value) -> Self {
        RuntimeTool { output: Some(output), ..self }
    }

    /// What stands in the `_meta` of its entry in the list.
    #[must_use]
    pub fn meta(self, meta: Value) -> Self {
        RuntimeTool { meta: Some(meta), ..self }
    }

    /// Gives it a picture; said again, one more.
    #[must_use]
    pub fn pictured(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }
}

/// The body of a tool that is made at run time.
///
/// Closures that return a boxed future are handlers.
pub trait Handler: Send + Sync {
    /// Does the work; `arguments` fit the tool's schema.
    fn call<'a>(&'a self, arguments: Map<String, Value>, cx: &'a Call) -> Running<'a>;
}

impl<F> Handler for F
where
    F: for<'a> Fn(Map<String, Value>, &'a Call) -> Running<'a> + Send + Sync,
{
    fn call<'a>(&'a self, arguments: Map<String, Value>, cx: &'a Call) -> Running<'a> {
        self(arguments, cx)
    }
}

impl ToolDef {
    /// The line for `T`, made at compile time.
    pub const fn of<T: Tool>() -> ToolDef {
        ToolDef {
            name: Cow::Borrowed(T::NAME),
            effect: T::EFFECT,
            idempotent: T::IDEMPOTENT,
            scopes: T::SCOPES,
            readable: T::READABLE,
            hosts: T::HOSTS,
            kind: Implementation::Typed {
                input: schema::of::<T>,
                output: schema::of::<T::Output>,
                run: |arguments, cx| Box::pin(run::<T>(arguments, cx)),
            },
        }
    }

    /// A line made at run time.
    pub fn at_runtime(name: impl Into<String>, effect: Effect, tool: RuntimeTool) -> ToolDef {
        ToolDef {
            name: Cow::Owned(name.into()),
            effect,
            idempotent: effect.is_idempotent(),
            scopes: Scopes::NONE,
            readable: &[],
            hosts: &[],
            kind: Implementation::Runtime(Arc::new(tool)),
        }
    }
}

/// Reads the arguments, runs the tool, and writes its answer down.
async fn run<T: Tool>(arguments: Value, cx: &Call) -> Result<Outcome> {
    let tool: T = serde_path_to_error::deserialize(arguments).map_err(|error| misfit(&error))?;
    let answer = tool.call(cx).await?;
    let structured = serde_json::to_value(&answer).map_err(Error::internal)?;
    let links = answer.links().into_iter().map(Content::from);
    let content = std::iter::once(Content::Text(answer.text())).chain(links).collect();
    Ok(Outcome { content, structured: Some(structured), ..Outcome::default() })
}

/// What serde could not read, with the field in front.
fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    Error::arguments([format!("`{}`: {}", error.path(), error.inner())])
}

impl fmt::Debug for ToolDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolDef").field(&self.name).finish()
    }
}
