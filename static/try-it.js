// The page "Try it": two clients, each in its pane. The log of a pane shows what its client receives.
import { FramedClient } from "./framed-client.js";
import { RollcallClient } from "./rollcall-client.js";

const EXACT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" });
const MAX_LINES = 200; // kept in the log of a pane
const page = document.getElementById("try-it");

function changed() {
  document.body.dispatchEvent(new CustomEvent("try-it-changed"));
}

function refusalText({ error, message }) {
  return filled(gettext("Refused by the rule “{error}”. {message}"), { error, message });
}

async function askForToken(userId) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const response = await fetch(page.dataset.token, {
    method: "POST",
    headers,
    body: new URLSearchParams({ user_id: userId }),
  });
  const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
  if (!isJson) throw new Error(gettext("No token was issued. Reload the page: the session may have ended."));
  const issued = await response.json();
  if (!response.ok) throw new Error(issued.error);
  return issued;
}

class Pane {
  constructor(element) {
    const find = (selector) => element.querySelector(selector);
    this.element = element;
    this.client = null;
    this.input = find("[data-user-form] input");
    this.error = find("[data-error]");
    this.connectButton = find("[data-connect]");
    this.disconnectButton = find("[data-disconnect]");
    this.state = find("[data-state]");
    this.talk = find("[data-talk]");
    this.message = find("[data-message-form] input");
    this.choice = find("[data-client-choice] select");
    this.sdk = find("[data-sdk] input");
    this.choice?.addEventListener("change", () => this.showSdk());
    this.sendButton = find("[data-message-form] button");
    find("[data-user-form]").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.connectButton && !this.client) this.connect();
    });
    find("[data-message-form]").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.input.addEventListener("change", changed);
    this.disconnectButton.addEventListener("click", () => this.client?.close());
  }

  get userId() {
    return this.input.value.trim();
  }

  async connect() {
    this.showError("");
    this.connectButton.disabled = true;
    try {
      const { token, created } = await askForToken(this.userId);
      if (created) this.note(filled(gettext("{user} is now registered"), { user: this.userId }));
      this.open(token);
    } catch (error) {
      this.showError(error.message);
    }
    this.connectButton.disabled = false;
  }

  open(token) {
    const client = this.choice?.value ? this.framedClient(token) : this.ownClient(token);
    this.client = client;
    client.addEventListener("connected", () => {
      this.note(gettext("Connected"), "success");
      this.showState(gettext("Connected"), "success");
    });
    client.addEventListener("message", ({ detail }) => {
      const isOwn = detail.from === this.userId && detail.to !== this.userId;
      this.line({
        kind: isOwn ? "sent" : "received",
        who: isOwn ? filled(gettext("to {user}, from another device"), { user: detail.to }) : detail.from,
        text: detail.body,
        at: new Date(detail.sent_at),
      });
    });
    client.addEventListener("closed", ({ detail }) => this.closed(detail));
    this.showState(gettext("Connecting…"));
    client.connect();
  }

  ownClient(token) {
    const { gateway, appKey } = page.dataset;
    const device = `try-it-${this.element.dataset.pane}`;
    return new RollcallClient({ url: gateway, appKey, token, device, platform: "console" });
  }

  /** A vendor's web SDK. It is told where the gateway is without the path of Rollcall's protocol. */
  framedClient(token) {
    const { gateway, appKey, appName, client } = page.dataset;
    const sdk = this.sdk.value.trim();
    return new FramedClient({
      url: `${client}?${new URLSearchParams({ client: this.choice.value, sdk })}`,
      sdk,
      appKey,
      appName,
      token,
      userId: this.userId,
      gateway: new URL(gateway).origin.replace("ws", "http"),
      api: location.origin,
    });
  }

  /** The SDK's address is asked for where the client is a vendor's. */
  showSdk() {
    const chosen = this.choice.selectedOptions[0];
    this.element.querySelector("[data-sdk]").hidden = !chosen.value;
    this.sdk.value = chosen.dataset.sample ?? "";
  }

  closed({ code, reason, message, why, until, final, retryIn }) {
    if (final) this.client = null;
    const words = reason.replaceAll("_", " ");
    if (code === 1000) {
      this.note(gettext("Disconnected"));
      this.showState(gettext("Not connected"));
      return;
    }
    const parts = [filled(gettext("Closed: {reason}"), { reason: words }) + (code ? ` (${code})` : "")];
    if (until) parts.push(filled(gettext("until {moment}"), { moment: EXACT.format(until) }));
    if (message) parts.push(message);
    if (why) parts.push(filled(gettext("Reason: {why}"), { why }));
    if (!final) parts.push(filled(gettext("Reconnects in {count} s"), { count: Math.max(1, Math.round(retryIn / 1000)) }));
    this.note(parts.map((part) => part.replace(/\.$/, "")).join(". "), "error");
    this.showState(final ? filled(gettext("Closed: {reason}"), { reason: words }) : gettext("Reconnecting…"), final ? "error" : "warning");
  }

  async send() {
    const text = this.message.value;
    if (!text || !this.client) return;
    const other = panes.find((pane) => pane !== this).userId;
    this.message.value = "";
    const line = this.line({ kind: "sent", who: filled(gettext("to {user}"), { user: other }), text, at: new Date() });
    const outcome = document.createElement("span");
    outcome.className = "muted";
    outcome.textContent = gettext("sending…");
    line.append(outcome);
    try {
      await this.client.send(other, text);
      outcome.textContent = gettext("stored");
    } catch (error) {
      line.classList.add("refused");
      outcome.className = "";
      outcome.textContent = refusalText(error);
      changed();
    }
    this.scroll();
  }

  async block(button) {
    const other = panes.find((pane) => pane !== this).userId;
    const { block: verb } = button.dataset;
    button.disabled = true;
    try {
      await this.client.call(`blocklist.${verb}`, { user_ids: [other] });
      this.note(filled(verb === "add" ? gettext("{user} is blocked") : gettext("{user} is no longer blocked"), { user: other }));
    } catch (error) {
      this.note(refusalText(error), "error");
    }
    changed();
  }

  // --- Rendering ---

  showState(words, tone = "") {
    this.state.textContent = words;
    this.state.className = `pill ${tone}`;
    this.enable();
    changed();
  }

  /** Enable the controls by the state of the client. The server renders those in .standing again. */
  enable() {
    const connected = Boolean(this.client?.connected);
    this.input.readOnly = Boolean(this.client);
    if (this.choice) this.choice.disabled = this.sdk.readOnly = Boolean(this.client);
    if (this.connectButton) this.connectButton.hidden = Boolean(this.client);
    this.disconnectButton.hidden = !this.client;
    this.message.disabled = this.sendButton.disabled = !connected;
    this.message.placeholder = connected ? gettext("Write a message") : gettext("Connect to write");
    const block = this.element.querySelector("[data-block]");
    if (block) block.disabled = !connected;
  }

  showError(words) {
    this.error.textContent = words;
    this.error.hidden = !words;
    this.input.setAttribute("aria-invalid", String(Boolean(words)));
    if (words) this.input.focus();
  }

  note(words, tone = "") {
    this.line({ kind: `note ${tone}`, text: words, at: new Date() });
  }

  line({ kind, who = "", text, at }) {
    const line = document.createElement("div");
    line.className = `talk-line ${kind}`;
    const head = document.createElement("span");
    head.className = "muted";
    head.textContent = who ? `${who}, ${CLOCK.format(at)}` : CLOCK.format(at);
    const words = document.createElement("span");
    words.className = "talk-words";
    words.textContent = text;
    line.append(head, words);
    this.talk.append(line);
    while (this.talk.children.length > MAX_LINES) this.talk.firstElementChild.remove();
    this.scroll();
    return line;
  }

  scroll() {
    this.talk.scrollTop = this.talk.scrollHeight;
  }
}

const panes = [...page.querySelectorAll("[data-pane]")].map((element) => new Pane(element));

page.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-block]");
  if (button) panes.find((pane) => pane.element.contains(button)).block(button);
});
document.addEventListener("htmx:afterSettle", () => panes.forEach((pane) => pane.enable()));
document.body.addEventListener("try-it-changed", () => {
  const query = new URLSearchParams(panes.map(({ input }) => [input.name, input.value.trim()]));
  history.replaceState(history.state, "", `?${query}`);
});
