// Questions: a sheet with something to tap, a line to write, a text to agree to. Esc and “不用了” always lead back.

import { button, byId, make, say } from "./dom.js";
import { call } from "./http.js";

/** Show something in the sheet; gives what `done(value)` was called with, null when it was closed. */
export function sheet(title, build) {
  const dialog = byId("sheet");
  if (dialog.open) dialog.close();
  return new Promise((resolve) => {
    let value = null;
    const done = (given = null) => {
      value = given;
      dialog.close();
    };
    const body = make("div", { className: "sheet-body" });
    const heading = make("h2", { id: "sheet-title", tabIndex: -1 }, title);
    dialog.replaceChildren(make("header", {}, heading, button("关闭", () => done(), { className: "close" })), body);
    dialog.onclose = () => resolve(value);
    dialog.onclick = (event) => {
      if (event.target === dialog) done(); // beside the sheet
    };
    body.append(...[build(done)].flat());
    dialog.showModal();
    heading.focus();
  });
}

/** One of several things to do: [[label, value], …]. */
export function choose(title, choices, note = "") {
  return sheet(title, (done) => [
    note && make("p", {}, note),
    ...choices.map(([label, value]) => button(label, () => done(value), { className: "choice" })),
    button("不用了", () => done(), { className: "choice quiet" }),
  ].filter(Boolean));
}

/** A sentence of the person's own; null when they would rather not. */
export function ask(title, { label, note = "", most = 200, value = "", send = "确定", needed = true } = {}) {
  return sheet(title, (done) => {
    const field = make("textarea", { id: "sheet-field", maxLength: most, rows: 3, value });
    const form = make(
      "form",
      {},
      note && make("p", {}, note),
      make("label", { htmlFor: "sheet-field" }, label),
      field,
      make("button", { className: "main" }, send),
      button("不用了", () => done(), { className: "choice quiet" }),
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (text || !needed) done(text);
      else say("请先写几个字。");
    };
    setTimeout(() => field.focus());
    return form;
  });
}

/** Run it; if it needs consents, ask for each and run it again. Throws what it throws; undefined where somebody declined. */
export async function agreeAndDo(act) {
  for (let asked = 0; asked < 4; asked++) {
    try {
      return await act();
    } catch (error) {
      const wanted = error?.code === "consent_needed" && error.fields?.[0]?.field.replace("consent.", "");
      if (!wanted) throw error;
      if (!(await agree(wanted))) return undefined;
    }
  }
  throw new Error("没能办成，请过一会儿再试。");
}

async function agree(wanted) {
  if (wanted === "age") return await askAge();
  const { items } = await call("GET", "/me/consents");
  const one = items.find((each) => each.purpose === wanted);
  const yes = await sheet(one.title, (done) => [
    make("p", {}, one.text),
    make("p", { className: "soft" }, one.without),
    button("同意", () => done(true), { className: "main" }),
    button("先不同意", () => done(), { className: "choice quiet" }),
  ]);
  return Boolean(yes) && (await agreeAndDo(() => call("PUT", `/me/consents/${wanted}`, { version: one.version }))) !== undefined;
}

async function askAge() {
  const answer = await choose("您满十四岁了吗？", [["满了", "yes"], ["还没满", "no"]], "未满十四岁要先由监护人同意。只问这一次。");
  if (answer === null) return false;
  await call("PUT", "/me/age", { over_fourteen: answer === "yes" });
  return true;
}

/** Do something a button asks for, and tell the person when it did not work. */
export async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    say(error?.message || "连接断了，请等一会儿再试。");
    return undefined;
  }
}
