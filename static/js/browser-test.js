// The page "Test from the browser": sends the event that it shows as the Meta Pixel does, and says how that went.
const WAITS = [1_000, 2_000];

const test = document.querySelector("[data-sends]");
if (test) run(JSON.parse(document.getElementById(test.dataset.sends).textContent));

async function run({ endpoint, pixel, name, data, id, page, matching }) {
  const standIn = window.pixelStandIn(endpoint, pixel, { waits: WAITS, matching, keepsCookies: false, page, referrer: "" });
  const { status, message } = await standIn.track(name, data, { eventID: id });
  if (status === 200) return window.htmx.trigger(test, "answered");
  show(status === 0 ? await whyNoAnswer(endpoint) : outcomeOf(status), saidIn(message));
}

// Where the address answers anything at all, something in the browser keeps the event back.
async function whyNoAnswer(endpoint) {
  if (!navigator.onLine) return "offline";
  const asked = fetch(`${endpoint}/`, { mode: "no-cors", credentials: "omit", cache: "no-store" });
  return asked.then(() => "blocked", () => "unreachable");
}

function outcomeOf(status) {
  if (status === 429) return "limit";
  return status >= 500 ? "fault" : "refused";
}

function saidIn(message) {
  try {
    return JSON.parse(message).error.message;
  } catch {
    return ""; // no answer of the gateway's
  }
}

function show(outcome, said) {
  test.classList.replace("alert-info", "alert-warning");
  for (const each of test.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== outcome;
  test.querySelector("[data-said]").textContent = said;
}
