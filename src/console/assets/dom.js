// Elements, and what they do. All texts are set as text, never as markup.

export const at = (id) => document.getElementById(id);

// An element with properties, attributes, listeners (`on`) and children.
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") Object.entries(value).forEach(([type, listener]) => element.addEventListener(type, listener));
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "class") element.className = value;
    else if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

const drawing = (name) => document.createElementNS(at("icons").namespaceURI, name);

// A drawing of elements with attributes: `["rect", { x: 1 }, …children]`.
export function draw(name, attributes = {}, ...children) {
  const element = drawing(name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
}

export const icon = (name) => draw("svg", { "aria-hidden": "true" }, draw("use", { href: "#icon-" + name }));

// Says something for a moment, to those who listen to a screen reader too.
export function tell(text) {
  at("news").textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { at("news").textContent = ""; }, 3000 + 60 * text.length);
}

// Works, and tells when that fails; the button is busy meanwhile.
export async function working(button, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } catch (error) {
    tell(error.message);
    return undefined;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

export function button(text, work, kind = "", picture = "") {
  const element = h("button", { type: "button", class: kind }, picture && icon(picture), text);
  element.addEventListener("click", () => working(element, work));
  return element;
}

// A letter or two on a colour of their own: each name has always the same.
export function tile(name, kind = "") {
  const letters = name.split(/[\s_-]+/).filter(Boolean).slice(0, 2).map((word) => word[0]).join("");
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  const element = h("span", { class: "tile " + kind, "aria-hidden": "true" }, letters.toUpperCase());
  element.style.setProperty("--hue", hue);
  return element;
}

export const chip = (text, kind = "") => h("span", { class: "chip " + kind }, text);
export const nothing = (text) => h("li", { class: "nothing" }, text);

export function pageHead(title, about, ...actions) {
  const words = h("div", {}, h("h1", {}, title), about && h("p", {}, about));
  return h("header", { class: "page-head" }, words, actions.length > 0 && h("div", { class: "row" }, actions));
}

export function field(label, input, help) {
  return h("label", { class: "field" }, h("span", {}, label), input, help && h("small", { class: "help" }, help));
}

// A box to tick, or one of several to choose, with words beside it.
export function check(properties, label, help) {
  const input = h("input", { type: "checkbox", ...properties });
  return h("label", { class: "check" }, input, h("span", {}, label, help && h("small", { class: "help" }, h("br"), help)));
}

export function choices(legend, name, options, chosen, changed) {
  const one = ([value, label, help]) =>
    check({ type: "radio", name, value, checked: value === chosen, on: { change: () => changed(value) } }, label, help);
  return h("fieldset", {}, h("legend", {}, legend), h("div", { class: "choices" }, options.map(one)));
}

export function search(label, changed) {
  const input = h("input", { type: "search", autocomplete: "off", placeholder: label, "aria-label": label, class: "first-search" });
  input.addEventListener("input", () => changed(input.value.trim().toLowerCase()));
  return h("div", { class: "search", role: "search" }, icon("search"), input);
}

export function select(label, options, chosen, changed) {
  const element = h("select", { "aria-label": label }, options.map(([value, text]) => new Option(text, value, false, value === chosen)));
  element.addEventListener("change", () => changed(element.value));
  return element;
}

// Something to be copied as a whole.
export function copyButton(text, label = "Copy") {
  const element = h("button", { type: "button" }, icon("copy"), label);
  element.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      tell("Copied.");
    } catch {
      tell("The browser does not let this page copy. Select the text and copy it.");
    }
  });
  return element;
}

export const secret = (text) => h("div", { class: "secret" }, h("code", { tabIndex: 0 }, text), copyButton(() => text));
