/** Requests to our own API, with the session's cookie. */

const TIMEOUT_MS = 15_000;

/** The server said no; the message is for people. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** GET as JSON. Raises Refused, or TypeError where nobody answers. */
export async function get(path: string): Promise<unknown> {
  return ask("GET", path);
}

/** POST a JSON body with the proof that a page of ours asks. Raises as `get`. */
export async function post(path: string, body: object = {}): Promise<unknown> {
  return ask("POST", path, body);
}

/** POST a body that is JSON already: numbers stay as they were written. Raises as `get`. */
export async function postText(path: string, json: string): Promise<unknown> {
  return ask("POST", path, json);
}

/** What to tell people about an error. */
export function sentence(error: unknown): string {
  return error instanceof Refused ? error.message : "The server does not answer. Try again in a moment.";
}

async function ask(method: "GET" | "POST", path: string, body?: object | string): Promise<unknown> {
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: body !== undefined ? { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") } : {},
    ...(body !== undefined ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const said: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, messageOf(said) || `The server answered ${answer.status}.`);
  return said;
}

function messageOf(said: unknown): string {
  if (typeof said !== "object" || said === null) return "";
  const words = "message" in said ? said.message : "detail" in said ? said.detail : "";
  return typeof words === "string" ? words : "";
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
