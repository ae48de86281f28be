// The console's JavaScript. It has no build step and no dependency except htmx. Listeners are on the
// document, so they also work for content that htmx swaps in. Forms and links work without this file.
"use strict";

const find = (selector, root = document) => root.querySelector(selector);
const findAll = (selector, root = document) => root.querySelectorAll(selector);

// --- Language: a page that is not in English has the translations of these texts ----------------
const WORDS = JSON.parse(find("#words")?.textContent ?? "{}");
const LOCALE = document.documentElement.lang.replace(/^en$/, "en-GB");
const gettext = (text) => WORDS[text] ?? text;
const ngettext = (one, many, count) => WORDS[one]?.[count === 1 ? 0 : WORDS[one].length - 1] ?? (count === 1 ? one : many);
const filled = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);

// --- Times: the same words as console/templatetags/words.py -------------------------------------
const UNITS = [
  [86400, (count) => ngettext("{count} day", "{count} days", count)],
  [3600, () => gettext("{count} h")],
  [60, () => gettext("{count} min")],
  [1, () => gettext("{count} s")],
];

function duration(seconds, parts = 2) {
  let rest = Math.max(0, Math.floor(seconds));
  const words = [];
  for (const [size, text] of UNITS) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count) words.push(filled(text(count), { count }));
    if (words.length && (words.length === parts || !count || (size === 86400 && count >= 10))) break;
  }
  return words.join(" ") || filled(gettext("{count} s"), { count: 0 });
}

const DATE = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone; // such as Europe/Lisbon
const EXACT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });
// Browsers abbreviate September to four letters, the server to three.
const formatted = (format, moment) => format.format(moment).replace("Sept", "Sep");

function relative(moment, now) {
  const distance = (moment - now) / 1000;
  const away = Math.abs(distance);
  if (away < 10) return gettext("just now");
  if (away >= 30 * 86400) return formatted(DATE, moment);
  return filled(distance > 0 ? gettext("in {duration}") : gettext("{duration} ago"), { duration: duration(away, 1) });
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function updateTimes() {
  const now = Date.now();
  for (const time of findAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!time.dataset.utc) {
      time.dataset.utc = time.title;
      const local = formatted(EXACT, moment);
      if ("exact" in time.dataset) setText(time, local);
      else time.title = `${local} (${time.title})`;
    }
    if ("relative" in time.dataset) setText(time, relative(moment, now));
    if ("countdown" in time.dataset) {
      const left = (moment - now) / 1000;
      setText(time, left > 0 ? duration(left) : time.dataset.over);
      // While its part of the page stays as it is, a countdown announces its end again, each time
      // after twice as long: the first event is lost while the page loads, when htmx does not listen
      // yet, and the request that it causes can fail.
      if (left <= 0 && now >= (time.dataset.announceAt ?? 0)) {
        const wait = time.dataset.wait ?? 2000;
        time.dataset.announceAt = now + Number(wait);
        time.dataset.wait = wait * 2;
        time.dispatchEvent(new CustomEvent("countdown-over", { bubbles: true }));
      }
    }
  }
}

// --- Toasts -------------------------------------------------------------------------------------
function textButton(label, click) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", click);
  return button;
}

// From a view: HX-Trigger: {"toast": {"message": "Ban lifted", "tone": "", "undo": "/url/to/post/to"}}
function toast({ message, tone = "", undo = "", receipt = "" }) {
  const element = document.createElement("div");
  element.className = `toast ${tone}`;
  if (tone === "error") element.role = "alert";
  const words = document.createElement("span");
  words.textContent = message;
  element.append(words);
  if (undo) {
    element.append(textButton(gettext("Undo"), () => {
      element.remove();
      htmx.ajax("POST", undo, { source: document.body, swap: "none" });
    }));
  }
  if (receipt) {
    const link = document.createElement("a");
    link.href = receipt;
    link.textContent = gettext("Receipt");
    element.append(link);
  }
  const close = textButton("×", () => element.remove());
  close.setAttribute("aria-label", gettext("Dismiss"));
  element.append(close);

  // A modal dialog makes everything outside it inert, so its toasts are inside it.
  const dialog = find("#dialog");
  (dialog.open ? dialog : find("#toasts")).append(element);

  if (tone === "error") return;
  let timer;
  const removeLater = () => { timer = setTimeout(() => element.remove(), undo ? 20000 : 6000); };
  const stay = () => clearTimeout(timer);
  element.addEventListener("mouseenter", stay);
  element.addEventListener("focusin", stay);
  element.addEventListener("mouseleave", removeLater);
  element.addEventListener("focusout", removeLater);
  removeLater();
}

document.addEventListener("toast", (event) => toast(event.detail));

// --- Copying ------------------------------------------------------------------------------------
async function copy(button) {
  const text = button.dataset.copy || find("[data-copy-text]", button.closest("[data-copy-scope]")).textContent;
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else { // plain http: browsers allow the clipboard on https and localhost only
    const area = document.createElement("textarea");
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
  toast({ message: gettext("Copied") });
}

// --- Links to a fold open it -------------------------------------------------------------------
function openLinkedFold() {
  const fold = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (fold && fold.tagName === "DETAILS") {
    fold.open = true;
    fold.scrollIntoView();
  }
}

addEventListener("hashchange", openLinkedFold);
addEventListener("DOMContentLoaded", openLinkedFold);

// --- Theme --------------------------------------------------------------------------------------
function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

// --- Dialog: it opens when htmx puts a fragment into #dialog -------------------------------------
function closeDialog() {
  find("#dialog")?.close();
}

document.addEventListener("close-dialog", closeDialog);
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id !== "dialog" || target.open) return;
  target.showModal();
  // Focus the first field, but not on a touch screen, where the keyboard would hide the dialog.
  if (matchMedia("(hover: hover)").matches) find("input:not([type=hidden]), select, textarea", target)?.focus();
});
find("#dialog")?.addEventListener("close", (event) => {
  find("#toasts").append(...findAll(".toast", event.target));
  event.target.replaceChildren();
  layerClosed("dialog");
});

// --- Dialog and panel in the address, as #dialog=/path and #panel=/path: Back closes them, and a link
// --- opens them. A page of this console only, and only to read it.
const LAYERS = ["dialog", "panel"];
const layersInAddress = () => new URLSearchParams(location.hash.slice(1));
const pathAndQuery = () => location.pathname + location.search;
let pageAddress = pathAndQuery();

function setLayers(layers, change) {
  const hash = [...layers].map(([name, path]) => `${name}=${encodeURIComponent(path)}`).join("&");
  history[change]({}, "", pathAndQuery() + (hash && `#${hash}`));
}

function layerOpened(name, path) {
  const layers = layersInAddress();
  if (layers.get(name) === path) return;
  const change = layers.has(name) ? "replaceState" : "pushState";
  layers.set(name, path);
  setLayers(layers, change);
}

function layerClosed(name) {
  const layers = layersInAddress();
  if (!layers.has(name)) return;
  layers.delete(name);
  setLayers(layers, "replaceState");
}

function openLayers() {
  const layers = layersInAddress();
  for (const name of LAYERS) {
    const path = layers.get(name);
    if (path?.startsWith("/console/")) htmx.ajax("GET", path, { target: `#${name}`, swap: "innerHTML" });
    else if (name === "dialog") closeDialog();
    else closePanel();
  }
}

// htmx would load the page again for each step back, also for one that only closes a dialog.
addEventListener("popstate", (event) => {
  if (pathAndQuery() !== pageAddress) return;
  event.stopImmediatePropagation();
  openLayers();
});
for (const name of ["htmx:pushedIntoHistory", "htmx:replacedInHistory", "htmx:historyRestore"]) {
  document.addEventListener(name, () => { pageAddress = pathAndQuery(); });
}

// --- Panel: details beside the list. htmx puts a fragment into #panel ----------------------------
let panelOpener = null;

function closePanel() {
  const panel = find("#panel");
  if (!panel || panel.hidden) return;
  panel.hidden = true;
  panel.replaceChildren();
  layerClosed("panel");
  if (panelOpener?.isConnected) panelOpener.focus();
}

document.addEventListener("htmx:afterSwap", ({ detail: { target, requestConfig, pathInfo } }) => {
  if (!LAYERS.includes(target.id)) return;
  if (target.id === "panel") {
    if (target.hidden) panelOpener = document.activeElement;
    target.hidden = false;
    find("[data-panel-close]", target)?.focus();
  }
  if (requestConfig.verb === "get") layerOpened(target.id, pathInfo.finalRequestPath);
});

// --- Selecting rows -----------------------------------------------------------------------------
const SELECTED = {
  user: (count) => ngettext("{count} user selected", "{count} users selected", count),
  ban: (count) => ngettext("{count} ban selected", "{count} bans selected", count),
  mute: (count) => ngettext("{count} mute selected", "{count} mutes selected", count),
};

function countSelection(form) {
  const boxes = [...findAll("input[type=checkbox][data-select]", form)];
  const selected = boxes.filter((box) => box.checked).length;
  const bar = find("[data-selection-bar]", form);
  const all = find("[data-select-all]", form);
  if (bar) {
    bar.hidden = !selected;
    const count = find("[data-selection-count]", bar);
    setText(count, filled(SELECTED[count.dataset.noun](selected), { count: selected }));
  }
  if (all) {
    all.checked = selected > 0 && selected === boxes.length;
    all.indeterminate = selected > 0 && selected < boxes.length;
  }
}

// --- Typing the name to confirm. The server checks it too ---------------------------------------
function checkConfirmation(input) {
  const button = find(":is(.button.danger, .button.primary)", input.form);
  button.disabled = input.checkVisibility() && input.value.trim() !== input.dataset.confirm;
}

// --- Menus --------------------------------------------------------------------------------------
function closeMenus(except) {
  for (const menu of findAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}

// --- Listeners ----------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const target = event.target.closest("button, a");
  closeMenus(target ? null : event.target);
  if (!target) return;
  if ("copy" in target.dataset) copy(target);
  if ("themeToggle" in target.dataset) switchTheme();
  if ("panelClose" in target.dataset) {
    event.preventDefault();
    closePanel();
  }
  if ("dialogClose" in target.dataset && target.closest("dialog")) {
    event.preventDefault();
    closeDialog();
  }
});

document.addEventListener("focusin", (event) => closeMenus(event.target));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = find("details.menu[open]");
  if (menu) {
    menu.open = false;
    find("summary", menu).focus();
  } else if (!find("#dialog")?.open) {
    closePanel();
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-selection]");
  if (!form) return;
  if ("selectAll" in event.target.dataset) {
    for (const box of findAll("input[type=checkbox][data-select]", form)) box.checked = event.target.checked;
  }
  countSelection(form);
});

// A file that the server would refuse for its size is refused before it is sent.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.mostBytes) return;
  const isTooLarge = target.files[0]?.size > Number(target.dataset.mostBytes);
  target.setCustomValidity(isTooLarge ? target.dataset.tooLarge : "");
  target.reportValidity();
});

document.addEventListener("input", (event) => {
  // Any change in the form may show or hide the field.
  if (event.target.form) findAll("[data-confirm]", event.target.form).forEach(checkConfirmation);
});

// --- A [data-live] fragment does not refresh itself while the page is hidden, the focus is in it, rows
// --- are selected or a dialog is open. An event "…-changed" refreshes it anyway.
document.addEventListener("htmx:beforeRequest", (event) => {
  const live = event.target.closest("[data-live]");
  if (live !== event.target || event.detail.requestConfig.triggeringEvent?.type.endsWith("-changed")) return;
  const busy = live.contains(document.activeElement) || find("[data-select]:checked", live) || find("#dialog").open;
  if (busy || document.hidden) event.preventDefault();
});

// --- After a swap, selected rows stay selected. If the focused element is gone, its neighbour gets the
// --- focus: after a row has left the list, the button of the next row.
const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary";
const before = { selected: [], focus: -1 };

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  before.selected = Array.from(findAll("[data-select]:checked", target), (box) => box.value);
  before.focus = [...findAll(FOCUSABLE, target)].indexOf(document.activeElement);
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  const selected = new Set(before.selected);
  for (const box of findAll("[data-select]", target)) if (selected.has(box.value)) box.checked = true;
  if (before.focus < 0 || document.activeElement !== document.body) return;
  const focusable = [...findAll(FOCUSABLE, target)];
  focusable.slice(0, before.focus + 1).findLast((each) => each.checkVisibility())?.focus();
});

// A lazy fragment is no longer busy after its request, whatever the response.
document.addEventListener("htmx:afterRequest", ({ target }) => target.removeAttribute("aria-busy"));

// --- Failed requests ----------------------------------------------------------------------------
const FAILURES = {
  403: gettext("You are not allowed to do this."),
  404: gettext("This no longer exists."),
  409: gettext("This has changed. Reload the page and try again."),
  429: gettext("Too many requests. Wait a moment and try again."),
};

document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if ((xhr.getResponseHeader("HX-Trigger") || "").includes("toast")) return; // the view sends its own toast
  const plain = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain");
  const message = plain ? xhr.responseText : FAILURES[xhr.status];
  toast({ message: message || gettext("Something went wrong. Your request was not completed. Try again."), tone: "error" });
});

document.addEventListener("htmx:sendError", () => {
  toast({ message: gettext("Rollcall cannot be reached. Check the connection and try again."), tone: "error" });
});

// A whole page came instead of a fragment: the session has ended, or a form redirected.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { shouldSwap, xhr } = event.detail;
  if (!shouldSwap || !/^\s*<!doctype/i.test(xhr.responseText)) return;
  event.preventDefault();
  const signIn = document.body.dataset.signIn;
  if (new URL(xhr.responseURL).pathname === signIn) location.reload();
  else location.assign(xhr.responseURL);
});

// --- Passkeys: allauth's script tells of a failure, or that the person has cancelled ---------------
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const words of findAll("[data-passkey-failed]")) words.hidden = false;
});

// --- Setup of the page, and of each fragment ----------------------------------------------------
function setUp() {
  updateTimes();
  for (const input of findAll("[data-time-zone]")) input.value = TIME_ZONE;
  for (const name of findAll("[data-time-zone-name]")) setText(name, TIME_ZONE);
  findAll("[data-selection]").forEach(countSelection);
  findAll("[data-confirm]").forEach(checkConfirmation);
}

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  setUp();
  // A form that came back with errors has lost the focus.
  if (document.activeElement === document.body || detail.target.id === "dialog") {
    find("[aria-invalid=true]", detail.target)?.focus();
  }
});
for (const toggle of findAll("[data-theme-toggle]")) toggle.hidden = false;
setUp();
setInterval(updateTimes, 1000);
if (location.hash && find("#panel")) openLayers();
