// Where somebody begins who was invited.
import { get, me } from "./api.js";
import { button, h, pageHead } from "./dom.js";
import { make } from "./tokens.js";

export async function show(main, { go }) {
  const [who, { integrations }] = await Promise.all([me(), get("/integrations")]);
  const count = integrations.filter((one) => one.connections.length > 0).length;
  const accounts = count > 0 ? count + " of " + integrations.length + " are connected." : "Your calendar, your mail, your customers: assistants work with what you connect, in your name.";
  main.append(
    pageHead("Welcome" + (who.name ? ", " + who.name : ""), "Two steps, and your assistant has tools."),
    h("ol", { class: "steps" },
      h("li", { class: "stack" }, h("h2", {}, "Connect an account"), h("p", { class: "soft" }, accounts),
        h("div", { class: "row" }, h("a", { class: "button", href: "/" }, "Choose an integration"))),
      h("li", { class: "stack" }, h("h2", {}, "Give your client a token"),
        h("p", { class: "soft" }, "Claude Code, Cursor, VS Code, or a program of your own: it brings the token along, and has the tools of your agent."),
        h("div", { class: "row" }, button("Make a token", () => make("/agents/local", "your client"), "main"), button("Choose its tools first", () => go("/agents/local"), "plain")))),
  );
}
