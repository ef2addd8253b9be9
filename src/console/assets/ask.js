// Questions in a dialog.
import { button, h } from "./dom.js";

// Shows a dialog until it is closed; `fill` gets the function that closes it.
export function dialog(title, fill, kind = "") {
  const box = h("dialog", { class: kind, "aria-label": title });
  const close = () => box.close();
  const form = h("form", { method: "dialog" }, h("h2", {}, title), fill(close));
  box.append(form);
  document.body.append(box);
  box.showModal();
  return new Promise((done) => box.addEventListener("close", () => {
    box.remove();
    done(box.returnValue);
  }, { once: true }));
}

// Whether it is really meant.
export async function sure(title, text, yes) {
  const answer = await dialog(title, (close) => [
    h("p", {}, text),
    h("div", { class: "row end" },
      button("Cancel", close, ""),
      h("button", { class: "main danger", value: "yes" }, yes)),
  ]);
  return answer === "yes";
}

// What somebody filled in, by name; nothing when they did not want to. `fields` are elements with named inputs.
export async function filled(title, about, fields, yes) {
  let form;
  const answer = await dialog(title, (close) => {
    form = h("div", { class: "stack" }, about && h("p", { class: "soft" }, about), fields);
    return [form, h("div", { class: "row end" }, button("Cancel", close), h("button", { class: "main", value: "yes" }, yes))];
  });
  if (answer !== "yes") return undefined;
  return Object.fromEntries(new FormData(form.closest("form")));
}

// Something that can be seen only now.
export const shown = (title, ...content) =>
  dialog(title, () => [...content, h("div", { class: "row end" }, h("button", { class: "main", value: "done" }, "Done"))], "wide");
