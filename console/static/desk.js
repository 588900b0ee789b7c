// Lists of cases: keys, what is chosen, and what has changed since one last looked. Lists work without it.
"use strict";

const live = document.getElementById("live");
const news = document.getElementById("news");
const bulk = document.getElementById("bulk");
const keys = document.getElementById("keys");
live.classList.add("scripted");

// What was on the page, and how it stood: line id → state.
const lines = () => new Map([...live.querySelectorAll("tr[data-case]")].map((line) => [line.id, line]));
const states = () => new Map([...lines()].map(([id, line]) => [id, line.dataset.state]));
let known = states();

// The boxes below the one that chooses them all.
const boxesWith = (every) => [...every.closest("table").querySelectorAll("input[name=cases]")];

// A choice outlives a fresh list; what has left the list is chosen no more.
function showChosen() {
  const boxes = [...live.querySelectorAll("input[name=cases]")];
  boxes.forEach((box) => box.closest("tr").classList.toggle("chosen", box.checked));
  for (const every of live.querySelectorAll(".every")) every.checked = boxesWith(every).every((box) => box.checked);
  const chosen = boxes.filter((box) => box.checked);
  const many = new Set(chosen.map((box) => box.value)).size;
  if (!many) decided = false;
  proposeStep(chosen.map((box) => box.closest("tr").dataset.fits));
  const said = document.getElementById("chosen");
  if (said) said.textContent = many ? `已选 ${many} 件` : "先勾选事项，再选要办的事";
}

// The step that fits most of what is chosen, until somebody begins to fill in the form.
let decided = false;
function proposeStep(fits) {
  const known = fits.filter(Boolean);
  if (!bulk || decided || !known.length) return;
  const times = (step) => known.filter((one) => one === step).length;
  bulk.elements.step.value = known.reduce((best, step) => (times(step) > times(best) ? step : best));
  showFields();
}

function showTitle() {
  const title = live.querySelector("#title")?.dataset.title;
  if (!title) return;
  document.title = `${title} · 邻里工作台`;
  document.querySelector("h1").textContent = title;
}

function names(found) {
  const shown = found.slice(0, 3).map((line) => line.dataset.name).join("、");
  return found.length > 3 ? `${shown} 等 ${found.length} 件` : shown;
}

// Say once what is new; nothing moves the focus.
function tellNews() {
  const fresh = [], changed = [];
  for (const [id, line] of lines()) {
    const word = line.querySelector(".fresh-word");
    if (!known.has(id)) { fresh.push(line); word.textContent = "新"; }
    else if (known.get(id) !== line.dataset.state) { changed.push(line); word.textContent = "有变化"; }
  }
  const said = [];
  if (fresh.length) said.push(`新到：${names(fresh)}。`);
  if (changed.length) said.push(`有变化：${names(changed)}。`);
  if (said.length) news.textContent = said.join("");
  else if (news.dataset.fault) news.textContent = "";
  delete news.dataset.fault;
  known = states();
  showTitle();
  showChosen();
}

function tellFault() {
  news.dataset.fault = "1";
  news.textContent = "暂时连不上，列表可能不是最新的，会自动再试。";
}

// What is shown stays (console.js); that it may be old is said.
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (sourceElement === live && (response.status >= 400 || response.headers.has("X-Fault"))) tellFault();
});
document.addEventListener("htmx:after:swap", (event) => {
  const asked = event.detail.ctx;
  if (asked.sourceElement === live) tellNews();
  // What was done is done and chosen no more; what was refused stays chosen for another try.
  if (asked.sourceElement === bulk && !asked.response.headers.get("X-Fault")) {
    bulk.querySelector(".fault").textContent = "";
    const done = document.getElementById("done");
    const refused = new Set([...done.querySelectorAll("[data-refused]")].map((line) => line.dataset.refused));
    live.querySelectorAll("input[name=cases]:checked").forEach((box) => { box.checked = refused.has(box.value); });
    showChosen();
    done.scrollIntoView({ block: "nearest" });
  }
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx?.sourceElement === live) tellFault();
});
live.addEventListener("change", ({ target }) => {
  if (target.matches(".every")) boxesWith(target).forEach((box) => { box.checked = target.checked; });
  showChosen();
});

// Only what the step needs is shown.
function showFields() {
  const step = bulk.elements.step.value;
  bulk.querySelectorAll("[class*=for-]").forEach((field) => { field.hidden = !field.classList.contains(`for-${step}`); });
}
if (bulk) {
  bulk.addEventListener("input", () => { decided = true; showFields(); });
  showFields();
  showChosen();
}

// Filters that were left blank do not stand in the address.
document.querySelectorAll("form[method=get]").forEach((form) => form.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
}));

function step(by) {
  const links = [...live.querySelectorAll("a.open")];
  const here = links.indexOf(document.activeElement.closest("tr")?.querySelector("a.open"));
  const next = links[here < 0 ? (by > 0 ? 0 : links.length - 1) : here + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function choose() {
  document.activeElement.closest("tr")?.querySelector("input[name=cases]")?.click();
}

const ways = {
  j: () => step(1),
  k: () => step(-1),
  x: choose,
  b: () => bulk?.elements.step.focus(),
  "/": () => document.getElementById("words")?.focus(),
  "?": () => keys.showModal(),
};

// Single keys can be switched off: somebody's voice control or screen reader may type them.
const OFF = "linli keys off";
const allowed = document.getElementById("keys-on");
allowed.checked = !localStorage.getItem(OFF);
allowed.addEventListener("change", () => {
  if (allowed.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
});
const opener = document.getElementById("show-keys");
opener.hidden = false;
opener.addEventListener("click", () => keys.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open || !allowed.checked) return;
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (typing || !(event.key in ways)) return;
  event.preventDefault();
  ways[event.key]();
});
