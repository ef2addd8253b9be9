//! What a server offers beside tools: resources to read, prompts to begin with, and completions for both.
//!
//! ```
//! use switchboard::shelf::{Argument, Contents, Message, Prompt, Resource, Shelf};
//!
//! let shelf = Shelf::builder()
//!     .resource(Resource::new("notes://today", "today"), |uri, _cx| {
//!         Box::pin(async move { Ok(vec![Contents::text(uri, "text/plain", "Nothing yet.")]) })
//!     })
//!     .prompt(Prompt::new("summarise", "Summarises a text.").needs("text", "The text."), |given, _cx| {
//!         Box::pin(async move { Ok(vec![Message::user(format!("Summarise this: {}", given["text"]))]) })
//!     })
//!     .build()
//!     .unwrap();
//! assert!(shelf.has_prompts());
//! ```

mod changes;
mod items;
mod needs;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

pub use changes::{Change, Changes, News};
pub use items::{Annotations, Argument, Body, Contents, Message, Prompt, Resource, Role, Template};
pub use needs::Needs;

use crate::{
    schema::limits::{LONG, SHORT},
    text::{LONGEST_NAME, quote},
    tool::{Boxed, Call, Error, Kind, Result},
};

/// The longest address that is looked up, in bytes.
const LONGEST_URI: usize = SHORT;

/// The most arguments of a prompt.
const MOST_GIVEN: usize = 100;

/// Values by their names: a prompt's arguments, or a template's variables.
pub type Given = BTreeMap<String, String>;

type Read = Arc<dyn for<'a> Fn(String, &'a Call) -> Boxed<'a, Result<Vec<Contents>>> + Send + Sync>;
type ReadFrom = Arc<dyn for<'a> Fn(String, Given, &'a Call) -> Boxed<'a, Result<Vec<Contents>>> + Send + Sync>;
type List = Arc<dyn for<'a> Fn(&'a Call) -> Boxed<'a, Result<Vec<Resource>>> + Send + Sync>;
type Begin = Arc<dyn for<'a> Fn(Given, &'a Call) -> Boxed<'a, Result<Vec<Message>>> + Send + Sync>;
type Complete = Arc<dyn for<'a> Fn(Partial, &'a Call) -> Boxed<'a, Result<Vec<String>>> + Send + Sync>;

/// Resources, prompts and completions.
#[derive(Clone, Default)]
pub struct Shelf {
    resources: Vec<(Resource, Read)>,
    templates: Vec<(Template, ReadFrom)>,
    lists: Vec<List>,
    prompts: Vec<(Prompt, Begin)>,
    completions: Vec<(About, String, Complete)>,
}

/// What a completion is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The prompt of that name.
    Prompt(String),
    /// The resource template of that text.
    Template(String),
}

/// A value that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// What is there so far.
    pub value: String,
    /// The values that were chosen before.
    pub others: Given,
}

/// Fills a [`Shelf`].
#[derive(Default)]
pub struct Builder(Shelf);

impl Builder {
    /// A resource at a fixed address; `read` gets the address.
    #[must_use]
    pub fn resource(
        mut self,
        resource: Resource,
        read: impl for<'a> Fn(String, &'a Call) -> Boxed<'a, Result<Vec<Contents>>> + Send + Sync + 'static,
    ) -> Self {
        self.0.resources.push((resource, Arc::new(read)));
        self
    }

    /// Resources at addresses of one form; `read` gets the address and the template's variables.
    #[must_use]
    pub fn template(
        mut self,
        template: Template,
        read: impl for<'a> Fn(String, Given, &'a Call) -> Boxed<'a, Result<Vec<Contents>>> + Send + Sync + 'static,
    ) -> Self {
        self.0.templates.push((template, Arc::new(read)));
        self
    }

    /// Further resources to list, which differ from caller to caller. A template reads them.
    #[must_use]
    pub fn lists(
        mut self,
        list: impl for<'a> Fn(&'a Call) -> Boxed<'a, Result<Vec<Resource>>> + Send + Sync + 'static,
    ) -> Self {
        self.0.lists.push(Arc::new(list));
        self
    }

    /// A prompt; `begin` gets its arguments, and every required one is there.
    #[must_use]
    pub fn prompt(
        mut self,
        prompt: Prompt,
        begin: impl for<'a> Fn(Given, &'a Call) -> Boxed<'a, Result<Vec<Message>>> + Send + Sync + 'static,
    ) -> Self {
        self.0.prompts.push((prompt, Arc::new(begin)));
        self
    }

    /// Completes an argument of a prompt, or a variable of a template.
    #[must_use]
    pub fn completes(
        mut self,
        about: About,
        argument: impl Into<String>,
        complete: impl for<'a> Fn(Partial, &'a Call) -> Boxed<'a, Result<Vec<String>>> + Send + Sync + 'static,
    ) -> Self {
        self.0.completions.push((about, argument.into(), Arc::new(complete)));
        self
    }

    /// The shelf.
    ///
    /// # Errors
    /// In words, when an address or a name is there twice, or a template cannot be read.
    pub fn build(self) -> Result<Shelf, String> {
        let Shelf { resources, templates, prompts, .. } = &self.0;
        unique("resource", resources.iter().map(|(resource, _)| resource.uri.as_str()))?;
        unique("template", templates.iter().map(|(template, _)| template.uri.as_str()))?;
        unique("prompt", prompts.iter().map(|(prompt, _)| prompt.name.as_str()))?;
        templates.iter().try_for_each(|(template, _)| template::check(&template.uri))?;
        Ok(self.0)
    }
}

impl Shelf {
    /// A shelf to be filled.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Whether there is something to read.
    pub fn has_resources(&self) -> bool {
        !(self.resources.is_empty() && self.templates.is_empty() && self.lists.is_empty())
    }

    /// Whether there is a prompt.
    pub fn has_prompts(&self) -> bool {
        !self.prompts.is_empty()
    }

    /// Whether anything can be completed.
    pub fn has_completions(&self) -> bool {
        !self.completions.is_empty()
    }

    /// The resources that the caller sees.
    pub async fn resources(&self, cx: &Call) -> Result<Vec<Resource>> {
        let view = self.view(cx).await?;
        let mut all: Vec<Resource> = self.resources.iter().map(|(resource, _)| resource.clone()).collect();
        for list in &self.lists {
            all.extend(list(cx).await?);
        }
        all.retain(|resource| view.shows(&resource.needs));
        Ok(all)
    }

    /// The templates that the caller sees.
    pub async fn templates(&self, cx: &Call) -> Result<Vec<&Template>> {
        let view = self.view(cx).await?;
        Ok(self.templates.iter().map(|(template, _)| template).filter(|template| view.shows(&template.needs)).collect())
    }

    /// The prompts that the caller sees.
    pub async fn prompts(&self, cx: &Call) -> Result<Vec<&Prompt>> {
        let view = self.view(cx).await?;
        Ok(self.prompts.iter().map(|(prompt, _)| prompt).filter(|prompt| view.shows(&prompt.needs)).collect())
    }

    /// Whether the caller's tools decide which of these things there are.
    pub fn follows_tools(&self) -> bool {
        let resources = self.resources.iter().map(|(resource, _)| &resource.needs);
        let templates = self.templates.iter().map(|(template, _)| &template.needs);
        let prompts = self.prompts.iter().map(|(prompt, _)| &prompt.needs);
        !resources.chain(templates).chain(prompts).all(Needs::are_none)
    }

    /// What the caller's tools let them see.
    async fn view(&self, cx: &Call) -> Result<View> {
        let tools_count = self.follows_tools() || !self.lists.is_empty();
        Ok(View(if tools_count { cx.offered().await? } else { BTreeSet::new() }))
    }

    /// What is at an address.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when nothing is, or what the reader says.
    pub async fn read(&self, uri: &str, cx: &Call) -> Result<Vec<Contents>> {
        if uri.len() > LONGEST_URI {
            return Err(Error::not_found("resource at this address"));
        }
        let view = self.view(cx).await?;
        let mut listed = self.resources.iter().filter(|(resource, _)| view.shows(&resource.needs));
        if let Some((_, read)) = listed.find(|(resource, _)| resource.uri == uri) {
            return read(uri.to_owned(), cx).await;
        }
        let seen = self.templates.iter().filter(|(template, _)| view.shows(&template.needs));
        let mut matching = seen.filter_map(|(template, read)| {
            let given = template::matched(&template.uri, uri)?;
            Some((given, read))
        });
        match matching.next() {
            Some((given, read)) => read(uri.to_owned(), given, cx).await,
            None => Err(Error::not_found("resource at this address")),
        }
    }

    /// The messages that a prompt begins with.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown prompt, [`Kind::Arguments`] when a required argument is missing, or what
    /// the prompt says.
    pub async fn begin(&self, name: &str, given: Given, cx: &Call) -> Result<(&Prompt, Vec<Message>)> {
        if name.len() > LONGEST_NAME {
            return Err(Error::not_found("prompt of this name"));
        }
        bounded(&given)?;
        let view = self.view(cx).await?;
        let mut seen = self.prompts.iter().filter(|(prompt, _)| view.shows(&prompt.needs));
        let Some((prompt, begin)) = seen.find(|(prompt, _)| prompt.name == name) else {
            return Err(Error::not_found("prompt of this name"));
        };
        let missing =
            prompt.arguments.iter().filter(|argument| argument.required && !given.contains_key(&argument.name));
        let missing: Vec<String> =
            missing.map(|argument| format!("the argument `{}` is missing", argument.name)).collect();
        if !missing.is_empty() {
            return Err(Error::arguments(missing));
        }
        Ok((prompt, begin(given, cx).await?))
    }

    /// What could stand in an argument; nothing where nobody completes it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such prompt or template, or what the completion says.
    pub async fn complete(&self, about: &About, argument: &str, partial: Partial, cx: &Call) -> Result<Vec<String>> {
        bounded(&partial.others)?;
        if partial.value.len() > SHORT || argument.len() > LONGEST_NAME {
            return Err(Error::arguments([format!("`argument.value` takes at most {SHORT} bytes")]));
        }
        let is_there = match about {
            About::Prompt(name) => self.prompts(cx).await?.iter().any(|prompt| prompt.name == *name),
            About::Template(uri) => {
                self.templates(cx).await?.iter().any(|template| template.uri == *uri)
                    || self.resources.iter().any(|(resource, _)| resource.uri == *uri)
            }
        };
        if !is_there {
            return Err(Error::new(Kind::NotFound, "There is nothing of this name to complete."));
        }
        let found = self.completions.iter().find(|(known, name, _)| known == about && name == argument);
        match found {
            Some((_, _, complete)) => complete(partial, cx).await,
            None => Ok(Vec::new()),
        }
    }
}

/// The tools that a caller is offered, as far as they decide what is seen.
struct View(BTreeSet<String>);

impl View {
    fn shows(&self, needs: &Needs) -> bool {
        needs.are_met_by(&self.0)
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shelf { resources, templates, prompts, .. } = self;
        write!(f, "Shelf of {} resources, {} templates, {} prompts", resources.len(), templates.len(), prompts.len())
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Refuses arguments that are more, or longer, than any prompt takes.
fn bounded(given: &Given) -> Result<()> {
    if given.len() > MOST_GIVEN {
        return Err(Error::arguments([format!("there are at most {MOST_GIVEN} arguments")]));
    }
    match given.iter().find(|(name, value)| name.len() > LONGEST_NAME || value.len() > LONG) {
        Some((name, _)) => Err(Error::arguments([format!(
            "the argument `{}` takes at most {LONG} bytes, and its name {LONGEST_NAME}",
            quote(name)
        )])),
        None => Ok(()),
    }
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("there are two entries for the {what} `{name}`"));
        }
    }
    Ok(())
}
