// The keys of the console; templates/console/search/_shortcuts.html lists them. They press links and
// buttons that the page has anyway. They rest while somebody types, while a dialog is open, and where
// the member has switched them off in this browser.
"use strict";
{
  const OFF = "shortcuts-off";
  const isOff = () => localStorage.getItem(OFF) === "yes";
  const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select") || element.isContentEditable;
  const dialog = document.querySelector("#dialog");

  // --- Rows: the row that has the focus is the current one ---------------------------------------
  const rows = () => [...document.querySelectorAll("main tbody tr, main .log-line")].filter((row) => row.checkVisibility() && row.querySelector("a"));
  const current = () => document.activeElement.closest("tbody tr, .log-line");

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
    next.querySelector("a").focus();
    next.scrollIntoView({ block: "nearest" });
  }

  const KEYS = {
    "/": () => document.querySelector("[data-search]")?.click(),
    "?": () => document.querySelector("[data-keyboard]")?.click(),
    j: () => move(1),
    k: () => move(-1),
    x: () => current()?.querySelector("[data-select]")?.click(),
  };

  if (dialog) document.addEventListener("keydown", (event) => {
    const opensSearch = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey;
    if (dialog.open) {
      if (dialog.querySelector("[data-search-form]")) throughHits(event);
    } else if (opensSearch) {
      event.preventDefault();
      KEYS["/"]();
    } else if (KEYS[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey && !isOff() && !isTyping(event.target)) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  // --- Search results: arrows go through them, Enter in the field opens the first ------------------
  function throughHits(event) {
    const hits = [...dialog.querySelectorAll("[data-hit]")];
    const field = dialog.querySelector("[data-search-form] input[type=search]");
    if (event.key === "Enter" && event.target === field) {
      event.preventDefault();
      if (field.value.trim()) open(field, hits);
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !hits.length) return;
    event.preventDefault();
    const at = hits.indexOf(document.activeElement) + step;
    (at < 0 ? field : hits[Math.min(at, hits.length - 1)]).focus();
  }

  // What was typed last may not have been looked for yet.
  let openWhenFound = false;
  function open(field, hits) {
    const results = dialog.querySelector("#search-results");
    if (results.dataset.for === field.value.trim()) {
      hits[0]?.click();
    } else {
      openWhenFound = true;
      htmx.trigger(field.form, "submit");
    }
  }
  dialog?.addEventListener("close", () => { openWhenFound = false; });
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (target.id !== "search-results" || !openWhenFound) return;
    openWhenFound = false;
    target.querySelector("[data-hit]")?.click();
  });

  // --- The switch in the help: one key alone must not be forced on anybody (WCAG 2.1.4) -------------
  document.addEventListener("htmx:afterSwap", () => {
    const box = dialog?.querySelector("[data-shortcuts]");
    if (!box) return;
    box.checked = !isOff();
    box.closest("[data-shortcuts-switch]").hidden = false;
  });
  document.addEventListener("change", ({ target }) => {
    if ("shortcuts" in target.dataset) localStorage.setItem(OFF, target.checked ? "no" : "yes");
  });
}
