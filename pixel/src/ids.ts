// Ids of events: Meta drops what comes twice under one. It is part of the line in pages, so it is ES5.

/** A new one, which no server can know; the gateway tells by its start that nobody chose it (events/intake/event_ids.py). */
export function makeEventId(): string {
  return `cbq-${[Date.now(), Math.random() * 4294967296, Math.random() * 4294967296]
    .map(function (number) {
      return Math.floor(number).toString(16);
    })
    .join("-")}`;
}
