// A vendor's web SDK in a sandboxed frame, with the methods and events of RollcallClient.
import { RollcallError } from "./rollcall-client.js";

export class FramedClient extends EventTarget {
  #frame = document.createElement("iframe");
  #settings;
  #calls = new Map(); // id → { resolve, reject }
  #lastId = 0;
  #listener = (event) => event.source === this.#frame.contentWindow && this.#receive(event.data);
  connected = false;

  /** `url` is the frame's page. */
  constructor({ url, ...settings }) {
    super();
    this.#settings = settings;
    this.#frame.sandbox = "allow-scripts";
    this.#frame.src = url;
    this.#frame.hidden = true;
  }

  connect() {
    window.addEventListener("message", this.#listener);
    document.body.append(this.#frame);
  }

  close() {
    this.#call("close").catch(() => {});
    this.#closed({ code: 1000, reason: "closed", final: true });
  }

  send(to, text) {
    return this.#call("send", to, text);
  }

  call(name, { user_ids: [userId] }) {
    return this.#call("block", name.replace("blocklist.", ""), userId);
  }

  #call(method, ...args) {
    return new Promise((resolve, reject) => {
      this.#calls.set(++this.#lastId, { resolve, reject });
      this.#frame.contentWindow?.postMessage({ id: this.#lastId, method, args }, "*");
    });
  }

  #receive({ event, detail, id, ok, value, error, message }) {
    if (event === "ready") {
      this.#call("open", this.#settings).catch((failure) =>
        this.#closed({ code: 0, reason: "no_sdk", message: failure.message, final: true }));
    } else if (event === "connected") {
      this.connected = true;
      this.#emit("connected", {});
    } else if (event === "message") {
      this.#emit("message", { ...detail, sent_at: new Date(detail.sentAt) });
    } else if (event === "closed") this.#closed(detail);
    else if (this.#calls.has(id)) {
      const { resolve, reject } = this.#calls.get(id);
      this.#calls.delete(id);
      if (ok) resolve(value);
      else reject(new RollcallError(error, message));
    }
  }

  #closed({ code, reason, message = "", final }) {
    this.connected = false;
    if (final) {
      window.removeEventListener("message", this.#listener);
      // The SDK may still have something to say to the gateway.
      setTimeout(() => this.#frame.remove(), 500);
    }
    this.#emit("closed", { code, reason, message, why: "", until: null, final, retryIn: 1_000 });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
