// Lets the Rust tests drive a TypeScript client, with the same commands as `driver.py` beside this file.

const { createRequire } = require("node:module");
const readline = require("node:readline");

/** The packages of the client: the environment says where they were installed. */
const client = createRequire(`${process.env.CLIENT_HOME}/`);

/** What the command line names. */
function target() {
  const rest = process.argv.slice(2);
  const nobody = rest[0] === "--nobody";
  const [transport, ...more] = nobody ? rest.slice(1) : rest;
  return { isThere: !nobody, transport, rest: more };
}

/** Answers the server's questions; fills each form's yes-or-no fields with what they were told to say. */
class Person {
  approve = false;
  questions = [];

  answer({ message, requestedSchema }) {
    this.questions.push(message);
    if (!this.approve) return { action: "decline" };
    const fields = Object.entries(requestedSchema?.properties ?? {});
    const asked = fields.filter(([, field]) => field.type === "boolean");
    return { action: "accept", content: Object.fromEntries(asked.map(([name]) => [name, true])) };
  }
}

/** Carries out one command on a connected client of either SDK: their methods have the same names. */
async function carryOut(connected, person, command) {
  switch (command.do) {
    case "list": {
      const page = await connected.listTools();
      return { names: page.tools.map((tool) => tool.name), more: page.nextCursor !== undefined };
    }
    case "call": {
      const result = await connected.callTool({ name: command.tool, arguments: command.arguments });
      const texts = result.content.filter((part) => part.type === "text").map((part) => part.text);
      return { is_error: result.isError ?? false, text: texts.join("\n"), structured: result.structuredContent ?? null };
    }
    case "say":
      person.approve = command.approve;
      return {};
    case "asked":
      return { questions: person.questions };
  }
}

/** Carries out commands until stdin ends. */
async function drive(connected, person, version) {
  const tell = (answer) => console.log(JSON.stringify(answer));
  tell({ version });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      tell(await carryOut(connected, person, JSON.parse(line)));
    } catch (error) {
      console.error(error);
      tell({ failed: String(error) });
    }
  }
  await connected.close();
}

module.exports = { client, target, Person, drive };
