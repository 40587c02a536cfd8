// Listens to the page's calls of fbq, and gives each event an id, so that Meta drops what reaches it on both roads.
//
// A part of this stands inline in pages (inline.ts), also by way of Google Tag Manager, which reads ES5 alone.

import type { Call, Page } from "./types";

type See = (call: Call) => Call;
// biome-ignore lint/complexity/noBannedTypes: whatever the page has made of it
type Fbq = Function & { queue?: unknown };

/** Lets `see` have each call before fbq does, which gets what `see` returns: from now on, and of what waits. */
export function tap(page: Page, see: See): void {
  function quiet(call: ArrayLike<unknown>): Call {
    var copy: Call = [].slice.call(call);
    try {
      return see(copy);
    } catch {
      return copy;
    }
  }
  function listen(fbq: Fbq): unknown {
    var queue = Array.isArray(fbq.queue) ? fbq.queue : [];
    queue.forEach(function (call, index) {
      queue[index] = quiet(call);
    });
    // In its place it is the same function to everybody else: what they keep at it, they find at it.
    return new Proxy(fbq, {
      apply: function (target, self, call) {
        return Reflect.apply(target, self, quiet(call));
      },
    });
  }
  function wrap(value: unknown): unknown {
    var fbq = value;
    // The page sets it, and must get no error.
    try {
      fbq = listen(value as Fbq);
      if (!page._fbq || page._fbq === value) page._fbq = fbq;
    } catch {}
    return fbq;
  }
  var put: unknown;
  // One that a page has declared by var can be set, and not be defined anew.
  if (typeof page.fbq === "function") page.fbq = wrap(page.fbq);
  else
    Object.defineProperty(page, "fbq", {
      configurable: true,
      get: function () {
        return put;
      },
      set: function (value) {
        put = value;
        if (typeof value !== "function") return;
        Object.defineProperty(page, "fbq", {
          value: wrap(value),
          configurable: true,
          enumerable: true,
          writable: true,
        });
      },
    });
}

/** Where the data of an event stand in a call; 0 where it is no event's. */
export function dataAt(call: Call): number {
  return /^track(Single)?(Custom)?$/.test(String(call[0])) ? (/Single/.test(String(call[0])) ? 3 : 2) : 0;
}

/** The call with an id for its event, where it has none. */
export function withId(call: Call, makeId: () => string): Call {
  var at = dataAt(call);
  if (!at) return call;
  var options = Object.assign({}, call[at + 1]) as { eventID?: unknown };
  options.eventID = options.eventID || makeId();
  call[at] = call[at] || {};
  call[at + 1] = options;
  return call;
}
