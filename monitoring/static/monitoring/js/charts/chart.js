// Draws <section data-chart="JSON"> (parts/chart.html) with uPlot. Its table has the same numbers; without a
// script it is all there is. Charts of one page share their crosshair.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { duration, number, share } from "../live/formatting.js";
import "./table.js";
import { axisTimes, momentWords } from "./times.js";

const FORMATS = { number, duration, share };
const DRAWN = new WeakMap();
/** Pixels of line and gap: of a series that is dotted, and of the newest bucket, which is still filling. */
const DOTTED = [2, 3];
const DASHED = [4, 4];
/** Part of its bucket that a bar takes, and its greatest width in pixels. */
const BAR = [0.8, 40];

/** Draw, or bring up to date, every chart below `root`. */
export function charts(root = document) {
  for (const panel of root.querySelectorAll("[data-chart]")) {
    const drawn = DRAWN.get(panel);
    if (drawn) {
      drawn.update();
    } else {
      DRAWN.set(panel, new Chart(panel));
    }
  }
}

/** Each list with all before it added, the greatest first: bars that are drawn over each other then stand on each other. */
function heaped(lists) {
  const sums = [];
  for (const values of lists) {
    sums.push(values.map((value, index) => (value ?? 0) + (sums.at(-1)?.[index] ?? 0)));
  }
  return sums.toReversed();
}

function line(one, dash) {
  return {
    label: one.label,
    stroke: () => token(`--mon-${one.colour}`),
    width: 1.5,
    dash,
    // A value without neighbours is no line: it is drawn as a point, however many the chart has room for.
    points: { size: 4, filter: (plot, index, show) => (show ? null : lone(plot.data[index])) },
  };
}

/** A bar that is still filling is pale. */
function bar(one, filling = false) {
  const colour = () => {
    const full = token(`--mon-${one.colour}`);
    return filling ? `color-mix(in srgb, ${full} 45%, ${token("--body-bg")})` : full;
  };
  return {
    label: one.label,
    stroke: colour,
    fill: colour,
    width: 0,
    paths: uPlot.paths.bars({ size: BAR, align: 1 }),
    points: { show: false },
  };
}

function lone(values) {
  return values.flatMap((value, index) =>
    value !== null && (values[index - 1] ?? values[index + 1] ?? null) === null ? [index] : [],
  );
}

class Chart {
  constructor(panel) {
    this.panel = panel;
    this.box = panel.querySelector("[data-plot]");
    this.#read();
    this.#draw();
    panel.addEventListener("click", (event) => event.target.closest(".mon-chart-switch") && this.#switch());
    new ResizeObserver(() => this.#fit()).observe(this.box);
    new MutationObserver(() => this.plot.redraw(false)).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plot.redraw(false));
  }

  update() {
    if (this.panel.dataset.chart !== this.text) {
      const before = this.#looks();
      this.#read();
      if (this.#looks() === before) {
        this.plot.setData(this.#data());
      } else {
        this.plot.destroy();
        this.#draw();
      }
    }
  }

  #draw() {
    this.plot = new uPlot(this.#options(), this.#data(), this.box);
  }

  /** What options depend on, but for data. */
  #looks() {
    return JSON.stringify([this.drawn.series.map(({ label, colour, dotted }) => [label, colour, dotted]), this.drawn.stacked]);
  }

  #read() {
    this.text = this.panel.dataset.chart;
    this.drawn = JSON.parse(this.text);
    this.format = FORMATS[this.drawn.kind];
  }

  /** Times and, for each series, what is over and what is still filling. */
  #data() {
    const { times, series, filling, stacked } = this.drawn;
    const last = times.length - 1;
    const from = stacked ? last : last - 1;
    const shown = stacked ? heaped(series.map(({ values }) => values)) : series.map(({ values }) => values);
    const lines = shown.flatMap((values) => [
      filling ? values.map((value, index) => (index === last ? null : value)) : values,
      filling ? values.map((value, index) => (index >= from ? value : null)) : values.map(() => null),
    ]);
    return [times, ...lines];
  }

  /** Series of uPlot: for each of ours what is over, and what is still filling. */
  #lines() {
    const { series, stacked } = this.drawn;
    if (!stacked) {
      return series.flatMap((one) => [line(one, one.dotted ? DOTTED : undefined), line(one, DASHED)]);
    }
    return series.toReversed().flatMap((one) => [bar(one), bar(one, true)]);
  }

  #options() {
    const axis = { stroke: () => token("--mon-dim"), font: axisFont(), ticks: { show: false } };
    return {
      width: this.#width(),
      height: this.box.clientHeight,
      legend: { show: false },
      padding: [8, 20, 0, 0],
      scales: {
        x: { time: true, range: () => [this.drawn.start, this.drawn.end] },
        y: { range: (_, least, most) => uPlot.rangeNum(Math.min(0, least ?? 0), most || 1, 0.1, true) },
      },
      axes: [
        { ...axis, grid: { show: false }, values: (_, splits) => axisTimes(splits, this.drawn.zone), space: 64, gap: 9, size: 28 },
        {
          ...axis,
          grid: { stroke: () => token("--mon-line"), width: 1 },
          values: (_, splits) => splits.map((value) => this.format(value)),
          size: (_, values) => 16 + 7 * Math.max(2, ...(values ?? []).map((text) => text.length)),
          space: 32,
        },
      ],
      series: [{}, ...this.#lines()],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        sync: { key: "mon", setSeries: false },
        points: { size: 6, show: !this.drawn.stacked },
      },
      hooks: {
        draw: [(plot) => this.#mark(plot)],
        setCursor: [(plot) => this.#hover(plot.cursor.idx)],
        setSelect: [(plot) => this.#zoom(plot)],
      },
    };
  }

  /** A dotted line where something was deployed. */
  #mark(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = token("--mon-dim");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const { at } of this.drawn.marks ?? []) {
      const x = Math.round(plot.valToPos(at, "x", true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #hover(index) {
    const time = this.panel.querySelector("[data-time]");
    const at = this.drawn.times[index];
    time.hidden = at === undefined;
    time.textContent = at === undefined ? "" : momentWords(at, this.drawn.zone);
    this.panel.querySelector("[data-newest]")?.toggleAttribute("hidden", at !== undefined);
    for (const item of this.panel.querySelectorAll("[data-series]")) {
      const { values } = this.drawn.series[item.dataset.series];
      const value = at === undefined ? newest(values, this.drawn.filling) : values[index];
      item.querySelector("b").textContent = value === null || value === undefined ? "–" : this.format(value);
    }
  }

  /** The range that was dragged becomes that of the page: in its address, so that reload and sharing show the same. */
  #zoom(plot) {
    if (plot.select.width < 4) {
      return;
    }
    const at = (x) => new Date(Math.round(plot.posToVal(x, "x")) * 1000).toISOString().replace(".000", "");
    const address = new URL(location.href);
    address.searchParams.delete("range");
    address.searchParams.set("from", at(plot.select.left));
    address.searchParams.set("to", at(plot.select.left + plot.select.width));
    location.assign(address);
  }

  #switch() {
    const button = this.panel.querySelector(".mon-chart-switch");
    const isTable = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isTable));
    this.#fit();
  }

  #fit() {
    const width = this.#width();
    if (width > 0 && width !== this.plot.width) {
      this.plot.setSize({ width, height: this.box.clientHeight });
    }
  }

  #width() {
    return this.box.clientWidth;
  }
}

/** The newest known value, of a bucket that is over if there is one. */
function newest(values, filling) {
  const known = (one) => one !== null;
  return (filling ? values.slice(0, -1).findLast(known) : undefined) ?? values.findLast(known);
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axisFont() {
  const style = getComputedStyle(document.querySelector(".mon"));
  return `11px ${style.fontFamily}`;
}
