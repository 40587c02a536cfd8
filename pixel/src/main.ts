// The script as it is served. What the gateway knows of the pixel stands around it (events/script/files.py).

import { configure, readWaiting, run, setFilter } from "./commands";
import { quietly } from "./quiet";
import type { Call, Cbq, Page, Served } from "./types";

declare const __cbq: Served;

const page = window as Page;

function quietRun(call: unknown): void {
  quietly(() => run(Array.from(call as ArrayLike<unknown>)), undefined);
}

/** Takes over from the page's loader, in either of its forms, and runs what has waited. */
function install(served: Served): void {
  // An element of the page with this id is found under the name, too.
  const cbq = typeof page.cbq === "function" ? page.cbq : (((...call: Call) => quietRun(call)) as Cbq);
  page.cbq = cbq;
  page._cbq ??= cbq;
  cbq.callMethod = (...call) => quietRun(call);
  // One form of the loader calls this, and would call itself without it.
  cbq.apply = (_, call) => quietRun(call);
  cbq.configure = (more) => quietly(() => configure(more), undefined);
  cbq.filter = (id, filter) => quietly(() => setFilter(id, filter), undefined);
  cbq.loaded = true;
  cbq.version = "2.0";
  const waiting = Array.from(cbq.queue ?? []);
  cbq.queue = [];
  cbq.queue.push = (...calls) => {
    calls.forEach(quietRun);
    return 0;
  };
  cbq.initialized = true;
  readWaiting(() => {
    cbq.configure?.(served);
    waiting.forEach(quietRun);
  });
}

quietly(() => {
  if (page.cbq?.configure) page.cbq.configure(__cbq);
  else install(__cbq);
}, undefined);
