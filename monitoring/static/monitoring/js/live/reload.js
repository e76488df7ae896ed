// A page that had nothing to show takes its first rows by loading anew, once, and not under a typing reader.

let waiting = false;

export function reloadWhenIdle() {
  if (waiting) {
    return;
  }
  waiting = true;
  const attempt = () => {
    if (document.activeElement?.matches("input, select, textarea")) {
      setTimeout(attempt, 1000);
    } else {
      location.reload();
    }
  };
  attempt();
}
