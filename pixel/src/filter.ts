// What an advertiser's filter may do with an event: the script and the portal's trial go by the same rules.

import { copyOf } from "./json";
import { isFields } from "./quiet";
import type { Filter, Filtered } from "./types";

/** The event as the filter leaves it; undefined where it drops it. Throws what the filter throws. */
export function filtered(event: Filtered, filter: Filter): Filtered | undefined {
  // What it answers is copied, too: of what is no JSON no event can be written.
  return applied(event, copyOf(filter(copyOf(event) as Filtered)));
}

/** The event as the filter's answer leaves it; undefined where it drops it. */
export function applied(event: Filtered, answer: unknown): Filtered | undefined {
  if (!isFields(answer)) return event;
  if (answer.shouldDrop === true) return undefined;
  const changed = isFields(answer.updatedEventObject) ? answer.updatedEventObject : {};
  const { eventName, userData, customData } = changed;
  return {
    ...event,
    ...(typeof eventName === "string" && eventName.trim() && { eventName: eventName.trim() }),
    ...(isFields(userData) && { userData }),
    ...(isFields(customData) && { customData }),
  };
}
