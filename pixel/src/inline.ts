// The line that pages with a mirror have beside the Meta Pixel's code: whatever fbq is called with is kept for the script,
// which comes later. Google Tag Manager reads it, so it is ES5.

import { tap, withId } from "./fbq";
import { makeEventId } from "./ids";
import type { Call, Cbq, Page } from "./types";

/** As the loader has it that people paste. */
function stub(): Cbq {
  var cbq = function () {
    var call = [].slice.call(arguments);
    if (cbq.callMethod) cbq.callMethod.apply(cbq, call);
    else cbq.queue?.push(call);
  } as unknown as Cbq;
  cbq.queue = [] as Call[];
  return cbq;
}

function begin(page: Page): void {
  var cbq = page.cbq || stub();
  page.cbq = cbq;
  page._cbq = page._cbq || cbq;
  if (cbq.taps) return;
  cbq.taps = true;
  tap(page, function (call) {
    var told = withId(call, makeEventId);
    cbq("fbq", told);
    return told;
  });
}

try {
  begin(window);
} catch {}
