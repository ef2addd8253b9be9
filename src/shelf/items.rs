//! The things on a shelf, as they are listed and as they are handed out.

use std::borrow::Cow;

use jiff::Timestamp;

use super::Needs;
use crate::tool::{Content, Icon};

/// Something to read, as it is listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Its address.
    pub uri: String,
    /// What programs call it.
    pub name: String,
    /// What people call it.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Such as `text/plain`.
    pub mime_type: Option<String>,
    /// How many bytes it has, before they are written as text.
    pub size: Option<u64>,
    /// Whom it is for, and how much it matters.
    pub annotations: Option<Annotations>,
    /// Pictures by which people know it.
    pub icons: Vec<Icon>,
    /// The tools without which nobody sees it.
    pub needs: Needs,
}

/// A form of addresses at which there is something to read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// The address with variables in braces, each standing for one segment: `notes://{year}/index`.
    pub uri: String,
    /// What programs call it.
    pub name: String,
    /// What people call it.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Such as `text/plain`.
    pub mime_type: Option<String>,
    /// Whom what is there is for, and how much it matters.
    pub annotations: Option<Annotations>,
    /// Pictures by which people know it.
    pub icons: Vec<Icon>,
    /// The tools without which nobody sees it.
    pub needs: Needs,
}

/// What a client may go by when it chooses what to show to whom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    /// Whom it is for; nobody in particular when it is empty.
    pub audience: Vec<Role>,
    /// How much it matters, from 0 to 1.
    pub priority: Option<f64>,
    /// When it changed last.
    pub last_modified: Option<Timestamp>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Where it is from.
    pub uri: String,
    /// Such as `text/plain`.
    pub mime_type: String,
    /// What it is.
    pub body: Body,
}

/// A text, or bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text.
    Text(String),
    /// Bytes, in base64.
    Blob(String),
}

/// How to begin a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// What programs call it.
    pub name: String,
    /// What people call it.
    pub title: Option<String>,
    /// What it is good for.
    pub description: String,
    /// What it can be told.
    pub arguments: Vec<Argument>,
    /// Pictures by which people know it.
    pub icons: Vec<Icon>,
    /// The tools without which nobody sees it.
    pub needs: Needs,
}

/// Something that a prompt can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Whether the prompt needs it.
    pub required: bool,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What they say.
    pub content: Content,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Resource {
    /// A resource at that address.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Resource { uri: uri.into(), name: name.into(), ..Resource::default() }
    }

    /// Says what it is.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>, mime_type: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Says what people call it.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Says how many bytes it has, before they are written as text.
    #[must_use]
    pub fn sized(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Says whom it is for, and how much it matters.
    #[must_use]
    pub fn annotated(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// Gives it a picture; said again, one more.
    #[must_use]
    pub fn pictured(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Shows it only to callers who are offered one of these tools; said again, one of those as well.
    #[must_use]
    pub fn for_tools(mut self, tools: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.needs = self.needs.and_one_of(tools);
        self
    }
}

impl Template {
    /// A template of addresses.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Template { uri: uri.into(), name: name.into(), ..Template::default() }
    }

    /// Says what is there.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>, mime_type: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Says what people call it.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Says whom it is for, and how much it matters.
    #[must_use]
    pub fn annotated(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// Gives it a picture; said again, one more.
    #[must_use]
    pub fn pictured(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Shows it only to callers who are offered one of these tools; said again, one of those as well.
    #[must_use]
    pub fn for_tools(mut self, tools: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.needs = self.needs.and_one_of(tools);
        self
    }
}

impl Contents {
    /// A text.
    pub fn text(uri: impl Into<String>, mime_type: impl Into<String>, text: impl Into<String>) -> Self {
        Contents { uri: uri.into(), mime_type: mime_type.into(), body: Body::Text(text.into()) }
    }

    /// Bytes, in base64.
    pub fn blob(uri: impl Into<String>, mime_type: impl Into<String>, base64: impl Into<String>) -> Self {
        Contents { uri: uri.into(), mime_type: mime_type.into(), body: Body::Blob(base64.into()) }
    }
}

impl Prompt {
    /// A prompt without arguments.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Prompt { name: name.into(), description: description.into(), ..Prompt::default() }
    }

    /// The same with an argument that it needs.
    #[must_use]
    pub fn needs(self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.with(name, description, true)
    }

    /// The same with an argument that may be left out.
    #[must_use]
    pub fn takes(self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.with(name, description, false)
    }

    fn with(mut self, name: impl Into<String>, description: impl Into<String>, required: bool) -> Self {
        self.arguments.push(Argument { name: name.into(), description: description.into(), required });
        self
    }

    /// Says what people call it.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Gives it a picture; said again, one more.
    #[must_use]
    pub fn pictured(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Shows it only to callers who are offered one of these tools; said again, one of those as well.
    #[must_use]
    pub fn for_tools(mut self, tools: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.needs = self.needs.and_one_of(tools);
        self
    }
}

impl Message {
    /// What the person says, as text.
    pub fn user(text: impl Into<String>) -> Self {
        Message { role: Role::User, content: Content::Text(text.into()) }
    }

    /// What the person shows.
    pub fn shown(content: Content) -> Self {
        Message { role: Role::User, content }
    }
}
