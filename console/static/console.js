// What htmx has no attribute for. Everything works without this file, only less quickly.
"use strict";

// On a phone the menu is one line that moves sideways: it shows where one is.
const here = document.querySelector("nav.side [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;

// A form that is under way cannot be sent a second time.
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button:not([type=button])");
  if (button) setTimeout(() => { button.disabled = true; }, 0);
});
document.addEventListener("htmx:finally:request", () => {
  document.querySelectorAll("form button:disabled").forEach((button) => { button.disabled = false; });
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form button:disabled").forEach((button) => { button.disabled = false; });
});

// A form of a session that ended is sent again by whoever signed in since, with the mark of now.
document.addEventListener("htmx:before:response", (event) => {
  const mark = event.detail.ctx.response.headers.get("X-Mark");
  if (mark) document.querySelectorAll("input[name=mark]").forEach((field) => { field.value = mark; });
});

// Where somebody is writing, a session that ended takes nothing away: it is told on top, and the form tells how to go on.
const written = () => [...document.querySelectorAll("form[method=post] :is(textarea, input:not([type]), input[type=text])")]
  .some((field) => field.value !== field.defaultValue);
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (!sourceElement.dataset.news || !response.headers.get("HX-Redirect")?.endsWith("/login") || !written()) return;
  event.preventDefault();
  if (document.getElementById("over")) return;
  const said = document.createElement("p");
  said.id = "over";
  said.className = "said";
  said.setAttribute("role", "alert");
  said.textContent = "登录已经结束，这一页不再更新。写的都还在，提交时会告诉您怎么接着做。";
  document.getElementById("main").prepend(said);
});

// What asks by itself keeps what it shows when the answer is an error: the next one mends it.
let missed = false;
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  const failed = response.status >= 400 || response.headers.has("X-Fault");
  if (!failed || !sourceElement.getAttribute("hx-trigger")?.includes("every ")) return;
  missed = true;
  event.preventDefault();
});
document.addEventListener("htmx:error", () => { missed = true; });

// Parts that show something alive (data-news) ask again when the server says that there is news. They ask by the clock,
// too: soon while the line is cut or an answer was missed, and once a minute in any case.
(() => {
  const shown = new Set([...document.querySelectorAll("[data-news]")].map((part) => part.dataset.news));
  if (!shown.size) return;
  const query = [...shown].map((one) => `of=${one}`).join("&");
  const talking = [...shown].some((one) => one.startsWith("room-"));
  const patience = talking ? 3_000 : 15_000;
  // A part that is asking when news comes may be answered with what was before it, and is another element afterwards:
  // it is told when it has its answer.
  const asking = new Set();
  let owed = false;
  const told = () => {
    owed = asking.size > 0;
    if (!owed) document.body.dispatchEvent(new CustomEvent("news"));
  };
  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.sourceElement.dataset.news) asking.add(event.detail.ctx);
  });
  document.addEventListener("htmx:finally:request", (event) => {
    if (asking.delete(event.detail.ctx) && owed) told();
  });
  let line = null, again = 0;

  function listen() {
    hush();
    line = new EventSource(`/console/events?${query}`);
    line.addEventListener("news", told);
    // Whatever was new before the line stood, or while it was cut.
    line.addEventListener("open", told);
    line.addEventListener("over", () => { hush(); told(); retry(); });
    line.addEventListener("error", () => { if (line.readyState === EventSource.CLOSED) retry(); });
  }
  function hush() {
    clearTimeout(again);
    line?.close();
    line = null;
  }
  function retry() {
    clearTimeout(again);
    again = setTimeout(() => { if (!document.hidden) { listen(); told(); } }, 20_000 + 20_000 * Math.random());
  }

  // A page nobody sees holds no line: a browser has few of them to one host.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    told();
    listen();
  });
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", (event) => { if (event.persisted && !document.hidden) { told(); listen(); } });
  setInterval(() => {
    if (document.hidden || (!missed && line?.readyState === EventSource.OPEN)) return;
    missed = false;
    told();
  }, patience);
  if (!document.hidden) listen();
})();
