// What is said in a call and what the agent does, line by line.
import { button, h, icon } from "./dom.js";
import { number, spoken } from "./words.js";

export function captions(call, signal) {
  const { conversation } = call;
  const list = h("ol", { class: "captions", tabIndex: 0, "aria-label": "Captions" });
  const lines = new Map();
  const show = (entry) => {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    const line = LINES[entry.who](entry, call);
    if (lines.has(entry)) lines.get(entry).replaceWith(line);
    else list.append(line);
    lines.set(entry, line);
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  };
  conversation.entries.forEach(show);
  conversation.addEventListener("entry", ({ detail }) => show(detail), { signal });
  queueMicrotask(() => { list.scrollTop = list.scrollHeight; });
  return list;
}

const LINES = {
  you: ({ text, isOpen }) => h("li", { class: "you" + (isOpen ? " open" : "") }, h("span", { class: "hidden" }, "You: "), text),
  note: ({ text, kind }) => h("li", { class: "aside " + kind }, text),
  agent: agentLine,
  tool: toolLine,
  approval: approvalLine,
};

// What was written and not spoken yet is lighter; after an interruption it was never heard.
function agentLine({ written, spoken: said, isInterrupted }, { conversation }) {
  // A question that is read out stands there already, with its buttons.
  const isQuestion = conversation.entries.some((entry) => entry.who === "approval" && entry.question === written.trim());
  if (isQuestion) return h("li", { hidden: true });
  const heard = said.trim().length;
  const isSpoken = written === "" || heard === 0;
  const words = isSpoken ? [written || said] : [written.slice(0, heard), h("span", { class: "unsaid" }, written.slice(heard))];
  return h("li", { class: "agent" + (isInterrupted ? " cut" : "") }, h("span", { class: "hidden" }, "Agent: "), words);
}

function toolLine({ tool, state, took, given, result }) {
  const says = { runs: "runs", done: number(Math.round(took)) + " ms", cancelled: "called back" }[state];
  const head = [icon("tool"), h("span", {}, spoken(tool)), h("small", { class: "number" }, says)];
  const details = [given && Object.keys(given).length > 0 && JSON.stringify(given, null, 1), result].filter(Boolean);
  const line = h("li", { class: "tool " + state, data: { tool } });
  if (details.length === 0) line.append(h("div", { class: "what" }, head));
  else line.append(h("details", {}, h("summary", { class: "what" }, head), details.map((text) => h("pre", {}, text))));
  return line;
}

function approvalLine(entry, call) {
  const { question, tool, isOpen, isApproved, isByButton } = entry;
  if (!isOpen) {
    const says = isApproved === undefined ? "Answered" : (isByButton ? "You said " : "Answered: ") + (isApproved ? "yes" : "no");
    return h("li", { class: "ask answered" }, h("p", { class: "question" }, question), h("small", { class: "soft" }, says + "."));
  }
  return h("li", { class: "ask", role: "alert", data: { call: entry.call } },
    h("p", { class: "question" }, question), h("small", { class: "soft" }, tool ? spoken(tool) : ""),
    h("div", { class: "row" }, button("Yes", () => call.decide(entry, true), "main"), button("No", () => call.decide(entry, false))));
}
