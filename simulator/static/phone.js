// One phone: its chat, type box, menu and the sheet behind the plus.

import { bubbleItem, stampItem } from "./chat.js";
import { call, make, toast, url } from "./wire.js";

const KEPT = 300;
const template = document.getElementById("phone-template");

export class Phone {
  constructor(data, index, onNews) {
    this.openid = data.openid;
    this.name = data.name;
    this.role = data.role;
    this.last = 0;
    this.lastAt = null;
    this.onNews = onNews;
    this.color = `c${index % 6}`;
    this.root = template.content.firstElementChild.cloneNode(true);
    this.root.dataset.openid = data.openid;
    this.root.setAttribute("aria-label", `${data.role} ${data.name}`);
    this.find(".who").textContent = data.name;
    this.find(".owner small").textContent = data.role;
    // A window named after its phone signs in as its owner: see simulator/oauth.py.
    for (const link of this.root.querySelectorAll("a.enter")) link.target = data.openid;
    this.chat = this.find(".chat");
    this.wire();
    this.update(data);
    for (const bubble of data.bubbles) this.add(bubble, false);
    this.toEnd();
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  /** Sends what the person does; the bubbles come back over the stream. */
  async act(name, body = {}) {
    try {
      return await call("POST", `/api/phones/${encodeURIComponent(this.openid)}/${name}`, body);
    } catch (error) {
      toast(error.message);
      return null;
    }
  }

  add(bubble, fresh = true) {
    if (bubble.number <= this.last) return;
    this.last = bubble.number;
    const atEnd = this.chat.scrollHeight - this.chat.scrollTop - this.chat.clientHeight < 140;
    const stamp = stampItem(bubble.at, this.lastAt);
    this.lastAt = bubble.at;
    const item = bubbleItem(bubble, (side) => this.face(side), (id, content) => this.act("tap", { id, content }));
    if (fresh) item.classList.add("fresh");
    this.chat.append(...[stamp, item].filter(Boolean));
    while (this.chat.children.length > KEPT) this.chat.firstElementChild.remove();
    for (const image of item.querySelectorAll("img")) image.onload = () => atEnd && this.toEnd();
    if (atEnd || bubble.direction === "in") this.toEnd();
    if (fresh && bubble.direction === "out") this.onNews(this);
  }

  update(data) {
    if (this.following && !data.following) this.openSheet(false);
    this.following = data.following;
    const quota = this.find(".quota");
    clearTimeout(this.typing);
    clearTimeout(this.expiry);
    quota.textContent = data.following ? `客服消息还可发 ${data.quota} 条` : "未关注";
    quota.classList.toggle("none", !data.quota);
    if (data.typing > 0) {
      quota.textContent = "对方正在输入…";
      this.typing = setTimeout(() => this.refresh(), data.typing * 1000);
    }
    // A window that closes lowers the number without any news.
    if (data.quota_changes_in) this.expiry = setTimeout(() => this.refresh(), Math.min(data.quota_changes_in + 1, 86400) * 1000);
    this.find(".type").hidden = !data.following;
    this.find(".menu").hidden = !data.following;
    this.find(".follow").hidden = data.following;
    for (const line of this.root.querySelectorAll(".consent")) {
      line.querySelector("small").textContent = `还可接收 ${data.consents[line.dataset.template] ?? 0} 次`;
    }
  }

  async refresh() {
    try {
      this.update(await call("GET", `/api/phones/${encodeURIComponent(this.openid)}?bubbles=0`));
    } catch {
      // The stream tells when the platform is back; until then the old number stands.
    }
  }

  toEnd() {
    this.chat.scrollTop = this.chat.scrollHeight;
  }

  face(side) {
    const box = make("div", { className: `face ${side === "in" ? this.color : ""}`, ariaHidden: "true" });
    if (side === "in") box.append(this.name.slice(0, 1));
    else box.append(make("img", { src: url("/static/icon.svg"), alt: "" }));
    return box;
  }

  showMenu(buttons) {
    const bar = this.find(".menu");
    bar.replaceChildren(
      ...buttons.map((button, i) => {
        const subs = button.sub_button ?? [];
        const cell = make("div");
        const top = make("button", { type: "button", className: subs.length ? "top-button has" : "top-button" }, button.name);
        cell.append(top);
        if (!subs.length) {
          top.onclick = () => this.press(button, [i]);
          return cell;
        }
        const list = make("div", { className: "sub", hidden: true });
        subs.forEach((sub, j) => {
          const line = make("button", { type: "button" }, sub.name);
          line.onclick = () => this.press(sub, [i, j]);
          list.append(line);
        });
        top.onclick = (event) => {
          event.stopPropagation();
          const was = list.hidden;
          this.closeSubs();
          list.hidden = !was;
        };
        cell.append(list);
        return cell;
      }),
    );
  }

  closeSubs() {
    for (const list of this.root.querySelectorAll(".menu .sub")) list.hidden = true;
  }

  press(button, path) {
    this.closeSubs();
    if (button.type.startsWith("scancode")) {
      this.pending = path;
      this.openSheet(true, "result");
      return;
    }
    if (button.type === "view" && /^https?:\/\//.test(button.url)) window.open(button.url, "_blank", "noopener");
    this.act("press", { path });
    if (button.type.startsWith("pic_")) this.openSheet(true, "photo");
    if (button.type === "location_select") this.openSheet(true, "place");
  }

  showCodes(codes) {
    this.find(".codes").replaceChildren(
      ...codes.slice(0, 30).map((code) => {
        const image = make("img", { src: url(`/qrcode?ticket=${encodeURIComponent(code.ticket)}`), alt: "", loading: "lazy" });
        return make("button", { type: "button", onclick: () => this.done("scan", { scene: code.scene }) }, image, code.label);
      }),
    );
  }

  openSheet(open, pane = "") {
    this.find(".sheet").hidden = !open;
    this.find(".tools").hidden = pane !== "";
    this.find(".plus").setAttribute("aria-expanded", String(open));
    for (const part of this.root.querySelectorAll(".pane")) part.hidden = part.dataset.pane !== pane;
    if (open) this.toEnd();
  }

  done(name, body) {
    this.openSheet(false);
    return this.act(name, body);
  }

  wire() {
    const form = this.find(".type");
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = form.text.value.trim();
      if (!text) return;
      form.text.value = "";
      this.act("text", { text });
    };
    // With a pane open the plus leads back to the tools, as on WeChat.
    this.find(".plus").onclick = () => this.openSheet(this.find(".sheet").hidden || this.find(".tools").hidden);
    this.chat.onclick = () => this.openSheet(false);
    this.root.addEventListener("click", () => this.closeSubs());
    for (const tool of this.root.querySelectorAll("[data-open]")) {
      tool.onclick = () => this.openSheet(true, tool.dataset.open);
    }
    for (const button of this.root.querySelectorAll("[data-act]")) button.onclick = () => this.done(button.dataset.act, {});
    this.wirePanes();
  }

  wirePanes() {
    const on = (selector, run) => {
      for (const element of this.root.querySelectorAll(selector)) element.onclick = () => run(element);
    };
    on("[data-sample]", (e) => this.done("photo", { sample: e.dataset.sample }));
    on("[data-seconds]", (e) => this.done("voice", { seconds: Number(e.dataset.seconds) }));
    on("[data-latitude]", (e) => {
      const { latitude, longitude } = e.dataset;
      this.done("location", { latitude: Number(latitude), longitude: Number(longitude), label: e.textContent });
    });
    on("[data-accept]", (e) => {
      this.act("consent", { template_id: e.parentElement.dataset.template, accept: Boolean(e.dataset.accept) });
    });
    const file = this.find(".file input");
    file.onchange = () => this.sendFile(file);
    const submit = (name, run) => {
      const form = this.find(`[data-form="${name}"]`);
      form.onsubmit = (event) => {
        event.preventDefault();
        run(Object.fromEntries(new FormData(form)));
        form.reset();
      };
    };
    submit("scan", (fields) => this.done("scan", fields));
    submit("result", (fields) => this.done("press", { path: this.pending, result: fields.result }));
    submit("place", (fields) => {
      const [latitude, longitude] = [Number(fields.latitude), Number(fields.longitude)];
      if (Number.isNaN(latitude) || Number.isNaN(longitude)) toast("经纬度要填数字，例如 30.564 和 114.369。");
      else this.done("location", { latitude, longitude, label: fields.label });
    });
  }

  async sendFile(input) {
    const [photo] = input.files;
    input.value = "";
    if (!photo) return;
    if (photo.size > 5 * 1024 * 1024) {
      toast("照片超过 5 MB，请换一张小一点的。");
      return;
    }
    const reader = new FileReader();
    reader.onload = () => this.done("photo", { data: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.readAsDataURL(photo);
  }
}
