/**
 * A client for Rollcall's gateway, for browsers and Node 22 or later. Protocol: docs/gateway.md.
 *
 *   const client = new RollcallClient({
 *     url: "wss://chat.example.com/gateway",
 *     appKey: "…",
 *     token: async () => (await fetch("/my-app-server/token")).text(), // or a string
 *     device: "phone-1", platform: "web", // shown to staff
 *     after: 4711, // message_id of the last message that this device has stored
 *   });
 *   client.addEventListener("message", ({ detail }) => show(detail.from, detail.to, detail.body));
 *   client.addEventListener("closed", ({ detail }) => detail.final && explain(detail));
 *   client.connect();
 *   await client.send("ben", "Hello");
 *   await client.call("blocklist.add", { user_ids: ["mallory"] });
 *
 * Events, each with a `detail`:
 *   connected  user_id, connection
 *   message    message_id, from, to, body, extra (or not), sent_at; each once, oldest first. What the
 *              user writes on another device comes too, with `from` the user. The client acknowledges
 *              a message after the listeners return; store `client.after` for the app's next start
 *   closed     code, reason, message, why (the reason that staff gave, or ""), until (a Date or
 *              null), final, retryIn (milliseconds)
 *
 * The client reconnects by itself after a random pause, which grows with each failed attempt. It
 * does not where that is useless (`final`: banned, kicked, an invalid token, …): call `connect()`
 * when something has changed. If `token` is a function, it is called before each attempt. A call
 * returns a promise, which resolves to the answer or rejects with a `RollcallError`. Calls without
 * an answer are repeated on the next connection: all calls are idempotent.
 */

// Times in milliseconds. The pause doubles with each failed attempt.
const PAUSE = 1_000, LONGEST_PAUSE = 60_000, AFTER_TOO_MANY = 30_000;
const SPACING = 55, BURST = 2_000; // between two calls, after as many as fit into BURST
const GATHER = 50, MOST_ACKNOWLEDGED = 100; // to acknowledge several messages at once
const EXPIRED = 4002, TOO_MANY_ATTEMPTS = 4022;
// The client needs a token; the user is banned, deactivated, deleted, signed out or kicked, or has
// too many connections; or the app has an error.
const FINAL = new Set([4001, EXPIRED, 4003, 4004, 4010, 4011, 4012, 4013, 4020, 4021, 4030, 4031]);

/** The gateway refused a call. `error` is the error code, `message` is for people. */
export class RollcallError extends Error {
  constructor(error, message) {
    super(message || error);
    this.name = "RollcallError";
    this.error = error;
  }
}

export class RollcallClient extends EventTarget {
  #options;
  #state = "closed"; // or "connecting", from the request for a token on, or "connected"
  #shouldConnect = false;
  #socket = null;
  #failures = 0;
  #retry = null;
  #closing = {}; // the gateway's "closing" event
  #lastId = 0;
  #nextSendAt = 0; // when the latest call was or will be sent
  #calls = new Map(); // id → { frame, resolve, reject }
  #unacknowledged = [];
  #acknowledging = null;

  constructor({ url, appKey, token, device = "", platform = "", after = 0 }) {
    super();
    this.#options = { url, appKey, token, device, platform };
    this.after = after;
  }

  get connected() {
    return this.#state === "connected";
  }

  /** Connect, and reconnect when the connection breaks. No effect while not closed. */
  connect() {
    this.#shouldConnect = true;
    clearTimeout(this.#retry);
    if (this.#state === "closed") this.#open();
  }

  /** Disconnect. Calls without an answer are rejected. */
  close() {
    this.#shouldConnect = false;
    clearTimeout(this.#retry);
    if (this.#socket) this.#socket.close(1000);
    else if (this.#state === "closed") this.#rejectAll(new RollcallError("closed"));
  }

  /** Send a direct message; `extra` is an object of the app's. The answer has `message_id` and `sent_at`. */
  send(to, body, { clientId = randomId(), extra } = {}) {
    return this.call("message.send", { to, body, extra, client_id: clientId });
  }

  /** Make any call of the protocol. Returns a promise of the answer's fields. */
  call(name, fields = {}) {
    return new Promise((resolve, reject) => {
      const frame = { ...fields, call: name, id: ++this.#lastId };
      this.#calls.set(frame.id, { frame, resolve, reject });
      if (this.connected) this.#sendCall(frame);
    });
  }

  async #open() {
    this.#state = "connecting";
    const { url, appKey, token, device, platform } = this.#options;
    let text;
    try {
      text = typeof token === "function" ? await token() : token;
    } catch (error) {
      return this.#closed(0, "no_token", error.message);
    }
    const socket = (this.#socket = new WebSocket(url));
    const first = { app_key: appKey, token: text, device, platform, after: this.after };
    socket.onopen = () =>
      this.#shouldConnect ? socket.send(JSON.stringify(first)) : socket.close(1000);
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  /** Send a call, at a limited rate: the gateway limits frames per second. */
  #sendCall(frame) {
    const [socket, now] = [this.#socket, Date.now()];
    this.#nextSendAt = Math.max(this.#nextSendAt + SPACING, now - BURST);
    setTimeout(() => {
      // A closing socket sends nothing; the call is repeated on the next connection.
      const open = socket === this.#socket && socket.readyState === WebSocket.OPEN;
      if (open && this.#calls.has(frame.id)) socket.send(JSON.stringify(frame));
    }, this.#nextSendAt - now);
  }

  #receive(frame) {
    if (frame.event === "closing") this.#closing = frame;
    else if (frame.event === "message") this.#receiveMessage(frame);
    else if (frame.event === "connected") {
      this.#state = "connected";
      this.#failures = 0;
      for (const call of this.#calls.values()) this.#sendCall(call.frame);
      this.#emit("connected", frame);
    } else this.#settle(frame);
  }

  #receiveMessage(message) {
    if (message.message_id > this.after) {
      this.#emit("message", message);
      this.after = message.message_id;
    }
    this.#unacknowledged.push(message.message_id);
    this.#acknowledging ??= setTimeout(() => this.#acknowledge(), GATHER);
  }

  #acknowledge() {
    this.#acknowledging = null;
    while (this.connected && this.#unacknowledged.length) {
      const ids = this.#unacknowledged.splice(0, MOST_ACKNOWLEDGED);
      this.call("message.acknowledge", { message_ids: ids }).catch(() => {});
    }
    this.#unacknowledged = []; // if the connection broke, `after` acknowledges them on the next one
  }

  #settle({ id, ok, error, message, ...fields }) {
    const call = this.#calls.get(id);
    if (!call || error === "closing") return; // repeated on the next connection
    if (error === "unavailable" || error === "too_fast") {
      setTimeout(() => this.connected && this.#sendCall(call.frame), PAUSE);
      return;
    }
    this.#calls.delete(id);
    if (ok) call.resolve(fields);
    else call.reject(new RollcallError(error, message));
  }

  #closed(code, word, explanation = "") {
    const { reason = word || "lost", message = explanation, why = "", until } = this.#closing;
    const renewable = code === EXPIRED && typeof this.#options.token === "function";
    const final = !this.#shouldConnect || (FINAL.has(code) && !renewable);
    const detail = { code, reason, message, why, until: until ? new Date(until) : null, final };
    this.#state = "closed";
    this.#socket = null;
    this.#closing = {};
    if (final) {
      this.#shouldConnect = false;
      this.#rejectAll(new RollcallError(reason, message));
    } else {
      const minimum = code === TOO_MANY_ATTEMPTS ? AFTER_TOO_MANY : 0;
      const spread = Math.min(LONGEST_PAUSE, PAUSE * 2 ** this.#failures++);
      detail.retryIn = Math.round(minimum + Math.random() * spread);
      this.#retry = setTimeout(() => this.connect(), detail.retryIn);
    }
    this.#emit("closed", detail);
  }

  #rejectAll(error) {
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Not `crypto.randomUUID`, which is available on HTTPS only. */
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join("");
}
