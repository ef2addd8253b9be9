//! The way from a resource, a prompt or a completion back to the caller's own tools.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use super::{Boxed, Call, Error, Outcome, Readable, Result, Row};

/// The tools of one caller, as far as they only look. Every call goes through the hub as the caller's own: what the
/// caller may not use is not there, results are bounded, and the audit has a line.
pub trait Door: Send + Sync {
    /// The tools that the caller is offered.
    fn rows(&self) -> Boxed<'_, Result<Vec<Arc<Row>>>>;

    /// Runs an errand for the caller.
    ///
    /// # Errors
    /// No such tool for this caller, a tool that does more than look, or the tool's own failure.
    fn run(&self, errand: Errand) -> Boxed<'_, Result<Outcome>>;
}

/// What is to be read through a tool.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The tool's name.
    pub tool: String,
    /// Its arguments, or the variables of the address that is read.
    pub arguments: Map<String, Value>,
    /// The address that is read, where it is one.
    pub reading: Option<Reading>,
}

/// An address that is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Its form.
    pub readable: &'static Readable,
    /// The whole address.
    pub uri: String,
}

impl Call {
    /// The names of the tools that the caller is offered; none where no way leads to them.
    pub async fn offered(&self) -> Result<BTreeSet<String>> {
        Ok(self.rows().await?.iter().map(|row| row.name().to_owned()).collect())
    }

    /// The tools that the caller is offered; none where no way leads to them.
    pub async fn rows(&self) -> Result<Vec<Arc<Row>>> {
        match self.door() {
            Some(door) => door.rows().await,
            None => Ok(Vec::new()),
        }
    }

    /// Calls a tool of the caller's that only looks: for resources, prompts and completions.
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound) when the caller has no such tool, or the tool's own failure.
    pub async fn look(&self, tool: &str, arguments: Map<String, Value>) -> Result<Outcome> {
        self.run(Errand { tool: tool.to_owned(), arguments, reading: None }).await
    }

    /// Runs an errand through the caller's own tools.
    ///
    /// # Errors
    /// As for [`Call::look`].
    pub async fn run(&self, errand: Errand) -> Result<Outcome> {
        match self.door() {
            Some(door) => door.run(errand).await,
            None => Err(Error::not_found(format!("tool `{}` here", errand.tool))),
        }
    }

    fn door(&self) -> Option<&Arc<dyn Door>> {
        self.door.as_ref()
    }
}
