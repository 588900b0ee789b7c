// Calls of API v1. What is refused is an Error whose message is the sentence for the person.

const BASE = "/api/v1";
const PATIENCE = 20000; // ms until a call is given up
const UPLOAD_PATIENCE = 120000;

let token = "";
let ended = () => {};

/** What the server answered instead: `code` for us, `message` for the person, `fields` what is missing. */
export class Refusal extends Error {
  constructor(say, code, status, fields = []) {
    super(say);
    Object.assign(this, { code, status, fields });
  }
}

/** Sign each call with this token; `onEnd` is called when it holds no more. */
export function useToken(value, onEnd) {
  token = value;
  ended = onEnd;
}

export const newId = () => {
  // crypto.randomUUID is there on https alone; a community may try us out without.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** `await call("POST", "/rooms/7/messages", {…})` gives the answer, null where there is none. Throws Refusal. */
export async function call(method, path, body) {
  const form = body instanceof FormData;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (method !== "GET") headers["Idempotency-Key"] = newId();
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout?.(form ? UPLOAD_PATIENCE : PATIENCE);
  let response;
  try {
    response = await fetch(BASE + path, { method, headers, signal, body: form ? body : JSON.stringify(body) });
  } catch {
    throw new Refusal("没连上网，请看看网络，过一会儿再试。", "offline", 0);
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { say = "系统刚才没处理好，请过一会儿再试。", code = "", fields } = answer.error ?? {};
  if (response.status === 401 && token) ended();
  throw new Refusal(say, code, response.status, fields);
}

/** Every page of a list, up to `most` items. */
export async function all(path, most = 200) {
  const items = [];
  let cursor = "";
  do {
    const joint = path.includes("?") ? "&" : "?";
    const page = await call("GET", `${path}${joint}limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}

let asked = new Map();

/** Where a file can be seen for the next minutes; names asked for at the same moment go in one call. "" = not for us. */
export function addressOf(name) {
  if (!asked.size) setTimeout(askForAddresses, 20);
  if (!asked.has(name)) {
    let tell;
    const answer = new Promise((resolve) => (tell = resolve));
    asked.set(name, { answer, tell });
  }
  return asked.get(name).answer;
}

async function askForAddresses() {
  const waiting = [...asked];
  asked = new Map();
  for (let from = 0; from < waiting.length; from += 50) {
    const some = waiting.slice(from, from + 50);
    const found = new Map();
    try {
      const { items } = await call("POST", "/files/links", { names: some.map(([name]) => name) });
      for (const one of items) found.set(one.name, one.url);
    } catch {
      // They are shown as not there; a tap asks again.
    }
    for (const [name, { tell }] of some) tell(here(found.get(name)));
  }
}

/** The same file by the address this page was opened at. */
function here(url) {
  if (!url) return "";
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
