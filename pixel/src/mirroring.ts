// Has the Meta Pixel sent something to the gateway by itself? Then a mirror has nothing to do.

import { quietly } from "./quiet";

/** By address, up to where the road begins. */
const asked = new Set<string>();

quietly(() => {
  new PerformanceObserver((list) => quietly(() => list.getEntries().forEach(note), undefined)).observe({
    type: "resource",
    buffered: true,
  });
}, undefined);

function note({ name }: PerformanceEntry): void {
  const host = name.includes("?cbq=") ? undefined : /^(.*?)\/events(\/[0-9a-f]+)?\?/i.exec(name)?.[1];
  if (host !== undefined) asked.add(host);
}

/** Has a request gone to the endpoint that is none of this script's? */
export function hasOwnMirroring(endpoint: string): boolean {
  return asked.has(endpoint);
}
