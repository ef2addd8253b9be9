//! What stands for the voice agent in a program that was built without it.

use std::net::SocketAddr;

use axum::Router;

use super::{house::Home, order::Failure};
use crate::{agents::Agents, console::Calls, telemetry::metrics::Metrics, transport};

/// There is none.
#[derive(Clone, Debug)]
pub enum Voice {}

/// What it would be put together from.
#[derive(Debug)]
#[expect(dead_code, reason = "nobody is there to use it")]
pub struct Around<'a> {
    pub home: &'a Home,
    pub stand_in: Option<(String, &'static str)>,
    pub agents: Agents,
    pub metrics: Metrics,
    pub address: SocketAddr,
}

impl Voice {
    #[expect(clippy::unnecessary_wraps, reason = "the one that exists may fail")]
    pub fn open(_: Around<'_>) -> Result<Option<Voice>, Failure> {
        Ok(None)
    }

    pub fn router(&self, _: &transport::Options) -> Router {
        match *self {}
    }

    pub fn calls(&self) -> Calls {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "the one that exists waits")]
    pub async fn hang_up(&self) {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "the one that exists waits")]
    pub async fn close(&self) {
        match *self {}
    }
}
