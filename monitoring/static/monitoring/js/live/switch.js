// The switch "Live": whether a page follows what happens. It is remembered for each kind of page.

/** `changed(live)` is called when the reader turns it; answers whether it is on. */
export function liveSwitch(name, changed) {
  const box = document.getElementById("mon-live-switch");
  const key = `monitoring.live.${name}`;
  if (!box) {
    return true;
  }
  box.checked = remembered(key) !== "off";
  box.addEventListener("change", () => {
    remember(key, box.checked ? "on" : "off");
    changed(box.checked);
  });
  return box.checked;
}

// A browser may refuse its storage altogether.

function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The setting then lasts as long as the page.
  }
}
