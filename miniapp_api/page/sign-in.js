// Who holds this phone: WeChat tells inside WeChat; staff may use a one-time code anywhere.

import { byId, say } from "./dom.js";
import { call, newId } from "./http.js";

// A window of the phone simulator has a name of its own; WeChat's and others have none.
const KEPT = `linli.token.${window.name}`;
const STATE = "linli.state";
const ONCE = "linli.once";

/** A token, or "" while the person is looking at the way in. */
export async function signIn() {
  const kept = read(localStorage, KEPT) || read(sessionStorage, KEPT);
  const asked = new URLSearchParams(location.search);
  const code = asked.get("code");
  if (code !== null) {
    history.replaceState(null, "", location.pathname);
    const state = read(sessionStorage, STATE);
    forget(sessionStorage, STATE);
    if (state && asked.get("state") === state) return await redeem(code);
    // A code that was not asked for from here is nobody's: begin anew, once.
    if (!kept && !read(sessionStorage, ONCE)) {
      keep(sessionStorage, ONCE, "1");
      return await toWeChat();
    }
  }
  if (kept) return kept;
  if (/MicroMessenger/i.test(navigator.userAgent) || asked.get("from") === "wechat") return await toWeChat();
  showWayIn();
  return "";
}

/** Forget the token and show the way in. */
export function signOut(why = "") {
  for (const store of [localStorage, sessionStorage]) forget(store, KEPT);
  showWayIn(why);
}

async function redeem(code) {
  try {
    const { token } = await call("POST", "/login/web", { code, device: "网页" });
    forget(sessionStorage, ONCE);
    keep(localStorage, KEPT, token);
    return token;
  } catch (error) {
    showWayIn(error.message);
    return "";
  }
}

async function toWeChat() {
  const state = newId();
  try {
    const { url } = await call("GET", `/login/web/address?page=${encodeURIComponent(location.pathname)}&state=${state}`);
    keep(sessionStorage, STATE, state);
    location.assign(url);
  } catch (error) {
    showWayIn(error.message);
  }
  return "";
}

function showWayIn(why = "") {
  byId("room").hidden = true;
  byId("choose-grid").hidden = true;
  byId("way-in").hidden = false;
  byId("way-in-why").textContent = why;
  byId("by-wechat").onclick = toWeChat;
  const form = byId("by-code");
  form.onsubmit = async (event) => {
    event.preventDefault();
    const [number, code] = [form.elements.number.value.trim(), form.elements.code.value.trim()];
    if (!number || !/^\d{6}$/.test(code)) {
      say("请填工号和六位数字。数字在微信里给公众号发“登录”就能拿到。");
      return;
    }
    try {
      const { token } = await call("POST", "/login/staff", { number, code, device: "网页" });
      // At a desk others use too: the token goes with the window.
      keep(sessionStorage, KEPT, token);
      location.reload();
    } catch (error) {
      say(error.message);
    }
  };
}

// A browser may keep nothing at all; then signing in holds as long as the page is open.
function read(store, name) {
  try {
    return store.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function keep(store, name, value) {
  try {
    store.setItem(name, value);
  } catch {
    // See above.
  }
}

function forget(store, name) {
  try {
    store.removeItem(name);
  } catch {
    // See above.
  }
}
