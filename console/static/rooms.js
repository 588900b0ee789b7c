// A room: stays at its newest entry, says when there is more below, remembers how far somebody has read.
"use strict";

(() => {
  const talk = document.querySelector(".talk");
  const down = document.getElementById("down");
  const broken = document.getElementById("broken");
  const read = document.getElementById("read");
  if (!talk || !read) return;

  const atEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
  const toEnd = () => { talk.scrollTop = talk.scrollHeight; down.hidden = true; };
  const newest = () => Number(document.getElementById("newest")?.dataset.seq ?? 0);
  const keys = () => { for (const one of document.querySelectorAll(".keys")) one.hidden = false; };
  let wasAtEnd = true;
  keys();

  const fresh = talk.querySelector(".fresh");
  if (fresh) fresh.scrollIntoView({ block: "center" }); else toEnd();

  // Somebody who does something here has seen what is here; a page that is only open has not.
  const seen = () => {
    const field = read.elements.seq;
    if (document.hidden || newest() <= Number(field.value) || !atEnd()) return;
    field.value = newest();
    htmx.trigger(read, "reading");
  };

  document.addEventListener("htmx:before:swap", () => { wasAtEnd = atEnd(); });
  document.addEventListener("htmx:after:swap", (event) => {
    keys();
    if (event.target.closest?.(".talk") === null) return;
    if (wasAtEnd) toEnd(); else down.hidden = atEnd();
  });
  document.addEventListener("said", toEnd);
  const lost = (is) => { broken.textContent = is ? "连不上服务器，新消息可能看不到。正在自动重连。" : ""; };
  document.addEventListener("htmx:error", () => lost(true));
  document.addEventListener("htmx:before:response", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    if (sourceElement.id === "newest") lost(response.status >= 400 || response.headers.has("X-Fault"));
  });
  down.querySelector("button").addEventListener("click", () => { toEnd(); seen(); });
  for (const kind of ["pointerdown", "keydown", "wheel", "focusin"]) document.addEventListener(kind, seen, { passive: true });
  talk.addEventListener("scroll", () => { if (atEnd()) down.hidden = true; }, { passive: true });

  // Enter sends, Shift and Enter begins a new line; never while a word is being chosen.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target.name !== "text") return;
    if (event.target.form?.id !== "say") return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });
})();
