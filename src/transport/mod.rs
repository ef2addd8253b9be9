//! Three transports: stdio, Streamable HTTP, WebSocket.
