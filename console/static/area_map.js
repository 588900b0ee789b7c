// Which mark belongs to which line: the one is lit while the other is pointed at or has the focus.
"use strict";

(() => {
  function light(event) {
    const over = event.type === "pointerover" || event.type === "focusin";
    const line = event.target.closest("[data-pin]"), mark = event.target.closest("[data-pins]");
    const wanted = line ? [line.dataset.pin] : mark ? mark.dataset.pins.split(" ") : [];
    if (!wanted.length) return;
    document.querySelectorAll("[data-pin], [data-pins]").forEach((one) => {
      const has = (one.dataset.pin || one.dataset.pins).split(" ").some((pin) => wanted.includes(pin));
      if (has) one.classList.toggle("lit", over);
    });
  }

  for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) document.addEventListener(kind, light);
})();
