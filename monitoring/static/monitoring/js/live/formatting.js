// Figures and durations as monitoring/formatting.py writes them: a ticking figure must not change its form.

const NBSP = "\u00a0";

/** With thousands separators: "1,240"; at most one decimal. */
export function number(value) {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(1).replace(/\.0$/, "");
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A part of 1 with one decimal, "0.3 %", "94.0 %", but for "0 %" and "100 %", which are none and all. */
export function share(part) {
  const percent = part * 100;
  if (percent > 0 && percent < 0.1) {
    return `<0.1${NBSP}%`;
  }
  if (percent > 99.9 && percent < 100) {
    return `>99.9${NBSP}%`;
  }
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)}${NBSP}%`;
}

/** To three significant figures with a unit: "85 ms", "1.24 s", "3 min 51 s", "2 h 05 min", "6 d 4 h". */
export function duration(seconds) {
  const milliseconds = threeFigures(seconds * 1000);
  if (Number(milliseconds) < 1000) {
    return `${withoutZeros(milliseconds)}${NBSP}ms`;
  }
  const text = threeFigures(seconds);
  if (Number(text) < 60) {
    return `${text}${NBSP}s`;
  }
  const whole = Math.round(seconds);
  if (whole < 3600) {
    return `${Math.floor(whole / 60)}${NBSP}min${NBSP}${String(whole % 60).padStart(2, "0")}${NBSP}s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) {
    return `${Math.floor(minutes / 60)}${NBSP}h${NBSP}${String(minutes % 60).padStart(2, "0")}${NBSP}min`;
  }
  const hours = Math.round(seconds / 3600);
  if (hours < 30 * 24) {
    return `${Math.floor(hours / 24)}${NBSP}d${NBSP}${hours % 24}${NBSP}h`;
  }
  return `${number(Math.round(seconds / 86400))}${NBSP}d`;
}

/** The same for a clock that ticks: from a second on without the digits that nobody can read. */
export function ticking(seconds) {
  return seconds < 10 ? `${seconds.toFixed(1)}${NBSP}s` : duration(seconds < 60 ? Math.floor(seconds * 10) / 10 : Math.floor(seconds));
}

/** One unit, rounded down, for "... ago": "4 s", "3 min", "2 h", "6 d". */
export function span(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) {
      return `${number(Math.floor(seconds / size))}${NBSP}${unit}`;
    }
  }
  return `${Math.floor(seconds)}${NBSP}s`;
}

/** "14:42:18" in the server's time zone: an ISO time carries it. */
export function clockTime(iso) {
  return /T(\d\d:\d\d:\d\d)/.exec(iso)?.[1] ?? "";
}

function threeFigures(value) {
  const decimals = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
  const text = value.toFixed(decimals);
  // 9.996 is written as 10.00 by its own decimals: once more with those of the rounded value.
  return text.replace(".", "").replace(/^0+/, "").length <= 3 ? text : value.toFixed(Math.max(0, decimals - 1));
}

function withoutZeros(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}
