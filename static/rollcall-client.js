/**
 * A client of Rollcall's gateway, for browsers, Node 22 and the like; docs/gateway.md is the protocol.
 *
 *   const client = new RollcallClient({
 *     url: "wss://chat.example.com/gateway",
 *     appKey: "…",
 *     token: async () => (await fetch("/my-app-server/token")).text(), // or a text
 *     device: "phone-1", platform: "web", // by which people tell connections apart
 *     after: 4711, // message_id of the last message that this device has kept
 *   });
 *   client.addEventListener("message", ({ detail }) => show(detail.from, detail.body));
 *   client.addEventListener("closed", ({ detail }) => detail.final && explain(detail));
 *   client.connect();
 *   await client.send("ben", "Hello");
 *   await client.call("blocklist.add", { user_ids: ["mallory"] });
 *
 * Events, each with a `detail`:
 *   connected  user_id, connection
 *   message    message_id, from, body, sent_at; each once, oldest first. Acknowledged once the
 *              listeners have returned; keep `client.after` for the app's next start
 *   closed     code, reason, message, why (told by staff, or ""), until (a Date or null), final,
 *              retryIn (milliseconds)
 *
 * It comes back by itself after a growing, random pause; not where that helps nobody (`final`:
 * banned, kicked, a bad token, …): call `connect()` once something has changed. A function as
 * token is asked before each attempt. A call is a promise of the answer, or a `RollcallError`. What
 * was not answered is asked again on the next connection, for every call may safely come twice.
 */

// Times in milliseconds. A pause doubles with each failed attempt.
const PAUSE = 1_000, LONGEST_PAUSE = 60_000, AFTER_TOO_MANY = 30_000;
const SPACING = 55, BURST = 2_000; // between two calls, after so many as fit into BURST
const GATHER = 50, MOST_ACKNOWLEDGED = 100; // acknowledgements wait to go together
const EXPIRED = 4002, TOO_MANY_ATTEMPTS = 4022;
// A token is needed; shut out, signed out or kicked; a mistake in the app.
const FINAL = new Set([4001, EXPIRED, 4003, 4004, 4010, 4011, 4012, 4013, 4020, 4021, 4030, 4031]);

/** The gateway's no. `error` is the word for programs, `message` the sentence for people. */
export class RollcallError extends Error {
  constructor(error, message) {
    super(message || error);
    this.name = "RollcallError";
    this.error = error;
  }
}

export class RollcallClient extends EventTarget {
  #options;
  #state = "away"; // or "coming", from the wish for a token to the "connected" event, or "here"
  #wanted = false;
  #socket = null;
  #failures = 0;
  #retry = null;
  #farewell = {}; // what the gateway said before it closed
  #lastId = 0;
  #due = 0; // when the latest call was, or is to be, written
  #calls = new Map(); // id → { frame, resolve, reject }
  #read = [];
  #acknowledging = null;

  constructor({ url, appKey, token, device = "", platform = "", after = 0 }) {
    super();
    this.#options = { url, appKey, token, device, platform };
    this.after = after;
  }

  get connected() {
    return this.#state === "here";
  }

  /** Connect, and stay so. Without effect where that is under way. */
  connect() {
    this.#wanted = true;
    clearTimeout(this.#retry);
    if (this.#state === "away") this.#come();
  }

  /** Disconnect, and stay so. Calls that are not answered yet are rejected. */
  close() {
    this.#wanted = false;
    clearTimeout(this.#retry);
    if (this.#socket) this.#socket.close(1000);
    else if (this.#state === "away") this.#rejectAll(new RollcallError("closed"));
  }

  /** Send a direct message; the answer has `message_id` and `sent_at`. */
  send(to, body, { clientId = randomId() } = {}) {
    return this.call("message.send", { to, body, client_id: clientId });
  }

  /** Any call of the protocol; a promise of the answer's fields. */
  call(name, fields = {}) {
    return new Promise((resolve, reject) => {
      const frame = { ...fields, call: name, id: ++this.#lastId };
      this.#calls.set(frame.id, { frame, resolve, reject });
      if (this.connected) this.#ask(frame);
    });
  }

  async #come() {
    this.#state = "coming";
    const { url, appKey, token, device, platform } = this.#options;
    let text;
    try {
      text = typeof token === "function" ? await token() : token;
    } catch (error) {
      return this.#gone(0, "no_token", error.message);
    }
    const socket = (this.#socket = new WebSocket(url));
    const first = { app_key: appKey, token: text, device, platform, after: this.after };
    socket.onopen = () => (this.#wanted ? socket.send(JSON.stringify(first)) : socket.close(1000));
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#gone(code, reason);
  }

  /** Write a call, in its turn: the gateway counts frames. */
  #ask(frame) {
    const [socket, now] = [this.#socket, Date.now()];
    this.#due = Math.max(this.#due + SPACING, now - BURST);
    setTimeout(() => {
      // A socket that is closing takes nothing more; its successor asks again.
      const open = socket === this.#socket && socket.readyState === WebSocket.OPEN;
      if (open && this.#calls.has(frame.id)) socket.send(JSON.stringify(frame));
    }, this.#due - now);
  }

  #hear(frame) {
    if (frame.event === "closing") this.#farewell = frame;
    else if (frame.event === "message") this.#take(frame);
    else if (frame.event === "connected") {
      this.#state = "here";
      this.#failures = 0;
      for (const call of this.#calls.values()) this.#ask(call.frame);
      this.#tell("connected", frame);
    } else this.#settle(frame);
  }

  #take(message) {
    if (message.message_id > this.after) {
      this.#tell("message", message);
      this.after = message.message_id;
    }
    this.#read.push(message.message_id);
    this.#acknowledging ??= setTimeout(() => this.#acknowledge(), GATHER);
  }

  #acknowledge() {
    this.#acknowledging = null;
    while (this.connected && this.#read.length) {
      const ids = this.#read.splice(0, MOST_ACKNOWLEDGED);
      this.call("message.acknowledge", { message_ids: ids }).catch(() => {});
    }
    this.#read = []; // where the connection broke, `after` says it on the next one
  }

  #settle({ id, ok, error, message, ...fields }) {
    const call = this.#calls.get(id);
    if (!call || error === "closing") return; // asked again on the next connection
    if (error === "unavailable" || error === "too_fast") {
      setTimeout(() => this.connected && this.#ask(call.frame), PAUSE);
      return;
    }
    this.#calls.delete(id);
    if (ok) call.resolve(fields);
    else call.reject(new RollcallError(error, message));
  }

  #gone(code, word, explanation = "") {
    const { reason = word || "lost", message = explanation, why = "", until } = this.#farewell;
    const renewable = code === EXPIRED && typeof this.#options.token === "function";
    const final = !this.#wanted || (FINAL.has(code) && !renewable);
    const detail = { code, reason, message, why, until: until ? new Date(until) : null, final };
    this.#state = "away";
    this.#socket = null;
    this.#farewell = {};
    if (final) {
      this.#wanted = false;
      this.#rejectAll(new RollcallError(reason, message));
    } else {
      const least = code === TOO_MANY_ATTEMPTS ? AFTER_TOO_MANY : 0;
      const most = Math.min(LONGEST_PAUSE, PAUSE * 2 ** this.#failures++);
      detail.retryIn = Math.round(least + Math.random() * most);
      this.#retry = setTimeout(() => this.connect(), detail.retryIn);
    }
    this.#tell("closed", detail);
  }

  #rejectAll(error) {
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** `crypto.randomUUID` is for https alone. */
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join("");
}
