// What needs no browser, in Node's own runner: `pytest tests/events/test_script_units.py` builds and runs it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { dataAt, tap, withId } from "../src/fbq";
import { applied, filtered } from "../src/filter";
import { makeEventId } from "../src/ids";
import { copyOf, toJson } from "../src/json";
import { isKept } from "../src/rules";
import { sha256 } from "../src/sha256";
import type { Call, Configuration, Page } from "../src/types";

const event = { eventName: "Lead", domainUrl: "https://a.example/", userData: {}, customData: { value: 1 } };

function rules(given: Partial<Configuration>): Configuration {
  return { active: true, blockedEvents: [], websites: {}, listed: [], ...given } as unknown as Configuration;
}

test("hashes are those of everybody else, whatever the length", () => {
  for (const text of ["", "a", "ü€😀", ...[54, 55, 56, 63, 64, 65, 1000].map((length) => "x".repeat(length))])
    assert.equal(sha256(text), createHash("sha256").update(text).digest("hex"));
});

test("no two ids are alike", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, makeEventId)).size, 1000);
});

test("an answer of a filter that is none changes nothing", () => {
  for (const answer of [undefined, null, 7, "drop", [], {}, { shouldDrop: "yes" }, { updatedEventObject: [] }])
    assert.deepEqual(applied(event, answer), event);
});

test("a filter drops by true alone, and changes what has the right type", () => {
  assert.equal(applied(event, { shouldDrop: true }), undefined);
  const changed = { eventName: 7, customData: { value: 2 }, domainUrl: "https://b.example/" };
  assert.deepEqual(applied(event, { updatedEventObject: changed }), { ...event, customData: { value: 2 } });
});

test("a name without a letter is none", () => {
  for (const eventName of ["", " "]) assert.deepEqual(applied(event, { updatedEventObject: { eventName } }), event);
});

test("what a filter answers is copied, and what cannot be is thrown", () => {
  assert.deepEqual(
    filtered(event, () => undefined),
    event,
  );
  assert.equal(
    filtered(event, () => ({ shouldDrop: true })),
    undefined,
  );
  assert.throws(() => filtered(event, () => ({ shouldDrop: true, of: 1n })));
  filtered(event, (given) => Object.assign(given.customData, { value: 7 }));
  assert.equal(event.customData.value, 1);
});

test("JSON is as it was before a library taught arrays and texts another", () => {
  const taught = function (this: unknown): string {
    return `<${this}>`;
  };
  const value = { list: ["a", 1], text: "b", at: new Date(0), own: { toJSON: () => "c" }, none: undefined };
  const plain = JSON.stringify(value);
  Object.assign(Array.prototype, { toJSON: taught });
  Object.assign(String.prototype, { toJSON: taught });
  try {
    assert.equal(toJson(value), plain);
    assert.deepEqual(copyOf({ list: ["a"] }), { list: ["a"] });
  } finally {
    Reflect.deleteProperty(Array.prototype, "toJSON");
    Reflect.deleteProperty(String.prototype, "toJSON");
  }
  assert.equal(copyOf(undefined), undefined);
});

test("what is switched off, blocked or not listed stays here", () => {
  assert.equal(isKept(rules({ active: false }), "Lead", "a.example"), true);
  assert.equal(isKept(rules({ blockedEvents: ["Lead"] }), "Lead", "a.example"), true);
  assert.equal(isKept(rules({ listed: ["b.example"] }), "Lead", "a.example"), true);
  assert.equal(isKept(rules({ listed: ["b.example"] }), "Lead", "www.B.example."), false);
  assert.equal(isKept(rules({}), "Lead", "a.example"), false);
});

test("of websites the longest domain decides, and no name of every object's does", () => {
  const websites = { "a.example": true, "shop.a.example": false };
  assert.equal(isKept(rules({ websites }), "Lead", "www.a.example"), true);
  assert.equal(isKept(rules({ websites }), "Lead", "shop.a.example"), false);
  assert.equal(isKept(rules({ websites }), "Lead", "nota.example"), false);
  assert.equal(isKept(rules({}), "Lead", "constructor"), false);
});

test("where an event's data stand in a call", () => {
  assert.equal(dataAt(["track", "Lead", {}]), 2);
  assert.equal(dataAt(["trackSingleCustom", "7", "Lead", {}]), 3);
  for (const call of [[], ["init", "7"], ["tracked"], [undefined], [Symbol.iterator]]) assert.equal(dataAt(call), 0);
});

test("an event gets an id unless it has one", () => {
  assert.deepEqual(
    withId(["track", "Lead"], () => "new"),
    ["track", "Lead", {}, { eventID: "new" }],
  );
  assert.deepEqual(withId(["track", "Lead", {}, { eventID: "own" }], () => "new").pop(), { eventID: "own" });
});

test("fbq that is listened to is the same to everybody else", () => {
  const calls: Call[] = [];
  const fbq = Object.assign((...call: Call) => calls.push(call), { queue: [["init", "7"]] as Call[], version: "2.0" });
  const page = { fbq } as unknown as Page;
  const seen: Call[] = [];
  tap(page, (call) => {
    seen.push(call);
    if (call[1] === "Bad") throw new Error("x");
    return call;
  });
  const listened = page.fbq as typeof fbq;
  listened("track", "Lead");
  listened("track", "Bad");
  assert.deepEqual(seen, [
    ["init", "7"],
    ["track", "Lead"],
    ["track", "Bad"],
  ]);
  assert.deepEqual(calls, [
    ["track", "Lead"],
    ["track", "Bad"],
  ]);
  assert.equal(listened.version, "2.0");
  assert.equal(page._fbq, listened);
});

test("one that the page has declared by var is listened to, and one that cannot be goes on", () => {
  const seen: Call[] = [];
  const see = (call: Call): Call => {
    seen.push(call);
    return call;
  };
  const declared = Object.defineProperty({}, "fbq", { value: () => 7, writable: true, configurable: false });
  tap(declared as unknown as Page, see);
  assert.equal((declared as { fbq: (...call: Call) => unknown }).fbq("track", "Lead"), 7);
  assert.deepEqual(seen, [["track", "Lead"]]);

  const late = Object.defineProperty({}, "_fbq", { get: () => undefined }) as { fbq?: (...call: Call) => unknown };
  tap(late as unknown as Page, see);
  late.fbq = () => 8;
  assert.equal(late.fbq("track", "Lead"), 8);
});

test("what a page puts in its place before it is no function is no end of listening", () => {
  const seen: Call[] = [];
  const page = {} as { fbq?: unknown };
  tap(page as unknown as Page, (call) => {
    seen.push(call);
    return call;
  });
  assert.equal(page.fbq, undefined);
  page.fbq = null;
  assert.equal(page.fbq, null);
  page.fbq = () => 9;
  assert.equal((page.fbq as (...call: Call) => unknown)("track", "Lead"), 9);
  assert.deepEqual(seen, [["track", "Lead"]]);
});
