//! Three transports: stdio, Streamable HTTP, WebSocket.

pub mod stdio;
