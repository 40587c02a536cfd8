// The trial of a data filter: each press makes a new frame of an origin of its own, hands it the filter and the sample
// event, and shows what it says. Of what comes from the frame everything is a text: it may be the filter that speaks.
const PATIENCE = 3_000; // milliseconds

const trial = document.querySelector("[data-trial]");
const filter = document.querySelector(trial.dataset.filter);
const [choice, sample, outcome, passed] = ["sample", "sample-event", "outcome", "passed"].map((id) => document.getElementById(id));
const samples = JSON.parse(document.getElementById("samples").textContent);
let frame = null;
let timer = 0;

const choose = () => (sample.value = JSON.stringify(samples[choice.value], null, 2));
choose();
choice.addEventListener("change", choose);
document.getElementById("try").addEventListener("click", () => {
  end();
  const event = read();
  if (!event) return show("event");
  if (!filter.value.trim()) return show("empty");
  begin(event);
});

function read() {
  try {
    const event = JSON.parse(sample.value);
    return event && typeof event === "object" && !Array.isArray(event) ? event : null;
  } catch {
    return null;
  }
}

function begin(event) {
  outcome.hidden = true;
  frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.hidden = true;
  frame.src = trial.dataset.trial;
  frame.trial = { filter: filter.value, event };
  trial.append(frame);
  timer = setTimeout(() => finish("late"), PATIENCE);
}

window.addEventListener("message", ({ source, data }) => {
  if (!frame || source !== frame.contentWindow) return;
  if (data?.outcome === "ready") return frame.contentWindow.postMessage(frame.trial, "*"); // its origin has no name
  if (["publish", "drop", "error", "none"].includes(data?.outcome)) finish(data.outcome, data);
});

function finish(what, said) {
  end();
  show(what, said);
}

function end() {
  clearTimeout(timer);
  frame?.remove();
  frame = null;
}

function show(what, { message = "", line = "", event = "" } = {}) {
  for (const each of outcome.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== what;
  outcome.querySelector("[data-said]").textContent = String(message);
  outcome.querySelector("[data-line]").textContent = String(line);
  passed.textContent = String(event);
  passed.hidden = what !== "publish";
  outcome.hidden = false;
}
