// Elements made of text nodes, never of HTML; times as people say them; the line at the foot that says what happened.

/** An element with properties and children. Texts become text nodes; `data` fills data-…, `aria` aria-…. */
export function make(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** A button with a word on it. */
export function button(label, run, properties = {}) {
  return make("button", { type: "button", onclick: run, ...properties }, label);
}

export const byId = (id) => document.getElementById(id);

const ZONE = { timeZone: "Asia/Shanghai", hour12: false };
const CLOCK = new Intl.DateTimeFormat("zh-CN", { ...ZONE, hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("zh-CN", { ...ZONE, month: "long", day: "numeric" });
const DATE = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE.timeZone });

/** 10:05 for today, else 11月20日 10:05. */
export function moment(at, today = new Date()) {
  const time = new Date(at);
  return DATE.format(time) === DATE.format(today) ? CLOCK.format(time) : `${DAY.format(time)} ${CLOCK.format(time)}`;
}

export const dayOf = (at) => DATE.format(new Date(at));
export const dayName = (at) => DAY.format(new Date(at));
export const clockOf = (at) => CLOCK.format(new Date(at));

/** The four digits people use of 20261120-0037. */
export const short = (number) => number.split("-").at(-1);

const line = byId("told");
let hiding = 0;

/** Say something for a few seconds, above an open sheet too. */
export function say(text) {
  (document.querySelector("dialog[open]") ?? document.body).append(line);
  line.textContent = text;
  line.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (line.hidden = true), Math.max(4000, text.length * 180));
}
