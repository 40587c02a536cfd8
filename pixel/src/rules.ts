// What the advertiser has switched off or blocked does not leave the browser. The gateway has the same rules, and the last word.

import type { Configuration } from "./types";

/** Does an event of this name, on a page of this host, stay here? */
export function isKept(configuration: Configuration, name: string, host: string): boolean {
  if (!configuration.active || configuration.blockedEvents.includes(name)) return true;
  const around = covering(host);
  if (configuration.listed.length && !around.some((domain) => configuration.listed.includes(domain))) return true;
  const decides = around.find((domain) => has(configuration.websites, domain));
  return decides !== undefined && configuration.websites[decides] === true;
}

/** The domains that cover a host, the longest first. */
function covering(host: string): string[] {
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  return labels.map((_, index) => labels.slice(index).join("."));
}

function has(names: Record<string, boolean>, name: string): boolean {
  return Object.hasOwn(names, name);
}
