// The settings of an agent, but for its tools.
import { check, choices, field, h } from "./dom.js";
import { ASKING, LEVELS } from "./words.js";

const panel = (title, about, ...content) =>
  h("section", { class: "panel stack", "aria-label": title }, h("div", {}, h("h2", {}, title), about && h("p", { class: "help" }, about)), content);

export function basics(editor) {
  const name = h("input", { name: "name", value: editor.value("name"), required: true, maxLength: 100, autocomplete: "off" });
  name.addEventListener("input", () => editor.set({ name: name.value.trim() === editor.saved.name ? undefined : name.value }));
  const instructions = h("textarea", { name: "instructions", rows: 5, maxLength: 20000, value: editor.value("instructions") ?? "", placeholder: "You help the support team of Northwind. Be brief." });
  instructions.addEventListener("input", () => {
    const text = instructions.value.trim();
    editor.set({ instructions: text === (editor.saved.instructions ?? "") ? undefined : text || null });
  });
  return panel("What it is", "", field("Name", name), field("Instructions", instructions, "What the model is told about its job."));
}

export function limits(editor) {
  const choose = (name) => (value) => editor.set({ [name]: value === editor.saved[name] ? undefined : value });
  return panel("How far it may go", "What cannot be undone asks a person at every level.",
    choices("Level", "level", LEVELS, editor.value("level"), choose("level")),
    choices("Asks before it reaches people", "asking", ASKING, editor.value("asking"), choose("asking")));
}

// Which account it takes, where there are several.
export function accounts(editor, integrations) {
  const several = integrations.filter((one) => one.connections.length > 1);
  if (several.length === 0) return "";
  const chosen = { ...editor.value("accounts") };
  const pick = (one) => {
    const names = one.connections.map((connection) => connection.account);
    const element = h("select", { name: "account-" + one.id },
      new Option("It has to say which", "", false, !chosen[one.id]),
      names.map((name) => new Option(name, name, false, name === chosen[one.id])));
    element.addEventListener("change", () => {
      if (element.value) chosen[one.id] = element.value;
      else delete chosen[one.id];
      editor.set({ accounts: { ...chosen } });
    });
    return field(one.name, element);
  };
  return panel("Accounts", "The usual account, where you have several of one vendor.", h("div", { class: "fields" }, several.map(pick)));
}

// What an agent's voice can be set to: name, label, help, and how it is entered.
const VOICE = [
  ["greeting", "Greeting", "What it says first.", { placeholder: "Northwind, good morning." }],
  ["language", "Language", "Such as en-GB or de-DE.", { placeholder: "en", maxLength: 35 }],
  ["voice", "Voice", "As the speech service calls it.", {}],
  ["speed", "Speed", "In percent of the usual.", { type: "number", min: 50, max: 200, step: 5, placeholder: "100" }],
  ["end_of_turn_ms", "Silence that ends a turn", "In milliseconds.", { type: "number", min: 100, max: 3000, step: 20 }],
  ["unfinished_turn_ms", "Silence after half a sentence", "In milliseconds.", { type: "number", min: 100, max: 5000, step: 20 }],
  ["interrupt_ms", "Speech that interrupts it", "In milliseconds.", { type: "number", min: 100, max: 3000, step: 20 }],
  ["idle_seconds", "Silence until it asks", "In seconds; after as much again it hangs up.", { type: "number", min: 5, max: 600 }],
];
const SWITCHES = [
  ["can_be_interrupted", "It can be interrupted", "It stops speaking when the caller begins to.", true],
  ["shows_calls", "The caller's page sees its calls", "What tools are called with, and what they answer.", false],
  ["transcript", "Keep a transcript", "What is said and done stays in the data directory, for whoever runs this server.", false],
  ["record", "Record the sound", "Callers have to know of it, and in many places to agree.", false],
];

export function voice(editor) {
  const now = { ...(editor.value("voice") ?? {}) };
  const put = (name, value) => {
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) delete now[name];
    else now[name] = value;
    editor.set({ voice: Object.keys(now).length > 0 ? { ...now } : null });
  };
  const entry = ([name, label, help, properties]) => {
    const input = h("input", { name: "voice-" + name, autocomplete: "off", value: now[name] ?? "", ...properties });
    input.addEventListener("input", () => {
      if (!input.checkValidity()) return;
      put(name, properties.type === "number" && input.value ? Number(input.value) : input.value.trim());
    });
    return field(label, input, help);
  };
  const flip = ([name, label, help, usual]) =>
    check({ name: "voice-" + name, checked: now[name] ?? usual, on: { change: ({ target }) => put(name, target.checked === usual ? undefined : target.checked) } }, label, help);
  const fillers = h("textarea", { name: "voice-fillers", rows: 2, value: (now.fillers ?? []).join("\n"), placeholder: "One moment." });
  fillers.addEventListener("input", () => put("fillers", fillers.value.split("\n").map((line) => line.trim()).filter(Boolean)));
  const isUsual = Object.keys(now).length === 0;
  const summary = h("summary", {}, h("span", { class: "grow" }, h("b", {}, "On the phone"), h("small", { class: "help" }, isUsual ? " as usual" : " has settings of its own")));
  return h("details", { class: "group", open: !isUsual, id: "voice" }, summary,
    h("div", { class: "stack inset" },
      h("div", { class: "fields" }, VOICE.map(entry)),
      field("While a tool takes long", fillers, "One sentence a line; it says one of them."),
      h("div", { class: "stack tight" }, SWITCHES.map(flip))));
}
