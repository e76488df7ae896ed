// Times of a chart in the server's time zone and the language of the page.

const DAY = 86400;
const made = new Map();

/** Seconds since the epoch, equally far from each other, as labels: a day where it begins, else the time. */
export function axisTimes(splits, zone) {
  const step = splits.length > 1 ? splits[1] - splits[0] : 0;
  const day = format(zone, { day: "numeric", month: "short" });
  const time = format(zone, { hour: "2-digit", minute: "2-digit", ...(step < 60 && { second: "2-digit" }) });
  return splits.map((at) => {
    const words = time.format(at * 1000);
    return step >= DAY || (step > 0 && /^00:00(:00)?$/.test(words)) ? day.format(at * 1000) : words;
  });
}

/** "24 Nov 14:42:18": one moment, exactly. */
export function momentWords(at, zone) {
  const options = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return format(zone, options).format(at * 1000);
}

function format(zone, options) {
  const key = `${zone} ${JSON.stringify(options)}`;
  if (!made.has(key)) {
    made.set(key, formatter(zone, options));
  }
  return made.get(key);
}

function formatter(zone, options) {
  const language = document.documentElement.lang || undefined;
  const all = { ...options, hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat(language, { ...all, timeZone: zone });
  } catch {
    // A zone without a name that browsers know, such as "UTC+01:00".
    return new Intl.DateTimeFormat(language, all);
  }
}
