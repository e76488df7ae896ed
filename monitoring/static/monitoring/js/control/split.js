// JSON is split as text: a value that went through JSON.parse comes back as another one (12345678901234567890, 1.0).

/** Strings as a whole, so that no mark inside one counts. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]/g;

/** Whether `text` is JSON. */
export function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The values of the list or object that `text` is, as [{start, end, name}], where text.slice(start, end) is the value;
 * `name` is null in a list. Null where it is neither, or no JSON. Linear in the length.
 */
export function split(text) {
  if (!/^\s*[[{]/.test(text) || !isJSON(text)) {
    return null;
  }
  const found = [];
  let depth = 0;
  let start = 0;
  let name = null;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const opens = token === "[" || token === "{";
    const closes = token === "]" || token === "}";
    if (depth === 1 && token === ":") {
      name = JSON.parse(text.slice(start, index));
      start = index + 1;
    } else if (depth === 1 && (closes || token === ",")) {
      const value = text.slice(start, index);
      const end = start + value.trimEnd().length;
      // Only a list or an object without anything in it has nothing before its end.
      if (value.trim()) {
        found.push({ start: end - value.trim().length, end, name });
      }
      start = index + 1;
    } else if (depth === 0 && opens) {
      start = index + 1;
    }
    depth += Number(opens) - Number(closes);
  }
  return found;
}
