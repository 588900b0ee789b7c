// What is wrong with the page one is on, in sentences; with everything open that one can open. Of lines that have the same
// shape two are looked at. `again`: it was looked at before, in another width, and is as it was left then.
async (again) => {
  const wrong = [], root = document.documentElement;
  const all = (chosen) => [...document.querySelectorAll(chosen)];

  const foreign = all("x-ss, script:not([src], [type='application/json']), style, iframe, object, [onerror], [onload], [onclick], [href^=javascript i]");
  if (foreign.length) wrong.push(`not ours: ${foreign[0].outerHTML.slice(0, 160)}`);

  const fits = (when) => {
    const wider = root.scrollWidth - root.clientWidth;
    if (wider > 0) wrong.push(`${wider} pixels wider than the window ${when}`);
  };
  const barriers = async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
    const found = await axe.run(document, { resultTypes: ["violations"], runOnly: tags, preload: false });
    for (const { id, impact, nodes } of found.violations)
      if (["serious", "critical"].includes(impact))
        wrong.push(`${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    return wrong;
  };
  fits("as it comes");
  if (again) return barriers();
  all("details").forEach((one) => { one.removeAttribute("name"); one.open = true; });
  all("form [hidden]:not([type=hidden])").forEach((one) => { one.hidden = false; });
  fits("with everything open");
  all("dialog").forEach((one) => { one.style.position = "static"; one.show(); });

  const ids = new Set();
  for (const { id } of all("[id]")) {
    if (ids.has(id)) wrong.push(`two of #${id}`);
    ids.add(id);
  }

  const shape = (node) => node.nodeType === Node.TEXT_NODE ? Boolean(node.data.trim()) : node.nodeType === Node.ELEMENT_NODE
    ? `${node.tagName}.${node.className}[${node.getAttributeNames()}](${[...node.childNodes].map(shape)})` : "";
  for (const parent of new Set(all("tr, li, option, optgroup, details, article").map((line) => line.parentElement))) {
    const shapes = new Map();
    for (const line of parent.querySelectorAll(":scope > :is(tr, li, option, optgroup, details, article)")) {
      const one = shape(line), many = (shapes.get(one) ?? 0) + 1;
      shapes.set(one, many);
      if (many > 2) line.remove();
    }
  }

  return barriers();
}
