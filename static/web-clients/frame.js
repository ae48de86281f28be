// A frame of the page "Try it" that runs a vendor's web SDK. It is sandboxed: it has an origin of its
// own, so the SDK can neither read the console nor act as its member. It talks to the page by messages.
//
// The vendor's script defines `openClient(settings, tell)`, which returns { send, block, close }:
//   settings  sdk (its address), appKey, appName, token, userId, gateway (http or https), api
//   tell      ("connected"), ("message", { from, to, body }), ("closed", { code, reason, final })
//   send(to, text) and block(verb, userId) reject with { error, message } if they are refused
"use strict";

// A sandboxed frame has no storage, and SDKs do not expect that. It lasts as long as the frame.
for (const name of ["localStorage", "sessionStorage"]) {
  const items = new Map();
  const storage = {
    get length() { return items.size; },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(String(key)) ?? null,
    setItem: (key, value) => void items.set(String(key), String(value)),
    removeItem: (key) => void items.delete(String(key)),
    clear: () => items.clear(),
  };
  Object.defineProperty(window, name, { value: storage });
}

Object.defineProperty(window, "indexedDB", { value: undefined });

const tellPage = (message) => parent.postMessage(message, "*");
let client = null;

window.addEventListener("message", async ({ data, source }) => {
  if (source !== parent) return;
  const { id, method, args } = data;
  try {
    if (method === "open") {
      client = await openClient(args[0], (event, detail = {}) => tellPage({ event, detail }));
      tellPage({ id, ok: true });
    } else tellPage({ id, ok: true, value: (await client[method](...args)) ?? null });
  } catch (error) {
    tellPage({ id, ok: false, error: String(error?.error ?? "failed"), message: String(error?.message ?? error) });
  }
});
window.addEventListener("load", () => tellPage({ event: "ready", detail: {} }));
