// The histogram's brush: drag over the bars, or move an end with the arrow keys and press Enter. It edits the time range.

export function brush() {
  const box = document.querySelector(".mon-histogram[data-start]");
  if (!box) {
    return;
  }
  const { field, rest } = box.dataset;
  const [start, step, count] = ["start", "step", "count"].map((name) => Number(box.dataset[name]));
  const shape = box.querySelector("svg");
  const tinted = box.querySelector(".mon-brush-box");
  const handles = box.querySelectorAll(".mon-brush-handle");
  const words = box.querySelector(".mon-brush-words");
  const ends = { low: box.querySelector('[data-end="low"]'), high: box.querySelector('[data-end="high"]') };
  const before = { low: Number(ends.low.value), high: Number(ends.high.value) };
  let held = null;

  const moment = (bucket) => new Date((start + bucket * step) * 1000);
  const range = () => {
    const [low, high] = [Number(ends.low.value), Number(ends.high.value)].sort((one, other) => one - other);
    return { low: Math.min(low, count - 1), high: Math.max(high, low + 1) };
  };

  function show() {
    const { low, high } = range();
    const height = shape.viewBox.baseVal.height;
    tinted.setAttribute("x", low);
    tinted.setAttribute("width", high - low);
    [low, high].forEach((at, index) => handles[index].setAttribute("d", `M${at} 0V${height}`));
    const said = { "{from}": inWords(moment(low)), "{to}": inWords(moment(high)) };
    words.textContent = words.dataset.words.replace(/\{\w+\}/g, (name) => said[name]);
    ends.low.setAttribute("aria-valuetext", said["{from}"]);
    ends.high.setAttribute("aria-valuetext", said["{to}"]);
  }

  function inWords(time) {
    const day = (count * step) > 86400 ? { day: "numeric", month: "short" } : {};
    const second = step < 60 ? { second: "2-digit" } : {};
    return time.toLocaleString(document.documentElement.lang || undefined, {
      ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...second,
    });
  }

  /** The last second of the last bucket: a time written to the second means all of it. */
  function choose() {
    const { low, high } = range();
    const written = (time) => time.toISOString().replace(/\.\d+Z$/, "Z");
    const address = new URL(rest, location.href);
    address.searchParams.set(field, `${written(moment(low))}..${written(new Date(moment(high) - 1000))}`);
    location.assign(address);
  }

  const bucketAt = (event) => {
    const { left, width } = shape.getBoundingClientRect();
    return Math.max(0, Math.min(count, ((event.clientX - left) / width) * count));
  };

  shape.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) {
      return;
    }
    event.preventDefault();
    shape.setPointerCapture(event.pointerId);
    const at = bucketAt(event);
    const { low, high } = range();
    const near = (count / shape.getBoundingClientRect().width) * 8;
    const chosen = box.dataset.low !== undefined;
    if (chosen && Math.abs(at - low) <= near) {
      held = { from: high };
    } else if (chosen && Math.abs(at - high) <= near) {
      held = { from: low };
    } else {
      held = { from: Math.floor(at), fresh: true };
    }
  });
  shape.addEventListener("pointermove", (event) => {
    if (held) {
      const at = bucketAt(event);
      ends.low.value = Math.min(held.from, Math.floor(at));
      ends.high.value = Math.max(held.from, Math.ceil(at));
      held.moved = true;
      show();
    }
  });
  shape.addEventListener("pointerup", () => {
    const { moved } = held ?? {};
    held = null;
    if (moved) {
      choose();
    }
  });
  shape.addEventListener("pointercancel", () => {
    held = null;
    restore();
  });

  function restore() {
    ends.low.value = before.low;
    ends.high.value = before.high;
    show();
  }

  for (const input of Object.values(ends)) {
    input.addEventListener("input", show);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        choose();
      } else if (event.key === "Escape") {
        restore();
      }
    });
  }
}
