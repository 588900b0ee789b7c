// What staff do: make cases of messages, decide what waits, answer what nobody answered, mute, remove.

import { ask, attempt, choose, sheet } from "./ask.js";
import { button, make, moment, say, short } from "./dom.js";
import { inShort } from "./entry.js";
import { call } from "./http.js";

const DECIDE = new Set(["grid_worker", "community_staff", "street_staff"]);
const LEAD = new Set(["community_staff", "street_staff", "district_staff", "city_staff"]);
const KINDS = { words: "词语要看一眼", platform: "微信没有确定", complaint: "有人投诉", appeal: "本人有意见" };
const MUTES = [["1 小时", 60], ["1 天", 1440], ["7 天", 10080], ["30 天", 43200]];

export const mayDecide = (me) => DECIDE.has(me.post?.role);

/** 转为事件: the card with what was understood; staff put it right and hand it in. */
export async function toCase(entry) {
  const card = await attempt(() => call("GET", `/messages/${entry.id}/hint`));
  if (!card) return;
  const wanted = await sheet("转为事件", (done) => caseForm(card, done));
  if (!wanted) return;
  const path = wanted.number ? "join" : "case";
  const made = await attempt(() => call("POST", `/messages/${entry.id}/${path}`, wanted));
  if (made) say(made.say);
}

function caseForm(card, done) {
  const kinds = make("select", { id: "case-kind" });
  const choices = card.choices.some((one) => one.category === card.category) || !card.category
    ? card.choices
    : [{ category: card.category, subject: card.subject }, ...card.choices];
  for (const one of choices) kinds.append(make("option", { value: one.category, selected: one.category === card.category }, one.subject));
  if (!choices.length) kinds.append(make("option", { value: "" }, "由社区来分"));
  const place = make("input", { id: "case-place", maxLength: 200, value: card.place, placeholder: "在哪里，如：3栋2单元", autocomplete: "off" });
  const text = make("textarea", { id: "case-text", rows: 3, maxLength: 2000, value: card.message.text });
  const urgent = make("input", { type: "checkbox", checked: card.urgent });
  const together = [
    ...card.more.map((one) => tick(one, "同一个人又说", true)),
    ...card.agree.map((one) => tick(one, "邻居也说", true)),
  ];
  const form = make(
    "form",
    { className: "case" },
    make("blockquote", {}, inShort(card.message)),
    ...card.similar.map((one) => similar(one, done)),
    make("label", { htmlFor: "case-kind" }, "是什么事"), kinds,
    make("label", { htmlFor: "case-place" }, "在哪里"), place,
    card.known_as && card.known_as !== card.place ? make("p", { className: "soft" }, `登记的地方：${card.known_as}`) : null,
    make("label", { htmlFor: "case-text" }, "情况"), text,
    make("label", { className: "tick" }, urgent, "紧急"),
    together.length ? make("fieldset", {}, make("legend", {}, "一起放进去"), ...together.map((one) => one.label)) : null,
    make("button", { className: "main" }, "转为事件"),
    button("不用了", () => done(), { className: "choice quiet" }),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const picked = together.filter((one) => one.box.checked).map((one) => one.id);
    done({ category: kinds.value, place: place.value.trim(), text: text.value.trim(), urgent: urgent.checked, together: picked });
  };
  return form;
}

function tick(entry, why, checked) {
  const box = make("input", { type: "checkbox", checked });
  return { id: entry.id, box, label: make("label", { className: "tick" }, box, `${why}：${inShort(entry)}`) };
}

function similar(one, done) {
  return make(
    "div",
    { className: "similar" },
    make("p", {}, `可能就是 ${short(one.number)} ${[one.subject, one.place].filter(Boolean).join("｜")}（${one.status_name}）`),
    button(`并入 ${short(one.number)}`, () => done({ number: one.number }), { className: "small" }),
  );
}

/** It is no report: the hint goes. */
export async function noCase(entry, talk) {
  const done = await attempt(async () => (await call("DELETE", `/messages/${entry.id}/hint`)) === null);
  if (done) talk.replace({ ...entry, hint: null });
}

/** What staff may do with somebody's message: [[label, act], …]. */
export function staffActs(entry, room, me, talk) {
  const grid = room.kind === "grid";
  const resident = !entry.author.staff && entry.author.handle && !entry.author.me;
  const acts = [];
  if (!entry.case && !entry.author.staff) acts.push(["转为事件", () => toCase(entry)]);
  if (grid && resident && ["grid_worker", "community_staff"].includes(me.post?.role)) acts.push(["单独聊", "private"]);
  if (grid && me.post?.role !== "department_staff") acts.push(["移除这条消息", () => remove(entry)]);
  if (grid && resident && mayDecide(me)) acts.push(["暂停这人发言", () => mute(entry, room)]);
  if (grid && resident && me.post?.role === "community_staff") acts.push(["亮身份", () => grant(entry, room)]);
  return acts;
}

async function remove(entry) {
  const why = await ask("移除这条消息", { label: "原因（会告诉发的人）" });
  if (why) await attempt(() => call("POST", `/messages/${entry.id}/remove`, { why }));
}

async function mute(entry, room) {
  const { label, handle } = entry.author;
  const minutes = await choose("暂停发言", MUTES, `${label}还能看群里的消息，也能单独找网格员。`);
  const why = minutes && (await ask("暂停发言", { label: "原因（会告诉本人）" }));
  if (!why) return;
  const done = await attempt(() => call("POST", `/rooms/${room.id}/mutes`, { handle, minutes, why }));
  if (done) say(`${label}暂停发言到 ${moment(done.until)}。`);
}

async function grant(entry, room) {
  const kinds = [["党员", "party_member"], ["志愿者", "volunteer"], ["物业", "property_manager"]];
  const kind = await choose("亮身份", kinds, `先问${entry.author.label}同不同意，同意了群里才看得到。`);
  const done = kind && (await attempt(() => call("POST", `/rooms/${room.id}/badges`, { handle: entry.author.handle, kind })));
  if (done) say("已请本人确认。");
}

/** What waits for this person: how much of it, and which messages still seem to be reports (those since `since`). */
export async function readWork(room, me) {
  const [reviews, questions, hints] = await Promise.all([
    mayDecide(me) ? call("GET", "/reviews?limit=100") : { items: [] },
    call("GET", `/rooms/${room.id}/questions?limit=100`),
    call("GET", `/rooms/${room.id}/hints?limit=100`),
  ]);
  const likely = new Set(hints.items.map((one) => one.id));
  const waiting = reviews.items.length + new Set([...likely, ...questions.items.map((one) => one.id)]).size;
  return { waiting, likely, since: hints.next ? hints.items.at(-1).id : 0 };
}

/** The sheet 要处理. `reply(entry)` answers a question in the room. */
export async function showWork(room, me, reply) {
  const read = (path) => call("GET", `/rooms/${room.id}/${path}`);
  const found = await attempt(() =>
    Promise.all([
      mayDecide(me) ? call("GET", "/reviews") : { items: [] },
      read("hints"),
      read("questions"),
      mayDecide(me) ? read("mutes") : { items: [] },
      read("digests?limit=1"),
      read("auto-cases"),
    ]),
  );
  if (!found) return;
  const [reviews, hints, questions, mutes, digests, auto] = found;
  const likely = new Set(hints.items.map((one) => one.id));
  const asked = questions.items.filter((one) => !likely.has(one.id));
  const act = await sheet("要处理", (done) => [
    ...part("等您看的", reviews.items.map((one) => review(one, done))),
    ...part("可能是一件事", hints.items.map((one) => line(inShort(one), button("转为事件", () => done(() => toCase(one)), { className: "main small" })))),
    ...part("还没人回答", asked.map((one) => line(inShort(one), button("回答", () => done(() => reply(one)), { className: "main small" })))),
    ...part("暂停发言的人", mutes.items.map((one) => line(`${one.name}，到 ${moment(one.until)}：${one.why}`, unmuting(room, one, done)))),
    ...part("群里这几天", digests.items.map((one) => line(one.text || one.day))),
    ...(LEAD.has(me.post?.role) ? [autoSwitch(room, auto)] : []),
  ]);
  if (act) await act();
}

function part(title, lines) {
  return lines.length ? [make("h3", {}, `${title}（${lines.length}）`), make("ul", { className: "lines" }, lines)] : title === "等您看的" || title === "还没人回答" ? [make("p", { className: "soft" }, `${title}：没有`)] : [];
}

const line = (text, ...buttons) => make("li", {}, make("p", {}, text), ...buttons);

function review(one, done) {
  const who = `${KINDS[one.kind] ?? one.kind}（${one.by}）${one.reason ? `：${one.reason}` : ""}`;
  const [yes, no] = one.message ? ["显示", "不显示"] : ["恢复发言", "维持"];
  return make(
    "li",
    { data: { review: one.id } },
    make("p", {}, one.message ? inShort(one.message) : "被暂停发言，有意见"),
    make("p", { className: "soft" }, `${one.room_name} ${who}`),
    button(yes, () => done(() => decide(one, true)), { className: "main small" }),
    button(no, () => done(() => decide(one, false)), { className: "small" }),
  );
}

async function decide(one, keep) {
  const answer = keep ? "" : await ask(one.message ? "不显示" : "维持", { label: "原因（会告诉本人）" });
  if (answer === null) return;
  const done = await attempt(() => call("POST", `/reviews/${one.id}/decide`, { keep, answer }));
  if (done) say("好了，已经告诉本人。");
}

function unmuting(room, one, done) {
  const act = async () => {
    const ended = await attempt(async () => (await call("DELETE", `/rooms/${room.id}/mutes/${one.handle}`)) === null);
    if (ended) say(`${one.name}可以发言了。`);
  };
  return button("恢复发言", () => done(act), { className: "small" });
}

function autoSwitch(room, auto) {
  const box = make("input", { type: "checkbox", checked: auto.on });
  box.onchange = async () => {
    const now = await attempt(() => call("PUT", `/rooms/${room.id}/auto-cases`, { on: box.checked }));
    if (!now) box.checked = !box.checked;
  };
  return make("label", { className: "tick" }, box, "说得清楚的，不用等人，直接成为事件");
}

/** A 群公告 of one's own. */
export async function announce(room, clientId) {
  const text = await ask("发群公告", { label: "公告内容（全网格都能看到）", most: 2000, send: "发出" });
  if (text) await attempt(() => call("POST", `/rooms/${room.id}/announcements`, { client_id: clientId, text }));
}
