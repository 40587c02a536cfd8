// Has the Meta Pixel sent something to the gateway by itself? Then a mirror has nothing to do.

import { quietly } from "./quiet";

const asked: string[] = [];

quietly(() => {
  new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) {
      if (/\/events(\/[0-9a-f]+)?\?/i.test(name) && !name.includes("?cbq=")) asked.push(name);
    }
  }).observe({ type: "resource", buffered: true });
}, undefined);

/** Has a request gone to the endpoint that is none of this script's? */
export function hasOwnMirroring(endpoint: string): boolean {
  return asked.some((name) => name.startsWith(`${endpoint}/events`));
}
