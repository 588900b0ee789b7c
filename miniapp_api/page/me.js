// What belongs to the person: which grid, what others see of them, badges, signing out.

import { agreeAndDo, ask, attempt, choose, sheet } from "./ask.js";
import { button, byId, make, say } from "./dom.js";
import { call } from "./http.js";
import { change, offered } from "./letters.js";
import { signOut } from "./sign-in.js";

/** Let somebody without a grid choose one; ends when they have. */
export function chooseGrid() {
  byId("choose-grid").hidden = false;
  const [form, list] = [byId("find-grid"), byId("grids")];
  return new Promise((resolve) => {
    const take = async (grid) => {
      const home = await attempt(() => agreeAndDo(() => call("PUT", "/me/grid", { grid_id: grid.grid_id })));
      if (!home) return;
      byId("choose-grid").hidden = true;
      resolve();
    };
    const find = async (words) => {
      const found = await attempt(() => call("GET", `/grids?limit=30&words=${encodeURIComponent(words)}`));
      if (!found) return;
      const lines = found.items.map((grid) => make("li", {}, button(`${grid.community}${grid.grid}`, () => take(grid), { className: "choice" })));
      list.replaceChildren(...(lines.length ? lines : [make("li", {}, "没有找到，请换个字再找，或者问问社区。")]));
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      find(form.elements.words.value.trim());
    };
    find("");
  });
}

/** The sheet 我: as what one is shown, the nickname, signing out. `changed()` after a new nickname. */
export async function showMe(me, changed) {
  const who = me.post ? me.post.label : me.nickname || "“邻居”加四位数字";
  const choices = me.post ? [] : [["改昵称", "nickname"]];
  const note = `群里显示您是：${who}。别人看不到您的姓名和手机号。`;
  const wanted = await choose("我", [...choices, [offered(), "letters"], ["退出登录", "leave"]], note);
  if (wanted === "leave") {
    await attempt(() => call("POST", "/logout"));
    signOut("已退出。");
    return true;
  }
  if (wanted === "letters") change();
  if (wanted === "nickname") await rename(me, changed);
  return false;
}

async function rename(me, changed) {
  const nickname = await ask("改昵称", { label: "群里怎么称呼您（不填就显示“邻居”）", most: 16, value: me.nickname, needed: false });
  if (nickname === null) return;
  const now = await attempt(() => agreeAndDo(() => call("PATCH", "/me", { nickname })));
  if (now) {
    say(now.nickname ? `好了，群里以后显示“${now.nickname}”。` : "好了，群里以后显示“邻居”。");
    changed(now);
  }
}

/** Ask about badges the community has set for this person. */
export async function askBadges() {
  const { items } = await call("GET", "/badges");
  for (const badge of items.filter((one) => one.mine && !one.agreed_at)) {
    const note = `${badge.granted_by}给您设了“${badge.label}”标识。同意后，邻居在群里看得到，随时可以收回。`;
    const answer = await choose("亮身份", [["同意", "yes"], ["不同意", "no"]], note);
    if (answer === "yes") await attempt(() => call("POST", `/badges/${badge.id}/agree`));
    if (answer === "no") await attempt(() => call("DELETE", `/badges/${badge.id}`));
  }
}

/** Who is on duty in a room; tap one to mention them. */
export async function showOfficers(room, mention) {
  const found = await attempt(() => call("GET", `/rooms/${room.id}/staff`));
  if (!found) return;
  const picked = await sheet("谁在值班", (done) =>
    found.items.map((one) =>
      make("p", { className: "officer" }, button(`@${one.label}`, () => done(one), { className: "choice" }), make("span", { className: "soft" }, one.unit)),
    ),
  );
  if (picked) mention(picked.label, picked.handle);
}
