// What the person writes: words, photos, places; what could not be sent yet waits here and goes when the line is back.

import { agreeAndDo, attempt, sheet } from "./ask.js";
import { button, byId, make, say } from "./dom.js";
import { inShort } from "./entry.js";
import { call, newId } from "./http.js";

const MOST_BYTES = 20 * 1024 * 1024;
const TO_US = ["助手", "网格员"];

export class Composer {
  constructor(line) {
    this.line = line;
    this.talk = null;
    this.replying = null;
    this.named = new Map(); // what stands behind @ → handle
    this.queue = []; // {message, item, talk}, the oldest first
    this.form = byId("composer");
    this.text = byId("text");
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.sendText();
    };
    this.text.onkeydown = (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.sendText();
    };
    this.text.oninput = () => this.grow();
    byId("photo").onchange = (event) => this.sendPhoto(event.target);
    byId("place").onclick = () => this.sendPlace();
    for (const chip of this.form.querySelectorAll("[data-mention]")) chip.onclick = () => this.mention(chip.dataset.mention);
    byId("no-reply").onclick = () => this.reply(null);
  }

  /** Write in this room from now on. */
  in(talk) {
    this.talk = talk;
    this.named.clear();
    this.reply(null);
  }

  reply(entry) {
    this.replying = entry;
    byId("replying").hidden = !entry;
    byId("replying-to").textContent = entry ? `回复 ${inShort(entry)}` : "";
    if (entry) this.text.focus();
  }

  mention(label, handle = "") {
    if (handle) this.named.set(label, handle);
    const text = this.text.value;
    if (!text.includes(`@${label}`)) this.text.value = TO_US[0] === label ? `@${label} ${text}` : `${text}${text && !text.endsWith(" ") ? " " : ""}@${label} `;
    this.text.focus();
    this.grow();
  }

  grow() {
    this.text.rows = Math.min(5, this.text.value.split("\n").length + (this.text.value.length > 60 ? 1 : 0));
  }

  mentioned(text) {
    const known = [...this.named].filter(([label]) => text.includes(`@${label}`)).map(([, handle]) => handle);
    return [...new Set([...TO_US.filter((label) => text.includes(`@${label}`)), ...known])].slice(0, 20);
  }

  sendText() {
    const text = this.text.value.trim();
    if (!text || !this.talk) return;
    this.text.value = "";
    this.grow();
    this.put({ kind: "text", text, mentions: this.mentioned(text), ...this.answering() }, make("p", {}, text));
  }

  answering() {
    const reply_to = this.replying?.id ?? null;
    this.reply(null);
    return { reply_to };
  }

  async sendPhoto(input) {
    const files = [...input.files];
    input.value = "";
    for (const file of files) {
      if (file.size > MOST_BYTES) say("照片超过 20 MB，请换一张小一点的。");
      else await this.sendOnePhoto(file);
    }
  }

  async sendOnePhoto(file) {
    const talk = this.talk;
    const form = new FormData();
    form.append("file", file, "photo");
    say("正在传照片…");
    const sent = await attempt(() => call("POST", "/uploads", form));
    if (!sent || talk !== this.talk) return;
    const shown = make("img", { className: "photo", alt: "您发的照片", src: URL.createObjectURL(file) });
    this.put({ kind: "image", text: "", upload: sent.id, ...this.answering() }, shown);
  }

  async sendPlace() {
    const position = await sheet("发位置", (done) => {
      const called = make("input", { id: "place-name", maxLength: 100, placeholder: "如：3栋东门", autocomplete: "off" });
      const go = button("发我现在的位置", () => this.locate(called.value.trim(), go, done), { className: "main" });
      return [
        make("p", {}, "让网格员找得到地方。只想说是哪里，直接打字就行。"),
        make("label", { htmlFor: "place-name" }, "这是什么地方（可不填）"),
        called,
        go,
        button("不用了", () => done(), { className: "choice quiet" }),
      ];
    });
    if (position) this.put({ kind: "location", text: "", position, ...this.answering() }, make("p", {}, `位置：${position.place || "您现在的位置"}`));
  }

  locate(place, go, done) {
    const failed = () => {
      go.disabled = false;
      say("手机没有给出位置。请在设置里允许，或者直接打字说是哪里。");
    };
    go.disabled = true;
    if (!navigator.geolocation) {
      failed();
      return;
    }
    const found = ({ coords }) => done({ latitude: coords.latitude, longitude: coords.longitude, place, datum: "wgs84" });
    navigator.geolocation.getCurrentPosition(found, failed, { enableHighAccuracy: true, timeout: 10000 });
  }

  /** Send a message in this room; until the room has it, it stands at the end as on its way. */
  put(message, shown) {
    const item = make("li", { className: "entry mine" }, make("div", { className: "bubble" }, shown), make("p", { className: "note" }));
    const one = { message: { ...message, client_id: newId() }, item, talk: this.talk };
    this.talk.wait(one.message.client_id, item);
    this.queue.push(one);
    this.go(one);
  }

  /** The line is back: what it did not carry goes again, under the same name, so that it is said once. */
  resume() {
    for (const one of [...this.queue]) if (!one.under) this.go(one);
  }

  async go(one) {
    const { message, talk } = one;
    one.under = true;
    this.note(one, "正在发送…");
    try {
      const answer = await agreeAndDo(() => this.line.ask({ type: "post", room: talk.room.id, message }));
      if (answer === undefined) this.back(one);
      else this.sent(one, answer.entry);
    } catch (error) {
      one.under = false;
      if (error === null) this.note(one, "没有网络，连上就发。");
      else this.failed(one, error);
    }
  }

  sent(one, entry) {
    this.drop(one);
    if (entry.seq === null && one.talk === this.talk && !one.talk.closed) {
      one.talk.hold(entry);
      one.talk.lookAtWaiting().catch(() => {});
    }
  }

  failed(one, error) {
    one.under = true; // not again by itself
    this.note(
      one,
      `没有发出：${error.say ?? error.message}`,
      button("再发一次", () => this.go(one), { className: "link" }),
      button("不发了", () => this.back(one), { className: "link" }),
    );
  }

  /** Back into the box, so that nothing typed is lost. */
  back(one) {
    this.drop(one);
    one.talk.landed(one.message.client_id);
    if (!this.text.value) this.text.value = one.message.text;
    this.grow();
  }

  drop(one) {
    this.queue = this.queue.filter((other) => other !== one);
  }

  note(one, ...said) {
    one.item.querySelector(".note").replaceChildren(...said);
  }
}
