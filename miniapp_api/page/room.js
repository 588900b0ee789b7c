// The room page: sign in, choose a room, talk. Everything goes through API v1 and its WebSocket.

import { agreeAndDo, ask, attempt, choose, sheet } from "./ask.js";
import { Composer } from "./composer.js";
import { button, byId, make, moment, say } from "./dom.js";
import { all, call, newId, useToken } from "./http.js";
import { wear } from "./letters.js";
import { Line } from "./line.js";
import { askBadges, chooseGrid, showMe, showOfficers } from "./me.js";
import { signIn, signOut } from "./sign-in.js";
import { announce, noCase, readWork, showWork, staffActs, toCase } from "./staff.js";
import { Talk } from "./talk.js";

const ROOMS_EVERY = 60000; // ms between two looks at one's rooms: somebody may have begun a private talk
const WORK_EVERY = 60000; // ms between two looks at what waits for staff
const WORK_AFTER = 1500; // ms after a new entry

let me = null;
let rooms = [];
let line = null;
let composer = null;
let talk = null;
let working = 0;

async function start() {
  wear();
  const token = await signIn();
  if (!token) return;
  useToken(token, () => leave("登录过期了，请重新登录。"));
  try {
    me = await call("GET", "/me");
  } catch (error) {
    if (error.status !== 401) signOutBeside(error.message);
    return;
  }
  if (!me.home && !me.post) await chooseGrid();
  line = new Line(token, {
    frame: hear,
    up: () => up(),
    down: () => (byId("broken").hidden = false),
    signedOut: () => leave("登录过期了，请重新登录。"),
    changed: () => attempt(loadRooms),
  });
  composer = new Composer(line);
  byId("room").hidden = false;
  await attempt(async () => {
    await loadRooms();
    await openRoom(rooms.find((one) => one.id === kept()) ?? rooms[0]);
    await askBadges();
  });
  setInterval(() => document.hidden || loadRooms().catch(() => {}), ROOMS_EVERY);
}

/** Something stands in the way of signing in that is not the token's fault: try again with a tap. */
function signOutBeside(why) {
  byId("broken").hidden = false;
  byId("broken").replaceChildren(`${why} `, button("再试一次", () => location.reload(), { className: "small" }));
  byId("room").hidden = false;
}

function leave(why) {
  line?.end();
  talk?.close();
  signOut(why);
}

const kept = () => Number(new URLSearchParams(location.search).get("room"));

async function loadRooms() {
  rooms = await all("/rooms", 500);
  for (const room of rooms) if (room.id === talk?.room.id) room.unread = 0;
  for (const room of rooms) if (room.id !== talk?.room.id) line.follow(room.id, () => null);
  showNews();
}

async function openRoom(room) {
  if (!room) {
    say("还没有您的群。请问问社区。");
    return;
  }
  talk?.close();
  if (talk) line.follow(talk.room.id, () => null);
  room = await call("GET", `/rooms/${room.id}`);
  rooms = rooms.map((one) => (one.id === room.id ? room : one));
  room.unread = 0;
  history.replaceState(null, "", `${location.pathname}?room=${room.id}`);
  talk = new Talk(room, line, acts, entered);
  byId("room-name").textContent = room.name;
  document.title = `${room.name} · 邻里`;
  byId("present").textContent = "";
  composer.in(talk);
  showParts(room);
  showMuted(room);
  showNews();
  await talk.open();
  await pin();
  lookAtWork();
}

function up() {
  byId("broken").hidden = true;
  composer.resume();
  talk?.lookAtWaiting().catch(() => {});
  attempt(loadRooms);
}

function hear(frame) {
  if (frame.type === "entry") {
    if (frame.entry.room === talk?.room.id) talk.hear(frame.entry);
    else elsewhere(frame.entry);
  } else if (frame.type === "error" && !frame.id) say(frame.error.say);
  else if (frame.room !== undefined && frame.room === talk?.room.id) {
    if (frame.present) byId("present").textContent = `${frame.present} 人在线`;
    if (frame.type === "read") talk.read(frame);
  }
}

function elsewhere(entry) {
  const room = rooms.find((one) => one.id === entry.room);
  if (!room) attempt(loadRooms);
  else if (!entry.author.me && entry.text) room.unread += 1;
  showNews();
}

function entered(entry) {
  if (entry.kind === "announcement" || entry.kind === "removal" || entry.kind === "recall") pin().catch(() => {});
  if (talk.room.staff) lookAtWork(WORK_AFTER);
}

/** The newest announcement above the talk. */
async function pin() {
  const { items } = await call("GET", `/rooms/${talk.room.id}/announcements?limit=1`);
  const newest = items[0];
  byId("pinned").hidden = !newest;
  if (newest) byId("pinned").textContent = `群公告：${newest.text}`;
}

function lookAtWork(after = 0) {
  clearTimeout(working);
  if (!talk.room.staff) return;
  working = setTimeout(async () => {
    const here = talk;
    try {
      if (!document.hidden) {
        const { waiting, likely, since } = await readWork(here.room, me);
        byId("work-count").textContent = waiting ? String(waiting) : "";
        here.dropHints(likely, since);
      }
    } catch {
      // It is looked at again in a minute.
    }
    lookAtWork(WORK_EVERY);
  }, after);
}

function showNews() {
  const elsewhere = rooms.filter((one) => one.id !== talk?.room.id).reduce((sum, one) => sum + one.unread, 0);
  byId("news").textContent = elsewhere ? (elsewhere > 99 ? "99+" : String(elsewhere)) : "";
  byId("rooms").hidden = rooms.length < 2 && !me.post;
}

/** What this kind of room has, and what only staff use in it. */
function showParts(room) {
  const alone = room.kind === "private";
  byId("work").hidden = !room.staff;
  byId("private").hidden = alone || room.staff;
  byId("announcements").hidden = alone;
  byId("officers").hidden = alone;
  for (const chip of document.querySelectorAll("[data-mention]")) chip.hidden = alone;
}

function showMuted(room) {
  const until = room.muted_until && new Date(room.muted_until) > new Date() ? room.muted_until : null;
  byId("muted").hidden = !until;
  if (until) byId("muted").replaceChildren(`您在这个群里暂时不能发言，到 ${moment(until)} 为止。`, button("我有意见", () => objectToMute(room), { className: "link" }));
}

async function objectToMute(room) {
  const reason = await ask("我有意见", { label: "为什么（换一个人来看）" });
  if (reason && (await attempt(() => call("POST", `/rooms/${room.id}/appeal`, { reason })))) say("收到，会有别的工作人员来看。");
}

const acts = {
  fail: (error) => say(error.message),
  reply: (entry) => composer.reply(entry),
  mention: (entry) => composer.mention(entry.author.label, entry.author.handle),
  recall: (entry) => attempt(() => call("POST", `/messages/${entry.id}/recall`)),
  appeal: (entry) => appeal(entry),
  more: (entry) => more(entry),
  toCase: (entry) => toCase(entry),
  noCase: (entry) => noCase(entry, talk),
};

async function more(entry) {
  const offered = [];
  if (!entry.author.me) offered.push([`提到${entry.author.label}`, () => acts.mention(entry)], ["投诉这条消息", () => complain(entry)]);
  if (talk.room.staff) offered.push(...staffActs(entry, talk.room, me, talk));
  const picked = await choose(entry.author.label, offered);
  if (picked === "private") await openPrivate({ room: talk.room.id, handle: entry.author.handle });
  else if (picked) await picked();
}

async function complain(entry) {
  const reason = await ask("投诉这条消息", { label: "哪里不合适", note: "写一句原因，网格员会看。", send: "投诉" });
  if (!reason) return;
  const opened = await attempt(() => call("POST", `/messages/${entry.id}/complain`, { reason }));
  if (opened) say(opened.hidden ? "收到。这条消息先不显示，等工作人员看过。" : "收到，会有工作人员来看。");
}

async function appeal(entry) {
  const reason = await ask("我有意见", { label: "为什么应该显示（换一个人来看）" });
  if (reason && (await attempt(() => call("POST", `/messages/${entry.id}/appeal`, { reason })))) say("收到，会有别的工作人员来看。");
}

async function openPrivate(whom = {}) {
  const room = await attempt(() => agreeAndDo(() => call("POST", "/rooms/private", whom)));
  if (!room) return;
  await attempt(loadRooms);
  await attempt(() => openRoom(room));
}

async function chooseRoom() {
  await attempt(loadRooms); // somebody may have begun a private talk
  const lines = rooms.map((room) => [`${room.name}${room.unread ? `（${room.unread} 条新消息）` : ""}`, room]);
  const room = await choose("去哪个群", lines);
  if (room) await attempt(() => openRoom(room));
}

async function showAnnouncements() {
  const items = await attempt(() => talk.announcements());
  if (!items) return;
  const wanted = await sheet("群公告", (done) => [
    ...(talk.room.staff && talk.room.kind === "grid" ? [button("发群公告", () => done("new"), { className: "main" })] : []),
    ...(items.length ? items.map((one) => make("article", {}, make("p", {}, one.text), make("p", { className: "soft" }, `${one.author.label} ${moment(one.at)}`))) : [make("p", {}, "还没有公告。")]),
  ]);
  if (wanted === "new") await announce(talk.room, newId());
}

byId("rooms").onclick = chooseRoom;
byId("private").onclick = () => openPrivate();
byId("announcements").onclick = showAnnouncements;
byId("pinned").onclick = showAnnouncements;
byId("officers").onclick = () => showOfficers(talk.room, (label, handle) => composer.mention(label, handle));
byId("me").onclick = async () => {
  const left = await showMe(me, (now) => (me = now));
  if (left) line.end();
};
byId("work").onclick = async () => {
  await showWork(talk.room, me, (entry) => composer.reply(entry));
  lookAtWork();
};
byId("viewer").onclick = () => byId("viewer").close();

await start();
