// A case's page: letters open its forms, a ready sentence goes into the field beside it, printing. It works without.
"use strict";

const on = document.getElementById("keys-on");
const OFF = "linli keys off";
document.getElementById("keys-choice").hidden = false;
on.checked = !localStorage.getItem(OFF);
const showKeys = () => document.querySelectorAll("[data-key] kbd").forEach((key) => { key.hidden = !on.checked; });
on.addEventListener("change", () => {
  if (on.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
  showKeys();
});
showKeys();

const printer = document.getElementById("print");
printer.hidden = false;
printer.addEventListener("click", () => window.print());

document.addEventListener("change", (event) => {
  const chosen = event.target;
  if (!chosen.matches("select[data-ready]") || !chosen.value) return;
  const words = chosen.form.elements.text;
  words.value = chosen.value;
  chosen.value = "";
  words.focus();
});

const typing = (place) => place.matches("input:not([type=checkbox], [type=radio]), textarea, select");

document.addEventListener("keydown", (event) => {
  const place = event.target;
  if (event.key === "Escape") {
    const open = place.closest?.("details[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    return;
  }
  if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || typing(place)) return;
  const step = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!step) return;
  event.preventDefault();
  for (let fold = step.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  step.querySelector("textarea, select, input:not([type=hidden]), button").focus();
});
