// The page "Send from this browser": a frame of an origin of its own runs the source's script, and each button has it
// told an event. What becomes of the event, the list below tells; it is asked a little sooner than by itself.
const SOON = [1_000, 3_000]; // milliseconds

const trial = document.querySelector("[data-frame]");
const events = JSON.parse(document.getElementById("events").textContent);
const buttons = [...trial.querySelectorAll("[data-event]")];

const frame = document.createElement("iframe");
frame.setAttribute("sandbox", "allow-scripts");
frame.hidden = true;
frame.src = trial.dataset.frame;

window.addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow || !["ready", "missing", "told"].includes(data?.outcome)) return;
  show(data.outcome);
  for (const button of buttons) button.disabled = data.outcome === "missing";
});
trial.append(frame);

for (const button of buttons) {
  button.addEventListener("click", () => {
    const name = button.dataset.event;
    const id = trial.dataset.prefix + hex(crypto.getRandomValues(new Uint8Array(16)));
    frame.contentWindow.postMessage({ name, data: events[name], id }, "*"); // its origin has no name
    trial.querySelector("[data-said]").textContent = `${name} ${id}`;
    for (const wait of SOON) setTimeout(ask, wait);
  });
}

function ask() {
  const list = document.getElementById("arrivals");
  if (list && !list.contains(document.activeElement)) window.htmx?.trigger(list, "poll");
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function show(outcome) {
  for (const each of trial.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== outcome;
}
