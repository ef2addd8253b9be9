// The official TypeScript client, `@modelcontextprotocol/client` 2.x, which looks for protocol 2026-07-28 first.

const { client, target, Person, drive } = require("./driver.cjs");
const { Client, StreamableHTTPClientTransport } = client("@modelcontextprotocol/client");
const { StdioClientTransport } = client("@modelcontextprotocol/client/stdio");

async function main() {
  const { isThere, transport, rest } = target();
  const person = new Person();
  const capabilities = isThere ? { elicitation: {} } : {};
  const connected = new Client(
    { name: "typescript-modern", version: "1" },
    { capabilities, versionNegotiation: { mode: "auto" } },
  );
  if (isThere) connected.setRequestHandler("elicitation/create", (request) => person.answer(request.params));
  const [command, ...args] = rest;
  await connected.connect(
    transport === "stdio"
      ? new StdioClientTransport({ command, args, stderr: "inherit" })
      : new StreamableHTTPClientTransport(new URL(rest[0])),
  );
  await drive(connected, person, connected.getNegotiatedProtocolVersion());
}

main();
