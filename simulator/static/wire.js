// The page's line to the platform: JSON calls, and the stream of news.

const base = document.documentElement.dataset.base;

export const url = (path) => base + path;
export const mediaUrl = (id) => url(`/media/${encodeURIComponent(id)}`);

/** Calls the page's JSON; throws an Error with a sentence for the person. */
export async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(url(path), options);
  } catch {
    throw new Error("连不上模拟器，请看看 Linli 是不是还在运行。");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || answer.say || `模拟器没有办成（${response.status}）`);
  return answer;
}

/** Hands every piece of news to `tell`; `renew` runs when the line stands, for what was before it, or is refused. */
export function listen(tell, renew, light) {
  const stream = new EventSource(url("/api/events"));
  stream.onopen = () => {
    light(true);
    renew();
  };
  stream.onerror = () => {
    light(false);
    if (stream.readyState === EventSource.CLOSED) renew();
  };
  stream.onmessage = (event) => tell(JSON.parse(event.data));
}

/** An element with properties and children; texts become text nodes, never HTML. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

let hide;
export function toast(text) {
  const line = document.getElementById("toast");
  line.textContent = text;
  line.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (line.hidden = true), 4000);
}
