// What htmx has no attribute for. Everything works without this file, only less quickly.
"use strict";

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

// What asks by itself keeps what it shows when the answer is an error: the next one mends it.
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  const failed = response.status >= 400 || response.headers.has("X-Fault");
  if (failed && sourceElement.getAttribute("hx-trigger")?.startsWith("every")) event.preventDefault();
});
