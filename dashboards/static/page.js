// Draws a dashboard's graphs from its JSON, and keeps the page current. What CloudWatch says becomes
// text or a canvas here, never markup.
"use strict";

const INK = "#334155", GRID = "#e2e8f0", ALERT = "#dc2626", RELEASE = "#7c3aed";
const UNITS = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
const UNABBREVIATED = 1e4;
const FONT = "12px system-ui, sans-serif";
const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
const day = uPlot.fmtDate("{YYYY}-{MM}-{DD} {HH}:{mm}");
const clock = uPlot.fmtDate("{HH}:{mm}");
const live = document.getElementById("live");
const plots = new Map();

// 12.5k, 1013, 0.034, 99.95
function number(value, digits = 4) {
  if (value == null) return "–";
  const size = Math.abs(value);
  const [unit, letter] = (size >= UNABBREVIATED && UNITS.find(([unit]) => size >= unit)) || [1, ""];
  return Number((value / unit).toPrecision(digits)) + letter;
}

// A point without neighbours is no line: it is drawn as a dot.
function alone(plot, index) {
  const values = plot.data[index];
  return values.flatMap((value, at) =>
    value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []);
}

// From zero where the data is near it; annotations are always in sight.
function heights(annotations) {
  return (_plot, low, high) => {
    const seen = [low, high, ...annotations.map(({ value }) => value)].filter((value) => value != null);
    const [least, most] = [Math.min(...seen), Math.max(...seen)];
    if (!seen.length || (least === 0 && most === 0)) return [0, 1];
    const room = { pad: 0.1, soft: 0, mode: 3 };
    return uPlot.rangeNum(least, most, { min: room, max: room });
  };
}

// Each release is a line across the graph, named at its foot.
function markReleases(releases) {
  return ({ ctx, bbox, valToPos, scales }) => {
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = RELEASE;
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const at of releases.filter((at) => at >= scales.x.min && at <= scales.x.max)) {
      const x = valToPos(at, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const left = x - bbox.left > bbox.width / 2;
      ctx.textAlign = left ? "right" : "left";
      ctx.fillText("release", x + (left ? -4 : 4) * devicePixelRatio, bbox.top + bbox.height - 2 * devicePixelRatio);
    }
    ctx.restore();
  };
}

function annotate(annotations) {
  return ({ ctx, bbox, valToPos }) => {
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = ALERT;
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    for (const { value, label } of annotations) {
      const y = valToPos(value, "y", true);
      ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      const below = y - bbox.top < 16 * devicePixelRatio;
      ctx.textBaseline = below ? "top" : "bottom";
      ctx.fillText(label, bbox.left + bbox.width - 4, y + (below ? 4 : -2) * devicePixelRatio);
    }
    ctx.restore();
  };
}

// Where the cursor is; elsewhere the latest that any line has.
function showLatest(plot) {
  if (plot.cursor.idx != null) return;
  let at = plot.data[0].length - 1;
  while (at > 0 && !plot.data.slice(1).some((values) => values[at] != null)) at -= 1;
  plot.setLegend({ idx: at }, false);
}

function options(graph, legend, { width, height }) {
  const axis = { stroke: INK, font: FONT, grid: { stroke: GRID, width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    tzDate: utc,
    padding: [8, 18, 0, 0],
    cursor: { sync: { key: "dashboard" }, drag: { x: true, y: false }, y: false },
    legend: { mount: (_plot, table) => legend.replaceChildren(table), markers: { width: 0, fill: (_plot, at) => graph.series[at - 1]?.color ?? "transparent" } },
    scales: { y: { range: heights(graph.annotations) } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, values: (_plot, ticks) => ticks.map((tick) => clock(utc(tick))) },
      { ...axis, size: 48, space: 34, values: (_plot, ticks) => ticks.map((tick) => number(tick, 6)) },
    ],
    series: [
      { label: "UTC", value: (_plot, at) => (at == null ? "–" : day(utc(at))) },
      ...graph.series.map(({ label, color }) => ({
        label, stroke: color, width: 1.5, value: (_plot, value) => number(value),
        points: { show: false, filter: alone, size: 5, fill: color },
      })),
    ],
    hooks: { draw: [annotate(graph.annotations), markReleases(graph.releases)], setCursor: [showLatest] },
  };
}

const room = (box) => ({ width: box.clientWidth, height: box.clientHeight });
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) plots.get(target)?.plot.setSize(room(target));
});

function draw(widget, graph) {
  const box = widget.querySelector(".plot");
  const data = [graph.times, ...graph.series.map(({ values }) => values)];
  const shape = JSON.stringify([graph.annotations, graph.releases, graph.series.map(({ label, color }) => [label, color])]);
  const drawn = plots.get(box);
  if (drawn?.shape === shape) {
    update(drawn.plot, data);
  } else {
    drawn?.plot.destroy();
    const plot = new uPlot(options(graph, widget.querySelector(".legend"), room(box)), data, box);
    plots.set(box, { plot, shape });
    resized.observe(box);
    showLatest(plot);
  }
  box.classList.toggle("empty", !graph.series.some(({ values }) => values.some((value) => value != null)));
  const problems = graph.problems.map((text) => Object.assign(document.createElement("p"), { className: "problem", textContent: text }));
  widget.querySelector(".problems").replaceChildren(...problems);
}

// What a person has zoomed into stays; otherwise the graph moves with the time.
function update(plot, data) {
  const times = plot.data[0];
  const { min, max } = plot.scales.x;
  const zoomed = min > times[0] || max < times.at(-1);
  plot.setData(data, !zoomed);
  if (zoomed) plot.setScale("x", { min, max });
  showLatest(plot);
}

async function answer(url) {
  const response = await fetch(url).catch(() => { throw new Error("The server has ended: make dashboard."); });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

async function drawDashboard(grid) {
  const data = await (await answer(grid.dataset.source)).json();
  if (data.revision !== grid.dataset.revision) return location.reload();
  for (const [index, graph] of Object.entries(data.graphs)) {
    const widget = grid.querySelector(`[data-index="${index}"]`);
    if (widget) draw(widget, graph);
  }
}

// The server has escaped it; what somebody opened stays open.
async function replaceAlarms(main) {
  const page = new DOMParser().parseFromString(await (await answer(location.href)).text(), "text/html");
  const open = new Set([...main.querySelectorAll("details[open]")].map(({ id }) => id));
  main.replaceChildren(...page.querySelector("main").childNodes);
  for (const details of main.querySelectorAll("details")) details.open = open.has(details.id);
}

async function refresh() {
  const failed = document.getElementById("failed");
  try {
    const grid = document.querySelector(".grid");
    await (grid ? drawDashboard(grid) : replaceAlarms(document.querySelector("main")));
    document.getElementById("updated").textContent = `${new Date().toISOString().slice(11, 19)} UTC`;
    failed.hidden = true;
  } catch (error) {
    failed.textContent = error.message;
    failed.hidden = false;
  }
}

async function keepCurrent() {
  if (live.checked && !document.hidden) await refresh();
  setTimeout(keepCurrent, document.body.dataset.refresh * 1000);
}

for (const widget of document.querySelectorAll(".widget")) widget.style.gridArea = widget.dataset.area;
live.checked = localStorage.getItem("live") !== "no";
live.addEventListener("change", () => {
  localStorage.setItem("live", live.checked ? "yes" : "no");
  if (live.checked) refresh();
});
refresh().then(() => setTimeout(keepCurrent, document.body.dataset.refresh * 1000));
