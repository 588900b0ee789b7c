// What is said in one room: the numbered entries in their order, what waits, how far one has read.

import { byId, button, dayName, dayOf, make } from "./dom.js";
import { draw, inShort } from "./entry.js";
import { all, call } from "./http.js";

const PAGE = 50;
const AT_END = 90; // px from the end within which one reads along
const READ_AFTER = 600; // ms; what is on the screen for that long has been read
const RECALL_FOR = 120000; // ms
const LOOK_EVERY = 15000; // ms between two looks at what still waits
const CHANGES = new Set(["recall", "removal", "return"]);

export class Talk {
  /** `acts`: what the buttons of an entry do; `line`: the WebSocket; `onEntry(entry)`: something came in. */
  constructor(room, line, acts, onEntry) {
    Object.assign(this, { room, line, acts: { ...acts, ...this.own() }, onEntry });
    this.list = byId("entries");
    this.box = byId("talk");
    this.entries = new Map(); // id → entry
    this.waiting = new Map(); // client_id → what others do not see yet
    this.first = null; // the number before which older ones are asked for
    this.last = room.last_seq;
    this.came = new Map(); // id → when it came in live (ms of this page)
    this.readTo = room.read_seq;
    this.theirs = 0;
    this.reading = 0;
    this.closed = false;
  }

  own() {
    return {
      mayRecall: (entry) => entry.author.me && entry.state === "shown" && this.isFresh(entry),
      quoted: (id, tell) => this.quoted(id, tell),
      show: (id) => this.show(id),
    };
  }

  /** Read the newest entries, then hear of all that follow. */
  async open() {
    this.list.replaceChildren();
    byId("newer").hidden = true;
    const { items } = await call("GET", `/rooms/${this.room.id}/messages?limit=${PAGE}`);
    if (this.closed) return;
    this.first = items[0]?.seq ?? 0;
    this.last = items.at(-1)?.seq ?? this.last;
    for (const entry of items) this.put(entry);
    this.showOlder(items.length === PAGE);
    this.markUnread();
    this.list.querySelector(".unread")?.scrollIntoView({ block: "center" });
    if (!this.list.querySelector(".unread")) this.toEnd();
    this.box.onscroll = () => this.scrolled();
    byId("newer").onclick = () => this.toEnd();
    document.addEventListener("visibilitychange", this.seen);
    this.line.follow(this.room.id, () => this.last);
    await this.lookAtWaiting();
    this.scrolled();
  }

  close() {
    this.closed = true;
    clearTimeout(this.reading);
    clearTimeout(this.looking);
    document.removeEventListener("visibilitychange", this.seen);
  }

  seen = () => this.scrolled();

  /** The page before the oldest entry. */
  async older() {
    const height = this.box.scrollHeight;
    const { items } = await call("GET", `/rooms/${this.room.id}/messages?limit=${PAGE}&before=${this.first}`);
    if (this.closed) return;
    for (const entry of items.reverse()) this.put(entry, true);
    this.first = items.at(-1)?.seq ?? this.first;
    this.showOlder(items.length === PAGE);
    this.box.scrollTop += this.box.scrollHeight - height;
  }

  showOlder(more) {
    const place = byId("older");
    place.replaceChildren(more ? button("看更早的消息", () => this.older().catch((error) => this.acts.fail(error)), { className: "link" }) : "");
  }

  /** An entry came over the line. What is not the next one shows that something was missed: it is asked for. */
  hear(entry) {
    if (entry.seq <= this.last) return;
    if (entry.seq > this.last + 1) {
      this.line.subscribe(this.room.id);
      return;
    }
    this.last = entry.seq;
    const along = this.isAtEnd();
    if (entry.author.me) this.came.set(entry.id, performance.now());
    if (CHANGES.has(entry.kind)) this.change(entry);
    else this.put(entry);
    if (entry.author.me) setTimeout(() => this.redraw(entry.id), RECALL_FOR);
    if (along || (entry.author.me && !CHANGES.has(entry.kind))) this.toEnd();
    else if (!CHANGES.has(entry.kind)) byId("newer").hidden = false;
    this.scrolled();
    this.onEntry(entry);
  }

  /** Draw an entry. What was changed by a later one comes from the server as it is now. */
  put(entry, before = false) {
    if (CHANGES.has(entry.kind)) return;
    if (entry.client_id) this.landed(entry.client_id);
    this.entries.set(entry.id, entry);
    const item = draw(entry, this.room, this.acts);
    if (before) this.list.prepend(item);
    else this.list.insertBefore(item, this.list.querySelector(".waiting"));
    this.days(item);
    if (entry.kind === "case" && entry.reply_to) this.became(entry);
  }

  /** A line with the day above the first entry of each day. */
  days(item) {
    const seqs = [...this.list.querySelectorAll("li[data-seq]:not(.waiting)")];
    const place = seqs.indexOf(item);
    for (const one of seqs.slice(Math.max(0, place), place + 2)) {
      const before = one.previousElementSibling;
      if (before?.classList.contains("day")) before.remove();
      const day = (each) => each && dayOf(this.entries.get(Number(each.dataset.id))?.at);
      const index = seqs.indexOf(one);
      if (index && day(seqs[index - 1]) === day(one)) continue;
      one.before(make("li", { className: "day" }, dayName(this.entries.get(Number(one.dataset.id)).at)));
    }
  }

  /** Taken back, removed, or shown again. */
  change(entry) {
    const target = this.entries.get(entry.target);
    if (!target) return;
    if (entry.kind === "return") Object.assign(target, { state: "shown", text: entry.text, file: entry.file, position: entry.position, why: "" });
    else if (entry.kind === "recall") Object.assign(target, { state: "recalled", text: "", file: "", position: null, hint: null });
    else this.remove(target);
    this.redraw(target.id);
  }

  remove(target) {
    target.state = "removed";
    if (!this.room.staff && !target.author.me) Object.assign(target, { text: "", file: "", position: null });
    // Its sender and staff read why.
    else call("GET", `/messages/${target.id}`).then((now) => this.replace(now), () => {});
  }

  replace(entry) {
    if (!this.entries.has(entry.id) || this.closed) return;
    this.entries.set(entry.id, entry);
    this.redraw(entry.id);
  }

  became(entry) {
    const target = this.entries.get(entry.reply_to);
    if (!target || !entry.case || target.case) return;
    target.case = entry.case;
    this.redraw(target.id);
  }

  /** Messages that were taken along into a case, or that a colleague found to be none, are reports no more. */
  dropHints(likely, since) {
    for (const entry of this.entries.values()) {
      if (!entry.hint || entry.case || entry.id < since || likely.has(entry.id)) continue;
      call("GET", `/messages/${entry.id}`).then((now) => this.replace({ ...now, hint: null }), () => {});
    }
  }

  redraw(id) {
    const entry = this.entries.get(id);
    const item = this.item(id);
    if (entry && item) item.replaceWith(draw(entry, this.room, this.acts));
  }

  item(id) {
    return this.list.querySelector(`li[data-id="${Number(id)}"]`);
  }

  isFresh(entry) {
    const came = this.came.get(entry.id);
    const age = came === undefined ? Math.abs(Date.now() - new Date(entry.at)) : performance.now() - came;
    return age < RECALL_FOR;
  }

  /** What others do not see yet stands at the end. */
  wait(clientId, item) {
    this.landed(clientId);
    item.classList.add("waiting");
    this.waiting.set(clientId, item);
    this.list.append(item);
    this.toEnd();
  }

  landed(clientId) {
    this.waiting.get(clientId)?.remove();
    this.waiting.delete(clientId);
  }

  /** Draw what the server holds back, and look again as long as it is being checked. */
  async lookAtWaiting() {
    clearTimeout(this.looking);
    const { items } = await call("GET", `/rooms/${this.room.id}/waiting`);
    if (this.closed) return;
    for (const entry of items) this.hold(entry);
    if (items.some((entry) => entry.state !== "refused")) {
      this.looking = setTimeout(() => this.lookAtWaiting().catch(() => {}), LOOK_EVERY);
    }
  }

  hold(entry) {
    if (this.entries.has(entry.id)) return;
    this.wait(entry.client_id, draw(entry, this.room, this.acts));
  }

  async quoted(id, tell) {
    tell("回复一条消息");
    try {
      if (!this.entries.has(id)) this.entries.set(id, await call("GET", `/messages/${id}`));
      tell(inShort(this.entries.get(id)));
    } catch {
      tell("（已不显示）");
    }
  }

  show(id) {
    const item = this.item(id);
    item?.scrollIntoView({ block: "center" });
    item?.classList.add("found");
    setTimeout(() => item?.classList.remove("found"), 2000);
  }

  markUnread() {
    const news = [...this.list.querySelectorAll("li[data-seq]")].find(
      (item) => Number(item.dataset.seq) > this.readTo && !item.classList.contains("mine"),
    );
    if (news && this.readTo) news.before(make("li", { className: "unread" }, "下面是新消息"));
  }

  isAtEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < AT_END;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    byId("newer").hidden = true;
  }

  scrolled() {
    if (!this.isAtEnd() || document.hidden) return;
    byId("newer").hidden = true;
    if (this.last <= this.readTo || this.reading) return;
    this.reading = setTimeout(() => {
      this.reading = 0;
      if (this.closed || document.hidden || !this.isAtEnd()) return;
      if (this.line.send({ type: "read", room: this.room.id, seq: this.last })) this.readTo = this.last;
    }, READ_AFTER);
  }

  /** How far somebody has read: oneself elsewhere, or the other side of a private talk. */
  read({ seq, me }) {
    if (me) this.readTo = Math.max(this.readTo, seq);
    else this.theirs = Math.max(this.theirs, seq);
    this.list.querySelector(".seen")?.remove();
    const mine = [...this.list.querySelectorAll("li.mine[data-seq]")].filter((item) => item.dataset.seq && Number(item.dataset.seq) <= this.theirs);
    if (this.theirs) mine.at(-1)?.append(make("p", { className: "seen" }, "对方已读"));
  }

  announcements() {
    return all(`/rooms/${this.room.id}/announcements`);
  }
}
