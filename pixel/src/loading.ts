// Fetches the file of an id that this one was not served with.

import { quietly, warn } from "./quiet";

const self = quietly(() => document.currentScript as HTMLScriptElement | null, null);
const origin = quietly(() => new URL(self?.src ?? "").origin, "");
const asked = new Set<string>();

/** Loads what an id is configured with. */
export function loadFile(id: string, host: string | undefined): void {
  const from = host ?? origin;
  if (from) load(`${from}/sdk/${id}/events.js`, () => warn(`The gateway has no pixel ${id}, or cannot be reached.`));
}

/** Loads an advertiser's filter; `over` is called when it is there, and when it will not be. */
export function loadFilter(address: string, over: () => void): void {
  load(address, over, over);
}

/** Adds a script element to the page, once for each address. */
function load(address: string, failed: () => void, loaded?: () => void): void {
  if (asked.has(address)) return;
  asked.add(address);
  // A page may forbid that its scripts load others, as one with Trusted Types does.
  if (!quietly(() => add(address, failed, loaded), false)) failed();
}

function add(address: string, failed: () => void, loaded?: () => void): boolean {
  const script = document.createElement("script");
  script.async = true;
  script.src = address;
  // A page with a strict Content-Security-Policy has said of this script that it may run.
  if (self?.nonce) script.nonce = self.nonce;
  script.onerror = failed;
  if (loaded) script.onload = loaded;
  (document.head ?? document.documentElement).append(script);
  return true;
}
