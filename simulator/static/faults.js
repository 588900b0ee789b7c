// The fault panel: every switch is sent as it is changed.

import { call, make, toast } from "./wire.js";

const form = document.getElementById("fault-form");
const panel = document.getElementById("faults");
const opener = document.getElementById("open-faults");
const switches = [...form.querySelectorAll("[name]")];
let rules = [];

export function showFaults(faults) {
  for (const input of switches) {
    if (input.type === "checkbox") input.checked = faults[input.name];
    else input.value = faults[input.name];
  }
  rules = faults.api;
  document.getElementById("rules").replaceChildren(...rules.map(ruleItem));
  const usual = { duplicates: 1, template_status: "success" };
  const changed = switches.filter((input) => input.name !== "duplicate_spacing" && faults[input.name] != (usual[input.name] ?? 0));
  const count = document.getElementById("fault-count");
  count.textContent = changed.length + rules.length;
  count.hidden = changed.length + rules.length === 0;
}

function ruleItem(rule, index) {
  const what = rule.kind === "errcode" ? `errcode ${rule.errcode}` : rule.kind;
  const often = rule.left === null ? "一直" : `还有 ${rule.left} 次`;
  const remove = make("button", { type: "button", ariaLabel: "删去" }, "×");
  remove.onclick = () => change({ api: rules.filter((_, i) => i !== index) });
  return make("li", {}, make("span", {}, `${rule.path === "*" ? "全部接口" : rule.path}　${what}　${often}`), remove);
}

async function change(wanted) {
  try {
    showFaults(await call("POST", "/api/faults", wanted));
  } catch (error) {
    toast(error.message);
  }
}

function newRule() {
  const [kind, code] = document.getElementById("rule-kind").value.split(":");
  const left = document.getElementById("rule-left").value;
  const rule = { kind, path: document.getElementById("rule-path").value, left: left ? Number(left) : null };
  if (code) rule.errcode = Number(code);
  if (kind === "slow") rule.seconds = 3;
  return rule;
}

function open(shown) {
  panel.hidden = !shown;
  opener.setAttribute("aria-expanded", String(shown));
}

opener.onclick = async () => {
  open(panel.hidden);
  // Rules are used up by calls; the panel shows how far.
  if (!panel.hidden) showFaults(await call("GET", "/api/faults"));
};
document.getElementById("close-faults").onclick = () => open(false);
document.getElementById("rule-add").onclick = () => change({ api: [...rules, newRule()] });
document.getElementById("reset-faults").onclick = async () => showFaults(await call("DELETE", "/api/faults"));
form.onsubmit = (event) => event.preventDefault();
for (const input of switches) {
  input.onchange = () => {
    const value = input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value;
    change({ [input.name]: value });
  };
}
