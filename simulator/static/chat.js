// Bubbles: what a phone shows, built from the platform's JSON with DOM calls only.

import { icon, make, mediaUrl } from "./wire.js";

const clock = new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("zh-CN", { month: "long", day: "numeric", weekday: "short" });
const QUIET = 5 * 60 * 1000;

/** The list item of a bubble. `tap(id, content)` is called for menu lines. */
export function bubbleItem(bubble, face, tap) {
  if (bubble.kind === "notice" || bubble.kind === "fault") return notice(bubble);
  if (bubble.kind === "card" || bubble.kind === "news") return make("li", { className: "wide" }, card(bubble, tap));
  const [content, bare] = body(bubble, tap);
  const box = make("div", { className: bare ? "bubble bare" : "bubble" }, ...content);
  const side = bubble.direction === "in" ? "in" : "out";
  return make("li", {}, make("div", { className: `said ${side}` }, face(side), box));
}

/** A line with the time when the chat was quiet for a while, else nothing. */
export function stampItem(at, before) {
  const time = new Date(at);
  if (before && time - new Date(before) < QUIET) return null;
  const today = new Date().toDateString() === time.toDateString();
  const text = today ? clock.format(time) : `${day.format(time)} ${clock.format(time)}`;
  return make("li", { className: "stamp" }, text);
}

export const shortTime = (at) =>
  new Date(at).toLocaleTimeString("zh-CN", { hour12: false });

function notice(bubble) {
  const reason = bubble.note ? make("em", {}, `平台记录：${bubble.note}`) : null;
  return make("li", { className: "notice" }, bubble.text, reason);
}

function body(bubble, tap) {
  switch (bubble.kind) {
    case "image":
      return [[picture(bubble)], true];
    case "voice":
      return [[make("div", { className: "voice" }, icon("wave"), `${bubble.seconds || 3}″`)], false];
    case "video":
    case "shortvideo":
      return [["▶ 视频", bubble.title ? `：${bubble.title}` : ""], false];
    case "location":
      return [[place(bubble)], true];
    case "music":
      return [["♪ ", bubble.title || "音乐"], false];
    case "miniprogram":
      return [[make("div", { className: "program" }, bubble.title || "小程序", make("br"), make("small", {}, "小程序"))], true];
    case "link":
      return [[outside(bubble.url, bubble.title || bubble.url)], false];
    case "menu":
      return [[...texts(bubble.segments, tap), lines(bubble.menu ?? [], tap), bubble.tail || ""], false];
    default:
      return [texts(bubble.segments, tap), false];
  }
}

function texts(segments, tap) {
  return segments.map((segment) => {
    if (segment.kind === "link") return outside(segment.href, segment.text);
    if (segment.kind === "tap") return tapButton(segment.text, () => tap(segment.menu_id, segment.content));
    return segment.text;
  });
}

function lines(menu, tap) {
  const buttons = menu.map((item) => tapButton(item.label, () => tap(item.tap, item.content || item.label)));
  return make("div", { className: "lines" }, ...buttons);
}

function tapButton(label, onclick) {
  // A real button would not break across lines inside a text.
  const line = make("span", { className: "tap", role: "button", tabIndex: 0, onclick }, label);
  line.onkeydown = (event) => event.key === "Enter" && onclick();
  return line;
}

function outside(href, label) {
  // The server lets only http and https through for links in texts; article and menu addresses are checked here.
  if (!/^https?:\/\//.test(href)) return label;
  return make("a", { href, target: "_blank", rel: "noreferrer noopener" }, label);
}

function picture(bubble) {
  const image = make("img", { src: mediaUrl(bubble.media_id), alt: "照片", loading: "lazy", tabIndex: 0 });
  const open = () => {
    const viewer = document.getElementById("viewer");
    viewer.querySelector("img").src = image.src;
    viewer.showModal();
  };
  image.onclick = open;
  image.onkeydown = (event) => event.key === "Enter" && open();
  return image;
}

function place(bubble) {
  const map = make("div", { className: "map" }, icon("pin"));
  const where = bubble.rows?.[0]?.[1] ?? "";
  return make("div", { className: "place" }, make("b", {}, bubble.text || "位置"), make("small", {}, where), map);
}

function card(bubble, tap) {
  const kinds = { template: "服务通知", subscription: "订阅通知", mass: "群发" };
  const kind = kinds[bubble.source] ? make("p", { className: "kind" }, kinds[bubble.source]) : null;
  const rows = (bubble.rows ?? []).flatMap(([label, value]) => [make("dt", {}, label), make("dd", {}, value)]);
  const text = bubble.text ? make("p", {}, ...texts(bubble.segments, tap)) : null;
  const target = (bubble.url ?? "").startsWith("mini:") ? "进入小程序" : outside(bubble.url ?? "", "查看详情");
  const foot = bubble.url ? make("footer", {}, target, make("span", { ariaHidden: "true" }, "›")) : null;
  const list = rows.length ? make("dl", {}, ...rows) : null;
  return make("div", { className: "card" }, kind, make("h3", {}, bubble.title ?? ""), list, text, foot);
}
