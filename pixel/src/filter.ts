// What an advertiser's filter may do with an event: the script and the portal's trial go by the same rules.

import { isFields } from "./quiet";
import type { Filtered } from "./types";

/** The event as the filter's answer leaves it; undefined where it drops it. */
export function applied(event: Filtered, answer: unknown): Filtered | undefined {
  if (!isFields(answer)) return event;
  if (answer.shouldDrop === true) return undefined;
  const changed = isFields(answer.updatedEventObject) ? answer.updatedEventObject : {};
  const { eventName, userData, customData } = changed;
  return {
    ...event,
    ...(typeof eventName === "string" && { eventName }),
    ...(isFields(userData) && { userData }),
    ...(isFields(customData) && { customData }),
  };
}
