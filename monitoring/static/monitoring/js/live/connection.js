// One WebSocket to the server, kept open: see docs/live.md. It knows nothing of the page.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** The server says something at least each 15 s. */
const SILENCE_MS = 40_000;
const TOO_MANY_MS = 60_000;

const BAD_MESSAGE = 4400;
const SIGNED_OUT = 4401;
const NO_PERMISSION = 4403;
const TOO_MANY = 4429;
/** What another attempt would not change. */
const FINAL = new Set([BAD_MESSAGE, SIGNED_OUT, NO_PERMISSION]);

export class Connection {
  #address;
  #listener;
  #socket = null;
  #failures = 0;
  #retry = null;
  #silence = null;

  /**
   * `address` gives the URL anew for each attempt, since it holds the cursor. `listener` gets `opened()`,
   * `received(message)`, `waiting(untilMs)` and `ended(code)`; the last says that there will be no further attempt.
   */
  constructor(address, listener) {
    this.#address = address;
    this.#listener = listener;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    this.close();
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    // A handler of a socket that has been given up meanwhile must not touch its successor.
    const current = (handle) => (event) => this.#socket === socket && handle(event);
    socket.onopen = current(() => {
      this.#heard();
      this.#listener.opened();
    });
    socket.onmessage = current((event) => {
      this.#heard();
      this.#failures = 0;
      this.#listener.received(JSON.parse(event.data));
    });
    socket.onclose = current((event) => this.#lost(event.code));
    this.#heard();
  }

  /** Close and do not come back, until `open()`. */
  close() {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** False where there is no connection. */
  send(message) {
    if (!this.isOpen) {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const socket = this.#socket;
      this.#socket = null;
      socket?.close();
      this.#lost(1006);
    }, SILENCE_MS);
  }

  #lost(code) {
    clearTimeout(this.#silence);
    this.#socket = null;
    if (FINAL.has(code)) {
      this.#listener.ended(code);
      return;
    }
    // Spread over a fifth, so that all the pages of a restarted server do not come back at the same moment.
    const wait = code === TOO_MANY ? TOO_MANY_MS : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    const spread = wait * (1 + Math.random() / 5);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.open(), spread);
    this.#listener.waiting(Date.now() + spread);
  }
}

export const CODES = { BAD_MESSAGE, SIGNED_OUT, NO_PERMISSION };
