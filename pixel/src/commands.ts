// What pages call: cbq("track", "Purchase", {value: 12, currency: "EUR"}), and the rest.

import { readJar } from "./cookies";
import { dataAt, tap, withId } from "./fbq";
import { makeEventId } from "./ids";
import { copyOf } from "./json";
import { loadFile } from "./loading";
import { resume } from "./outbox";
import { watchAddress } from "./pages";
import { place, tellPage, waitsForJar } from "./place";
import { isFields, quietly, warn } from "./quiet";
import { type Happening, Source } from "./source";
import type { Call, Cbq, Fields, Filter, Page, Road, Served } from "./types";

const page = window as Page;
const sources = new Map<string, Source>();
/** What came before its init: that of the id which it is `for`, or the first one. */
let early: { happening: Happening; for?: string }[] = [];
const MAX_EARLY = 100;
let host: string | undefined;
const allowed: Record<Road, boolean> = { cbq: true, fbq: true };
/** Until all that has waited is read nothing goes: the last of it may revoke consent. */
let isReading = false;
const processing: Record<Road, Fields> = { cbq: {}, fbq: {} };
/** The page that is looked at, under which id, and who has told of it. */
let view = { address: "", id: "", roads: new Set<Road>() };
let referrer = quietly(() => document.referrer, "");

const around = {
  isAllowed: (road: Road): boolean => !isReading && allowed[road] && !waitsForJar(),
  host: (): string | undefined => host,
};

function idOf(given: unknown): string | undefined {
  const id = ["string", "number", "bigint"].includes(typeof given) ? whole(given).trim() : "";
  if (/^\d{1,20}$/.test(id)) return id;
  warn(`This is no id of a pixel: ${id.slice(0, 50)}`);
  return undefined;
}

/** Ids of sources have more digits than numbers hold: such a number stands for the id that comes nearest to it. */
function whole(given: unknown): string {
  if (typeof given !== "number" || given < 2 ** 53) return String(given);
  return [...sources.keys()].find((id) => Number(id) === given) ?? String(given);
}

function sourceOf(given: unknown): Source | undefined {
  const id = idOf(given);
  if (!id) return undefined;
  const known = sources.get(id) ?? new Source(id, around);
  sources.set(id, known);
  return known;
}

/** Adds what a served file holds. */
export function configure(served: Served): void {
  const { configuration } = served;
  if (!configuration) return;
  sourceOf(configuration.id)?.configure(served);
  if (configuration.kind === "source") quietly(followAddress, undefined);
  const cbq = page.cbq as Cbq;
  if ((configuration.kind === "mirror" || configuration.forks) && !cbq.taps) {
    cbq.taps = true;
    tap(page, (call) => {
      const told = dataAt(call) ? withId(call, () => idFor("fbq", String(call[dataAt(call) - 1]))) : call;
      forked(told);
      return told;
    });
  }
}

/** Does `read` what has waited, and then lets go what may go. */
export function readWaiting(read: () => void): void {
  isReading = true;
  quietly(read, undefined);
  isReading = false;
  goOn();
}

/** What cbq knows, and fbq does not, or not so. */
const OWN: Record<string, (given: unknown[]) => void> = {
  // By the line in pages with a mirror (inline.ts).
  fbq: ([call]) => forked(Array.isArray(call) ? call : []),
  setHost: ([address]) => setHost(address),
  loadConfig: ([id]) => load(id),
  init: ([id, userData]) => init(id, userData),
  // 'integrationMethod' says by which plugin the code came, and changes nothing.
  set: ([what, value]) => {
    if (what === "page") tellPage(value);
    else if (what === "cookies") readJar(value, goOn);
  },
};

/** Takes over the advertiser's filter for an id. */
export function setFilter(id: string, filter: unknown): void {
  const source = sources.get(id);
  if (source && typeof filter === "function") source.filter = filter as Filter;
}

/** A call of cbq. */
export function run(call: Call): void {
  const [command, ...given] = call;
  const own = typeof command === "string" && Object.hasOwn(OWN, command) ? OWN[command] : undefined;
  if (own) own(given);
  else if (!common(call, "cbq")) warn(`There is no such command: ${String(command)}`);
}

/** A call of fbq, for those who take its events. */
function forked(call: Call): void {
  if (call[0] !== "init") common(call, "fbq");
  // Its mirror, if there is one, may still be loading: until then the source keeps what it is told.
  else if (/^\d{1,20}$/.test(String(call[1]))) sourceOf(call[1])?.start(call[2]);
}

/** What both functions know; false where they do not. */
function common(call: Call, road: Road): boolean {
  const [command, ...given] = call;
  if (dataAt(call)) track(call, road);
  else if (command === "consent") consent(given[0], road);
  else if (command === "dataProcessingOptions") setProcessing(given, road);
  else return false;
  return true;
}

function setProcessing([list, country, state]: unknown[], road: Road): void {
  if (!Array.isArray(list) || !list.every((each) => typeof each === "string")) {
    warn("dataProcessingOptions takes a list of texts, such as ['LDU'], a country and a state.");
    return;
  }
  processing[road] = {
    data_processing_options: [...list],
    data_processing_options_country: Number(country) || 0,
    data_processing_options_state: Number(state) || 0,
  };
}

function setHost(given: unknown): void {
  const parsed = quietly(() => new URL(String(given)), undefined);
  if (parsed && /^https?:$/.test(parsed.protocol)) host = parsed.origin;
  else warn("setHost takes an address, such as https://gateway.example.com/.");
}

function init(id: unknown, userData: unknown): void {
  const source = sourceOf(id);
  if (!source) return;
  load(id);
  const waiting = early.filter((each) => !each.for || each.for === source.id);
  early = early.filter((each) => !waiting.includes(each));
  source.isOwn = true;
  for (const { happening } of waiting) source.add(happening);
  source.start(userData);
}

function load(id: unknown): void {
  const source = sourceOf(id);
  if (source && !source.isConfigured) loadFile(source.id, host);
}

function consent(given: unknown, road: Road): void {
  if (given !== "grant" && given !== "revoke") {
    warn("consent is 'grant' or 'revoke'.");
    return;
  }
  allowed[road] = given === "grant";
  goOn();
}

/** Sends what waits, as far as it may go by now. */
function goOn(): void {
  for (const source of sources.values()) quietly(() => source.flush(), undefined);
  resume();
}

function track(call: Call, road: Road): void {
  const at = dataAt(call);
  const name = call[at - 1];
  if (typeof name !== "string" || !name.trim()) {
    warn("An event needs a name.");
    return;
  }
  const options = isFields(call[at + 1]) ? (call[at + 1] as Fields) : {};
  const happening = happened(road, name.trim(), call[at], options.eventID);
  const only = at === 3 ? idOf(call[1]) : undefined;
  const isFor = (source: Source): boolean =>
    source.isStarted && (at === 2 || (road === "fbq" && source.isOwn) || source.id === only);
  const all = [...sources.values()];
  for (const source of all.filter(isFor)) source.add(happening);
  const named = road === "cbq" ? only : undefined;
  if (at === 3 && road === "cbq" && !named) return;
  const isBegun = all.some(({ isOwn, id }) => isOwn && (!named || id === named));
  if (!isBegun && early.length < MAX_EARLY) early.push({ happening, ...(named && { for: named }) });
}

function happened(road: Road, name: string, data: unknown, given: unknown): Happening {
  const said = saidId(given);
  const id = said || idFor(road, name);
  if (name === "PageView" && said && road === "fbq") remember(road, id);
  const { url, referrer: from } = place();
  return {
    road,
    name,
    data: isFields(data) ? quietly(() => copyOf(data) as Fields, {}) : {},
    id,
    location: url.href,
    host: url.hostname,
    referrer: from ?? referrer,
    options: processing[road],
  };
}

/** The page's own id. What is no text and no number would be the same for many events, and Meta would take one of them. */
function saidId(given: unknown): string {
  return typeof given === "string" || Number.isFinite(given) ? String(given).trim() : "";
}

/** A new id; but one look at a page that both functions tell of is one event. */
function idFor(road: Road, name: string): string {
  if (name !== "PageView") return makeEventId();
  if (view.address === place().url.href && !view.roads.has(road)) {
    view.roads.add(road);
    return view.id;
  }
  return remember(road, makeEventId());
}

function remember(road: Road, id: string): string {
  if (view.id !== id) view = { address: place().url.href, id, roads: new Set([road]) };
  return id;
}

let follows = false;

/** A PageView follows each change of the address. */
function followAddress(): void {
  if (follows) return;
  follows = true;
  watchAddress((from) => {
    referrer = from;
    if (page.cbq?.disablePushState !== true) track(["track", "PageView"], "cbq");
  });
}
