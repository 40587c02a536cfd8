// JSON, whatever a page's libraries have made of it: Prototype.js before 1.7 gives arrays, texts and numbers a toJSON,
// which would write lists as texts and every text in quotes of its own.

/** The value as JSON; undefined where there is none for it. */
export function toJson(value: unknown): string | undefined {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string, told: unknown) {
    const own = this[key];
    return typeof own === "string" || typeof own === "number" || Array.isArray(own) ? own : told;
  });
}

/** Of a value what JSON can hold: a copy that nobody else changes. Throws where it cannot be written. */
export function copyOf(value: unknown): unknown {
  const text = toJson(value);
  return text === undefined ? undefined : JSON.parse(text);
}
