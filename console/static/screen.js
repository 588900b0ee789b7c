// A screen on a wall: the time, the whole of the glass, and what is said when the figures stop coming.
"use strict";

(() => {
  const clock = document.getElementById("clock"), lost = document.getElementById("lost"), full = document.getElementById("full");
  const tell = () => {
    clock.textContent = new Date().toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
  };
  tell();
  setInterval(tell, 5000);
  full.addEventListener("click", () => document.documentElement.requestFullscreen());
  document.addEventListener("fullscreenchange", () => { full.hidden = Boolean(document.fullscreenElement); });
  document.addEventListener("htmx:error", () => { lost.hidden = false; });
  document.addEventListener("htmx:response:error", () => { lost.hidden = false; });
  document.addEventListener("htmx:after:swap", () => { lost.hidden = true; });
  // Once a day the whole page, for the newest version of it; only while there is somebody to answer.
  const opened = Date.now();
  document.addEventListener("htmx:after:swap", () => {
    if (Date.now() - opened > 24 * 3600 * 1000) window.location.reload();
  });
})();
