// In the frame of the page "Send from this browser": loads a source's script as the code for websites does, and hands it
// what the page asks for. The page is told whether the script came, and each event that the script was told.
const { host, id } = document.currentScript.dataset;
const tell = (outcome) => window.parent.postMessage(outcome, "*");

const cbq = function () {
  cbq.callMethod ? cbq.callMethod.apply(cbq, arguments) : cbq.queue.push(arguments);
};
Object.assign(cbq, { push: cbq, loaded: true, version: "2.0", queue: [] });
window.cbq = window._cbq = cbq;
cbq("setHost", `${host}/`);
cbq("init", id);

const script = document.createElement("script");
script.async = true;
script.src = `${host}/sdk/${id}/events.js`;
script.onload = () => tell({ outcome: "ready" });
script.onerror = () => tell({ outcome: "missing" });
document.head.append(script);

addEventListener("message", ({ data, source }) => {
  if (source !== window.parent) return;
  cbq("track", data.name, data.data, { eventID: data.id });
  tell({ outcome: "told", id: data.id });
});
