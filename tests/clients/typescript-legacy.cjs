// The official TypeScript SDK of the old era, `@modelcontextprotocol/sdk` 1.x, in protocol 2025-11-25.

const { client, target, Person, drive } = require("./driver.cjs");
const { Client } = client("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = client("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = client("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { ElicitRequestSchema } = client("@modelcontextprotocol/sdk/types.js");

async function main() {
  const { isThere, transport, rest } = target();
  const person = new Person();
  const capabilities = isThere ? { elicitation: {} } : {};
  const connected = new Client({ name: "typescript-legacy", version: "1" }, { capabilities });
  if (isThere) connected.setRequestHandler(ElicitRequestSchema, async (request) => person.answer(request.params));
  const [command, ...args] = rest;
  const way =
    transport === "stdio"
      ? new StdioClientTransport({ command, args, stderr: "inherit" })
      : new StreamableHTTPClientTransport(new URL(rest[0]));
  // The client tells the transport what was agreed on, and nobody else.
  let version;
  const agreed = way.setProtocolVersion?.bind(way);
  way.setProtocolVersion = (told) => ((version = told), agreed?.(told));
  await connected.connect(way);
  await drive(connected, person, version);
}

main();
