// The portal's trial of an advertiser's filter: it runs here, in a frame of an origin of its own, and nowhere else in the portal.

import { filtered } from "./filter";
import type { Filter, Filtered } from "./types";

interface Trial {
  filter: string;
  event: Filtered;
}

/** The filter stands in the second line of what is run, as in the file that websites load. */
const LINES_BEFORE = 1;

const tell = (outcome: object): void => window.parent.postMessage(outcome, "*");

addEventListener("error", ({ message, lineno }) => tell({ outcome: "error", message, line: lineno - LINES_BEFORE }));
addEventListener("message", ({ data, source }) => {
  if (source === window.parent) run(data as Trial);
});
tell({ outcome: "ready" });

function run({ filter, event }: Trial): void {
  const take = (_id: string, given: unknown): void => {
    if (typeof given !== "function") {
      tell({ outcome: "none" });
      return;
    }
    // What it throws goes to the window, which knows the line.
    const passed = filtered(event, given as Filter);
    tell(passed ? { outcome: "publish", event: JSON.stringify(passed, null, 2) } : { outcome: "drop" });
  };
  Object.assign(window, { cbq: { filter: take } });
  const script = document.createElement("script");
  script.textContent = `cbq.filter("",(\n${filter.replace(/[;\s]+$/, "")}\n));`;
  document.head.append(script);
}
