// One entry of a room as it is drawn: who, badges, words, photo or place, what became of it, and what one may do.

import { button, clockOf, make, short } from "./dom.js";
import { addressOf } from "./http.js";

const STATES = { checking: "正在检查，马上就好", review: "等工作人员看过再显示", refused: "没有发出", removed: "已被移除，邻居看不到" };
const SYSTEM = new Set(["case", "system"]);

/** The list item of an entry. `acts`: {reply, more, recall, appeal, mention, file, quoted}, `room` the RoomInfo. */
export function draw(entry, room, acts) {
  const mine = entry.author.me;
  const kind = SYSTEM.has(entry.kind) ? "ours" : mine ? "mine" : entry.author.staff ? "staff" : "theirs";
  const item = make("li", { className: `entry ${kind} ${entry.kind}`, data: { id: entry.id, seq: entry.seq ?? "" } });
  if (entry.state === "recalled" || (entry.state === "removed" && !entry.text && !entry.file && !entry.position)) {
    item.className = "entry gone";
    item.append(entry.state === "recalled" ? `${mine ? "您" : entry.author.label}撤回了一条消息` : "有一条消息被移除了");
    return item;
  }
  item.append(
    make("div", { className: "who" }, name(entry, acts), ...entry.author.badges.map(badge), time(entry)),
    make("div", { className: "bubble" }, quote(entry, acts), announced(entry), ...content(entry)),
    ...notes(entry, acts),
    ...(room.staff ? hint(entry, acts) : []),
    ...foot(entry, room, acts),
  );
  return item;
}

function name(entry, acts) {
  const { label, me, handle } = entry.author;
  if (me || !handle) return make("b", {}, me ? `${label}（我）` : label);
  return button(label, () => acts.mention(entry), { className: "name", title: `提到${label}` });
}

const badge = ({ kind, label }) => make("span", { className: `badge ${/^[a-z_]+$/.test(kind) ? kind : ""}` }, label);
const time = (entry) => make("time", { dateTime: entry.at }, clockOf(entry.at));
const announced = (entry) => (entry.kind === "announcement" ? make("b", { className: "kind" }, "群公告") : null);

function quote(entry, acts) {
  if (!entry.reply_to) return null;
  const line = button("", () => acts.show(entry.reply_to), { className: "quote" });
  acts.quoted(entry.reply_to, (said) => (line.textContent = said));
  return line;
}

function content(entry) {
  const parts = [];
  if (entry.text) parts.push(make("p", {}, entry.text));
  if (entry.position) parts.push(place(entry.position));
  if (entry.file && entry.kind !== "voice") parts.push(photo(entry));
  if (entry.file && entry.kind === "voice") parts.push(voice(entry.file));
  return parts;
}

function place({ latitude, longitude, place: known }) {
  const called = known || "发来的位置";
  const mark = `coord:${Number(latitude)},${Number(longitude)};title:${called};addr:${called}`;
  const href = `https://apis.map.qq.com/uri/v1/marker?marker=${encodeURIComponent(mark)}&referer=linli`;
  return make("p", { className: "place" }, `位置：${called} `, make("a", { href, target: "_blank", rel: "noopener noreferrer" }, "看地图"));
}

function photo(entry) {
  const image = make("img", { alt: `${entry.author.label}发的照片`, className: "photo" });
  const open = make("button", { type: "button", className: "photo-frame", title: "看大图" }, image);
  open.onclick = () => image.src && !open.classList.contains("lost") ? enlarge(image.src) : load();
  let tries = 0;
  const load = async () => {
    open.classList.remove("lost");
    const url = await addressOf(entry.file);
    if (url) image.src = url;
    else open.classList.add("lost");
  };
  image.onerror = () => (tries++ ? open.classList.add("lost") : load()); // an address holds for some minutes
  load();
  return open;
}

function enlarge(src) {
  const viewer = document.getElementById("viewer");
  viewer.querySelector("img").src = src;
  viewer.showModal();
}

function voice(file) {
  const player = make("audio", { controls: true, preload: "none" });
  addressOf(file).then((url) => (player.src = url));
  return player;
}

function notes(entry, acts) {
  const said = [];
  if (STATES[entry.state]) said.push(STATES[entry.state] + (entry.why ? `：${entry.why}` : "。"));
  else if (entry.why) said.push(`请留意：${entry.why}`);
  if (entry.case && !SYSTEM.has(entry.kind)) said.push(`已成为事件 ${short(entry.case)}`);
  const objects = entry.author.me && (entry.state === "removed" || entry.state === "refused");
  return said.length
    ? [make("p", { className: "note" }, said.join(" "), objects ? button("我有意见", () => acts.appeal(entry), { className: "link" }) : null)]
    : [];
}

function hint(entry, acts) {
  if (!entry.hint || entry.case || entry.state !== "shown") return [];
  const { subject, place: where, urgent } = entry.hint;
  const what = [urgent ? "紧急" : "", subject, where].filter(Boolean).join("｜");
  return [
    make(
      "div",
      { className: urgent ? "hint urgent" : "hint" },
      make("p", {}, `可能是一件事${what ? `：${what}` : ""}`),
      button("转为事件", () => acts.toCase(entry), { className: "main small" }),
      button("不是", () => acts.noCase(entry), { className: "small" }),
    ),
  ];
}

function foot(entry, room, acts) {
  if (entry.seq === null || entry.state === "removed") return [];
  const parts = [button("回复", () => acts.reply(entry), { className: "link" })];
  if (acts.mayRecall(entry)) parts.push(button("撤回", () => acts.recall(entry), { className: "link recall" }));
  const others = !entry.author.me && !SYSTEM.has(entry.kind);
  if (others || (room.staff && entry.author.me)) parts.push(button("更多", () => acts.more(entry), { className: "link" }));
  return [make("div", { className: "acts" }, parts)];
}

/** An entry in a few words, for a quote. */
export function inShort(entry) {
  const gone = entry.state === "recalled" || (entry.state === "removed" && !entry.text);
  const what = gone ? "（已不显示）" : entry.text || { image: "[照片]", voice: "[语音]", location: "[位置]" }[entry.kind] || "";
  return `${entry.author.label}：${what.length > 40 ? `${what.slice(0, 40)}…` : what}`;
}
