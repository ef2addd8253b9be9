// Which tools an agent has: integrations with their usual tools, or single ones.
import { check, chip, h, search, tile } from "./dom.js";
import { EFFECTS, number, plural, reaches, short } from "./words.js";

export function selector(editor, catalog, integrations) {
  return new Selector(editor, catalog, integrations).element;
}

class Selector {
  constructor(editor, catalog, integrations) {
    this.editor = editor;
    this.tools = catalog.filter((tool) => integrations.some((one) => one.id === tool.integration));
    this.integrations = integrations;
    this.words = "";
    this.take();
    this.groups = h("div", { class: "stack tight" });
    this.follow = h("input", { type: "checkbox", name: "follows", on: { change: () => this.followed() } });
    this.element = h("section", { class: "panel stack", id: "tools", "aria-label": "Tools" },
      h("div", {}, h("h2", {}, "Tools"), h("p", { class: "help" }, "Fewer tools are taken more surely, and leave the model more room to think.")),
      h("label", { class: "check" }, this.follow, h("span", {}, "Whatever is connected", h("small", { class: "help" }, h("br"), "The usual tools of every account that you connect, now and later."))),
      search("Search tools", (words) => { this.words = words; this.draw(); }),
      this.groups);
    editor.onSeen(() => { this.take(); this.draw(); });
    this.draw();
  }

  // What the server says is what counts, unless single tools were just chosen here.
  take() {
    const { seen, wish } = this.editor;
    this.follows = seen.follows_connections;
    this.enabled = new Set(seen.integrations);
    if (!wish.tools) this.chosen = new Set(this.tools.map((tool) => tool.name).filter((name) => seen.tools.includes(name)));
  }

  of(integration) {
    return this.tools.filter((tool) => tool.integration === integration.id);
  }

  core(ids) {
    return this.tools.filter((tool) => tool.core && ids.has(tool.integration)).map((tool) => tool.name);
  }

  followed() {
    this.follows = this.follow.checked;
    const connected = this.integrations.filter((one) => one.connections.length > 0).map((one) => one.id);
    this.enabled = new Set(this.follows ? connected : this.enabled);
    this.chosen = new Set(this.core(this.enabled));
    this.put();
  }

  // All of an integration's usual tools, or none of its tools.
  toggleAll(integration, isOn) {
    this.follows = false;
    this.of(integration).forEach((tool) => this.chosen.delete(tool.name));
    if (isOn) {
      this.enabled.add(integration.id);
      this.of(integration).filter((tool) => tool.core).forEach((tool) => this.chosen.add(tool.name));
    } else {
      this.enabled.delete(integration.id);
    }
    this.put();
  }

  toggle(tool, isOn) {
    this.follows = false;
    if (isOn) this.chosen.add(tool.name);
    else this.chosen.delete(tool.name);
    const isUsed = this.tools.some((one) => one.integration === tool.integration && this.chosen.has(one.name));
    if (isUsed) this.enabled.add(tool.integration);
    else this.enabled.delete(tool.integration);
    this.put();
  }

  // The usual tools are asked for by their integration only, so that they stay the usual ones.
  put() {
    const usual = this.core(this.enabled);
    const isUsual = usual.length === this.chosen.size && usual.every((name) => this.chosen.has(name));
    if (this.follows) this.editor.set({ integrations: null, tools: undefined });
    else this.editor.set({ integrations: [...this.enabled], tools: isUsual ? undefined : [...this.chosen] });
    this.draw();
  }

  draw() {
    const level = this.editor.value("level");
    this.follow.checked = this.follows;
    const open = new Set([...this.groups.querySelectorAll("details[open]")].map((group) => group.dataset.integration));
    const focused = this.focused();
    const groups = this.integrations.map((one) => this.group(one, level, open)).filter(Boolean);
    this.groups.replaceChildren(...(groups.length > 0 ? groups : [h("p", { class: "nothing" }, "No tool fits.")]));
    if (focused) this.groups.querySelector(focused)?.focus();
  }

  // How to find again what has the focus, once it is drawn anew.
  focused() {
    const element = document.activeElement;
    if (!this.groups.contains(element)) return undefined;
    if (element.name) return "input[name='" + element.name + "']";
    return "details[data-integration='" + element.closest("details")?.dataset.integration + "'] summary";
  }

  group(one, level, open) {
    const own = this.of(one);
    const fits = (tool) => (tool.name + " " + tool.title + " " + tool.description).toLowerCase().includes(this.words);
    const shown = own.filter(fits);
    if (shown.length === 0) return undefined;
    const chosen = own.filter((tool) => this.chosen.has(tool.name) && reaches(level, tool.effect));
    const tokens = chosen.reduce((sum, tool) => sum + tool.tokens, 0);
    const all = h("input", {
      type: "checkbox", name: "tool-all-" + one.id, checked: chosen.length > 0, "aria-label": "The usual tools of " + one.name,
      on: { change: ({ target }) => this.toggleAll(one, target.checked), click: (event) => event.stopPropagation() },
    });
    all.indeterminate = chosen.length > 0 && own.some((tool) => tool.core && !this.chosen.has(tool.name));
    const says = chosen.length > 0 ? chosen.length + " of " + own.length + " · " + plural(tokens, "token") : plural(own.length, "tool");
    const isOpen = open.has(one.id) || this.words !== "";
    return h("details", { class: "group", open: isOpen, data: { integration: one.id } },
      h("summary", {}, all, tile(one.name, "small"),
        h("span", { class: "grow" }, one.name, one.connections.length === 0 && h("small", { class: "help" }, " · not connected")),
        h("small", { class: "soft number" }, says)),
      h("ul", {}, shown.map((tool) => this.tool(tool, level))));
  }

  tool(tool, level) {
    const [effect, kind] = EFFECTS[tool.effect];
    const isWithin = reaches(level, tool.effect);
    const head = h("span", { class: "row" }, h("b", {}, short(tool.title)), chip(effect, kind),
      h("small", { class: "soft number" }, number(tool.tokens)), !isWithin && chip("not at this level"));
    const properties = {
      name: "tool-" + tool.name, checked: this.chosen.has(tool.name), disabled: !isWithin,
      on: { change: ({ target }) => this.toggle(tool, target.checked) },
    };
    const item = h("li", { class: isWithin ? "" : "beyond", title: tool.description }, check(properties, [head, h("p", {}, tool.description)]));
    return item;
  }
}
