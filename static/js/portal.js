// What pages do beyond plain HTML; all of it is convenience, and every page works without.

const on = (name, selector, act) =>
  document.addEventListener(name, (event) => {
    const element = event.target.closest?.(selector);
    if (element) act(element, event);
  });

// Light or dark.
for (const button of document.querySelectorAll("[data-theme-toggle]")) button.hidden = false;
on("click", "[data-theme-toggle]", () => {
  const root = document.documentElement;
  const theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
  root.setAttribute("data-bs-theme", theme);
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Not remembered, but shown.
  }
  document.dispatchEvent(new CustomEvent("themechange"));
});

// The menu on a phone; without this script, CSS :target opens it.
const menu = document.querySelector("[data-menu]");
menu?.setAttribute("role", "button");
menu?.setAttribute("aria-expanded", "false");
on("click", "[data-menu]", (toggle, event) => {
  event.preventDefault();
  const shown = document.getElementById(toggle.getAttribute("aria-controls")).classList.toggle("show");
  toggle.setAttribute("aria-expanded", String(shown));
});

// Dropdowns are <details>: one at a time, closed by Escape, a click elsewhere, or when the focus moves on. Arrows go
// through their entries.
const closeMenus = (except) => {
  for (const open of document.querySelectorAll("details.dropdown[open]")) {
    if (!open.contains(except)) open.open = false;
  }
};
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
on("keydown", "details.dropdown > summary, .dropdown-item", (current, event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const dropdown = current.closest("details.dropdown");
  if (!step || !dropdown) return;
  event.preventDefault();
  dropdown.open = true;
  const entries = [...dropdown.querySelectorAll(".dropdown-item")];
  const next = (entries.includes(current) ? entries.indexOf(current) : step < 0 ? 0 : -1) + step;
  entries.at(next % entries.length)?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement?.closest("details.dropdown[open]")?.querySelector("summary").focus();
  closeMenus(null);
});

// Copy buttons: data-copy="#selector" or data-copy-text="text"; data-copied is said when it is done.
on("click", "[data-copy], [data-copy-text]", async (button) => {
  const source = button.dataset.copy && document.querySelector(button.dataset.copy);
  const text = button.dataset.copyText ?? source?.value ?? source?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text.trim());
  } catch {
    source?.select?.(); // no permission, or no https: select it for the reader to copy
    return;
  }
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = label.innerHTML;
  label.textContent = button.dataset.copied ?? "✓";
  setTimeout(() => (label.innerHTML = before), 2000);
});

// Switches and selects that are sent as soon as they change.
on("change", "[data-autosubmit]", (input) => input.form.requestSubmit());

// An account without a time zone gets that of the first browser; whoever sees as somebody else gives none.
const timeZone = document.querySelector("form[data-time-zone]");
if (timeZone && !timeZone.querySelector("fieldset")) {
  timeZone.elements.time_zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  if (timeZone.elements.time_zone.value) {
    fetch(timeZone.action, { method: "POST", body: new FormData(timeZone) }).catch(() => {}); // the next page asks again
  }
}

// A message that comes while the page stays: nothing moves for it.
document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id === "messages") detail.target.classList.add("floating");
});

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  setTimeout(() => {
    if (event.defaultPrevented) return;
    for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = true;
  });
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("form button:disabled")) button.disabled = false;
});

// Fresh figures: elements with data-poll="seconds" and hx-trigger="poll", while the tab is shown, and nothing in them is
// open or has the focus: what somebody is about to use must not be replaced. What HTMX keeps stays open by itself.
const isInUse = (element) =>
  element.contains(document.activeElement) || element.querySelector("details[open]:not([hx-preserve]), :popover-open") !== null;
const asked = new WeakMap();
setInterval(() => {
  if (document.hidden || !window.htmx) return;
  for (const element of document.querySelectorAll("[data-poll]")) {
    const due = (asked.get(element) ?? performance.now()) + 1000 * Number(element.dataset.poll);
    if (!asked.has(element)) asked.set(element, performance.now());
    else if (performance.now() >= due && !isInUse(element)) {
      asked.set(element, performance.now());
      window.htmx.trigger(element, "poll");
    }
  }
}, 1000);
