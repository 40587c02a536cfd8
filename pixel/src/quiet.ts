// No error ever leaves the script: the page is worth more than an event.

let hasWarned = false;

/** What `work` gives, or `otherwise` where it throws. */
export function quietly<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** Tells the page's developer, once a page. */
export function warn(sentence: string): void {
  if (hasWarned) return;
  hasWarned = true;
  quietly(() => console.warn(`[cbq] ${sentence}`), undefined);
}

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
