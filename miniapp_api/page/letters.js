// 大字: larger letters for who wants them, kept on this phone.

const KEPT = "linli-letters";

function kept() {
  try {
    return localStorage.getItem(KEPT) === "large";
  } catch {
    return false; // a browser that keeps nothing
  }
}

/** Show the page as it was left. */
export function wear() {
  document.documentElement.classList.toggle("elder", kept());
}

/** What the choice is called now. */
export const offered = () => (kept() ? "换回普通字号" : "换成大字");

/** The other size, from now on. */
export function change() {
  try {
    localStorage.setItem(KEPT, kept() ? "plain" : "large");
  } catch {
    return;
  }
  wear();
}
