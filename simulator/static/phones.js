// The page: phones side by side, news as it comes, the journal below.

import { shortTime } from "./chat.js";
import { showFaults } from "./faults.js";
import { Phone } from "./phone.js";
import { call, listen, make, toast } from "./wire.js";

const stage = document.getElementById("phones");
const tabs = document.getElementById("tabs");
const phones = new Map();
let menu = [];
let codes = [];
let early = [];
let loads = 0;

/** Everything anew. News that come meanwhile are told afterwards; only the newest of several loads counts. */
async function load() {
  const mine = (loads += 1);
  early = [];
  try {
    const state = await call("GET", "/api/state");
    if (mine !== loads) return;
    menu = state.menu;
    codes = state.qrcodes;
    phones.clear();
    stage.replaceChildren();
    tabs.replaceChildren();
    for (const data of state.phones) addPhone(data);
    document.getElementById("journal-lines").replaceChildren();
    for (const note of state.journal) addNote(note);
    showFaults(state.faults);
  } catch (error) {
    toast(error.message);
  }
  if (mine !== loads) return;
  const waiting = early;
  early = null;
  for (const news of waiting) tell(news);
}

function addPhone(data) {
  if (phones.has(data.openid)) return phones.get(data.openid);
  const phone = new Phone(data, phones.size, markTab);
  phones.set(data.openid, phone);
  phone.showMenu(menu);
  phone.showCodes(codes);
  stage.append(phone.root);
  phone.toEnd();
  const tab = make("button", { type: "button", role: "tab" }, data.name);
  tab.dataset.openid = data.openid;
  tab.onclick = () => phone.root.scrollIntoView({ behavior: "smooth", inline: "center", block: "nearest" });
  tabs.append(tab);
  seen.observe(phone.root);
  return phone;
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const tab = tabOf(entry.target.dataset.openid);
      tab?.setAttribute("aria-selected", String(entry.isIntersecting));
      if (entry.isIntersecting) tab?.classList.remove("news");
    }
  },
  { root: stage, threshold: 0.6 },
);

const tabOf = (openid) => [...tabs.children].find((tab) => tab.dataset.openid === openid);

function markTab(phone) {
  const tab = tabOf(phone.openid);
  if (tab?.getAttribute("aria-selected") !== "true") tab?.classList.add("news");
}

function addNote(note) {
  const who = phones.get(note.openid)?.name ?? note.openid.slice(-6);
  const parts = [["time", shortTime(note.at)], ["span", note.what], ["span", who], ["span", note.detail]];
  const line = make("li", { className: note.good ? "good" : "bad" }, ...parts.map(([tag, text]) => make(tag, {}, text)));
  line.lastElementChild.className = "detail";
  const lines = document.getElementById("journal-lines");
  lines.prepend(line);
  while (lines.children.length > 100) lines.lastElementChild.remove();
  document.getElementById("journal-last").textContent = `${shortTime(note.at)}　${note.what}　${note.detail}`;
}

function tell(news) {
  if (early) {
    early.push(news);
    return;
  }
  const phone = phones.get(news.openid);
  if (news.phone) phone?.update(news.phone);
  if (news.kind === "bubble") phone?.add(news.bubble);
  else if (news.kind === "journal") addNote(news.note);
  else if (news.kind === "menu") {
    menu = news.menu;
    for (const each of phones.values()) each.showMenu(menu);
  } else if (news.kind === "qrcodes") {
    codes = news.qrcodes;
    for (const each of phones.values()) each.showCodes(codes);
  } else if (news.kind === "added") fetchPhone(news.openid);
  else if (news.kind === "reload") load();
}

async function fetchPhone(openid) {
  if (phones.has(openid)) return;
  try {
    addPhone(await call("GET", `/api/phones/${encodeURIComponent(openid)}`));
  } catch (error) {
    toast(error.message);
  }
}

document.getElementById("add-phone").onclick = async () => {
  try {
    const data = await call("POST", "/api/phones", {});
    const phone = addPhone(data);
    phone.root.scrollIntoView({ behavior: "smooth", inline: "center", block: "nearest" });
  } catch (error) {
    toast(error.message);
  }
};

document.getElementById("verify").onclick = async () => {
  try {
    const { ok, reason } = await call("POST", "/api/verify", {});
    toast(ok ? "回调地址校验通过。" : reason);
  } catch (error) {
    toast(error.message);
  }
};

const larger = document.getElementById("larger");
function setLarge(on) {
  document.documentElement.classList.toggle("large", on);
  larger.setAttribute("aria-pressed", String(on));
  localStorage.setItem("large", on ? "1" : "");
  for (const phone of phones.values()) phone.toEnd();
}
larger.onclick = () => setLarge(larger.getAttribute("aria-pressed") !== "true");
document.getElementById("viewer").onclick = (event) => event.currentTarget.close();

setLarge(Boolean(localStorage.getItem("large")));
listen(tell, load, (on) => document.getElementById("live").classList.toggle("on", on));
