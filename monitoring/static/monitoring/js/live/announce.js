// What a screen reader says, politely and not too often: the newest of what has come up meanwhile.

const PAUSE_MS = 1500;
const region = document.getElementById("mon-announcements");
let timer = null;

export function announce(text) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (region) {
      region.textContent = text;
    }
  }, PAUSE_MS);
}
