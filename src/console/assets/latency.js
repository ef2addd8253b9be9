// How long each turn took, as a small chart: a bar a turn, its stages one on the other.
import { draw, h } from "./dom.js";
import { number } from "./words.js";

const WIDTH = 240;
const HEIGHT = 90;
// So many turns are shown.
const MOST = 16;
const ORDER = ["stt", "llm", "tool", "tts"];
const NAMES = { stt: "hearing", llm: "thinking", tts: "speaking", tool: "tools", answer: "to the first word" };
// What stands for a turn as a whole and is no stage of it.
const WHOLE = /voice|total|turn/;

export class Chart {
  element = h("figure", { class: "latency", hidden: true });

  show(turns) {
    const shown = turns.filter((turn) => turn.stages.size > 0).slice(-MOST);
    this.element.hidden = shown.length === 0;
    if (shown.length === 0) return;
    const stages = [...new Set(shown.flatMap((turn) => [...turn.stages.keys()]))].filter((name) => !WHOLE.test(name));
    stages.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
    const last = shown.at(-1);
    const longest = Math.max(500, ...shown.map((turn) => Math.max(sum(turn, stages), whole(turn))));
    const step = WIDTH / MOST;
    const bars = shown.map((turn, index) => bar(turn, stages, index * step, step - 3, HEIGHT / longest));
    const says = "The last turn took " + number(Math.round(whole(last) || sum(last, stages))) + " ms.";
    this.element.replaceChildren(
      h("figcaption", {}, h("span", {}, "Latency"), h("b", { class: "number" }, number(Math.round(whole(last) || sum(last, stages))) + " ms")),
      draw("svg", { viewBox: "0 0 " + WIDTH + " " + HEIGHT, role: "img", "aria-label": says, preserveAspectRatio: "none" }, ...bars),
      h("ul", {}, stages.map((name, index) => last.stages.has(name) && legend(name, index, last.stages.get(name)))));
  }
}

function legend(name, index, ms) {
  return h("li", { class: "stage-" + (index % 4) }, (NAMES[name] ?? name) + " ", h("span", { class: "number" }, number(Math.round(ms))));
}

const sum = (turn, stages) => stages.reduce((total, name) => total + (turn.stages.get(name) ?? 0), 0);

function whole(turn) {
  const found = [...turn.stages].find(([name]) => WHOLE.test(name));
  return found ? found[1] : 0;
}

function bar(turn, stages, x, width, scale) {
  let top = HEIGHT;
  const parts = stages.map((name, index) => {
    const height = (turn.stages.get(name) ?? 0) * scale;
    top -= height;
    return draw("rect", { x, y: top, width, height, class: "stage-" + (index % 4) });
  });
  const ms = whole(turn);
  if (ms > 0) parts.push(draw("rect", { x, y: HEIGHT - ms * scale, width, height: 1.5, class: "whole" }));
  return draw("g", {}, ...parts);
}
