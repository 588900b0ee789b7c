// Draws what stands in the page as JSON. The same numbers stand in the table beside each chart.
"use strict";

(() => {
  const drawn = new Set();
  const dark = document.documentElement.classList.contains("wall");
  const ink = dark ? "#e8f1ed" : "#1c2521", line = dark ? "#3b4a52" : "#d5ddd9";
  const size = dark ? Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize)) : 13;
  const tones = dark
    ? { late: "#ff7b72", soon: "#ffc24d", calm: "#5aa9e6", lead: "#4fd1a1", good: "#4fd1a1", none: "#8b9aa3" }
    : { late: "#a4161a", soon: "#c77700", calm: "#1c5fb8", lead: "#0b6e4f", good: "#0b6e4f", none: "#83918a" };

  function series(chart) {
    return chart.series.map((one, at) => ({
      name: one.name,
      type: chart.kind === "line" ? "line" : "bar",
      stack: chart.kind === "stack" ? "all" : undefined,
      data: one.values,
      barMaxWidth: 42,
      symbolSize: 7,
      lineStyle: chart.kind === "line" ? { width: dark ? 4 : 2, type: ["solid", "dashed", "dotted"][at % 3] } : undefined,
      itemStyle: chart.tones[at] ? { color: tones[chart.tones[at]] } : undefined,
      label: dark && chart.kind === "bar" ? { show: true, position: "right", color: ink, fontSize: size } : undefined,
    }));
  }

  function options(chart) {
    const across = chart.kind === "bar" || (chart.kind === "stack" && chart.labels.length > 6) || chart.labels.length === 1;
    const names = {
      type: "category", data: chart.labels, inverse: across,
      axisLabel: { color: ink, fontSize: size, width: across ? size * 9 : undefined, overflow: "truncate",
        interval: across && chart.labels.length <= 12 ? 0 : undefined },
      axisLine: { lineStyle: { color: line } }, axisTick: { show: false },
    };
    const values = {
      type: "value", minInterval: ["件", "人", "户"].includes(chart.unit) ? 1 : undefined,
      axisLabel: { color: ink, fontSize: size }, splitLine: { lineStyle: { color: line } },
    };
    return {
      animation: false,
      // Patterns besides colours, for those who do not tell colours apart.
      aria: { enabled: true, label: { enabled: false }, decal: { show: chart.kind !== "line" && chart.series.length > 1 } },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      grid: { left: 8, right: dark ? 60 : 24, top: chart.series.length > 1 ? size * 3 : 12, bottom: 8, containLabel: true },
      legend: chart.series.length > 1 ? { top: 0, textStyle: { color: ink, fontSize: size } } : undefined,
      // Drawn, not written as HTML: a page's policy forbids styles in HTML.
      tooltip: { renderMode: "richText", trigger: "axis", valueFormatter: (value) => `${value ?? "—"} ${chart.unit}` },
      xAxis: across ? values : names,
      yAxis: across ? names : values,
      series: series(chart),
    };
  }

  function draw(place) {
    const source = document.getElementById(place.dataset.chart);
    if (!source || place.dataset.drawn) return;
    place.dataset.drawn = "1";
    const chart = JSON.parse(source.textContent);
    const rows = chart.kind === "bar" || chart.labels.length > 6 ? chart.labels.length : 0;
    if (!dark && chart.kind !== "line" && rows > 8) place.style.height = `${rows * 26 + 60}px`;
    const shown = window.echarts.init(place, null, { renderer: "canvas" });
    shown.setOption(options(chart));
    shown.on("click", (event) => { if (chart.links[event.dataIndex]) window.location.assign(chart.links[event.dataIndex]); });
    drawn.add(shown);
    new ResizeObserver(() => { if (drawn.has(shown) && place.clientWidth) shown.resize(); }).observe(place);
  }

  function look() {
    drawn.forEach((shown) => {
      if (!shown.getDom().isConnected) { shown.dispose(); drawn.delete(shown); }
    });
    document.querySelectorAll("[data-chart]").forEach(draw);
  }

  document.addEventListener("DOMContentLoaded", () => {
    look();
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  });
})();
