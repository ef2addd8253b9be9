// REST of this server.

// What the server refused, in its words.
export class Refusal extends Error {
  constructor(status, problem) {
    super([problem.detail, problem.next].filter(Boolean).join(" ") || "The server answered " + status + ".");
    this.status = status;
    this.code = problem.code;
  }
}

export async function api(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const response = await fetch("/api/v1" + path, init).catch(() => {
    throw new Error("The server does not answer. Is it still running?");
  });
  if (response.status === 401) {
    location.assign("/login?next=" + encodeURIComponent(location.pathname));
    throw new Error("Sign in again.");
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer);
  return answer;
}

export const get = (path) => api("GET", path);
export const post = (path, body = {}) => api("POST", path, body);
export const part = encodeURIComponent;

// A query of those parameters that have a value.
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  return given.length > 0 ? "?" + new URLSearchParams(given) : "";
}

// Whether people sign in here; where nobody has to, everybody is the one of this machine.
export const isSignedIn = document.querySelector("meta[name='signed-in']") !== null;

let known;
// Who is signed in.
export const me = () => (known ??= get("/me"));
export const isAdministrator = async () => (await me()).role === "administrator";
