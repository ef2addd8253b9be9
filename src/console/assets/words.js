// How things are said.

const SINCE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const NUMBER = new Intl.NumberFormat();

export const number = (value) => NUMBER.format(value);
export const moment = (text) => MOMENT.format(new Date(text));
export const day = (text) => DAY.format(new Date(text));

// `3 minutes ago`, `in 7 minutes`.
export function since(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return SINCE.format(Math.round(seconds / length), unit);
}

export const plural = (count, one, many = one + "s") => number(count) + " " + (count === 1 ? one : many);

// `Google Calendar: Check availability` without the vendor.
export const short = (title) => title.slice(title.indexOf(": ") + 1).trim();

// `google_calendar_list_meetings` → `google calendar list meetings`
export const spoken = (tool) => tool.replaceAll("_", " ");

export const EFFECTS = {
  reads: ["reads", ""],
  adds: ["adds", "good"],
  changes: ["changes", "main"],
  sends: ["sends", "warn"],
  irreversible: ["cannot be undone", "bad"],
};

export const LEVELS = [
  ["read-only", "Read only", "It looks, and changes nothing."],
  ["no-delete", "No deleting", "Everything but what cannot be undone."],
  ["full", "Full", "Everything. What cannot be undone still asks a person."],
];

export const ASKING = [
  ["new-recipients", "New recipients", "A message to somebody new asks; an invitation when text of others was read before."],
  ["always", "Always", "Every message and every invitation asks."],
  ["never", "Never", "It sends by itself. What it reads could talk it into sending."],
];

// Whether an agent of that level may do that.
export const reaches = (level, effect) => level === "full" || effect === "reads" || (level === "no-delete" && effect !== "irreversible");
