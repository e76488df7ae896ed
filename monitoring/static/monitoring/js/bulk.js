// Moves a bulk run on while its page is open, and shows how far it is. Without scripts its button does.

const panel = document.querySelector("[data-bulk]");
const form = panel?.querySelector("[data-bulk-form]");
const words = panel?.querySelector("[data-bulk-words]");
const bar = panel?.querySelector("[data-bulk-bar]");

// Between two tries when another page has the run, or the server does not answer.
const PAUSE = 1000;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

async function goOn() {
  let handled = -1;
  for (;;) {
    let answer = null;
    try {
      answer = await fetch(panel.dataset.bulk, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
        redirect: "manual",
      });
    } catch {
      await pause();
      continue;
    }
    if (answer.status >= 500) {
      await pause();
      continue;
    }
    const run = answer.ok ? await answer.json() : null;
    if (run?.state !== "running") {
      // Its result, why it may not go on, or the login.
      window.location.reload();
      return;
    }
    words.textContent = run.words;
    if (run.part !== null) {
      bar?.setAttribute("width", String(Math.floor(run.part * 100)));
    }
    const now = run.done + run.left_out + run.failed;
    if (now === handled) {
      await pause();
    }
    handled = now;
  }
}

if (panel && form) {
  form.hidden = true;
  goOn();
}
