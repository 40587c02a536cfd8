// One id of the gateway's on the page: what it is told, and what of that leaves the browser.

import { type VisitorIds, visitorIds } from "./cookies";
import { filtered } from "./filter";
import { readForms, type Written } from "./forms";
import { toJson } from "./json";
import { loadFilter } from "./loading";
import { matching } from "./matching";
import { hasOwnMirroring } from "./mirroring";
import { send } from "./outbox";
import { isFields, quietly, warn } from "./quiet";
import { isKept } from "./rules";
import type { Configuration, Fields, Filter, Filtered, Road, Served } from "./types";

/** More than a page brings before its visitor has answered a question. */
const MAX_WAITING = 100;
/** So long a mirror waits whether the pixel sends an event itself, in milliseconds. */
const PATIENCE = 2_000;

/** Something that happened on the page, as it was then. */
export interface Happening {
  road: Road;
  name: string;
  data: Fields;
  id: string;
  location: string;
  host: string;
  referrer: string;
  options: Fields;
}

export interface Surroundings {
  /** May events that came this way be sent now? */
  isAllowed: (road: Road) => boolean;
  /** The host that the page has named, if it has. */
  host: () => string | undefined;
}

/** A source, or a mirror of a Meta Pixel. */
export class Source {
  /** By init: until then it is told nothing. */
  isStarted = false;
  /** By the init of cbq, not of fbq alone. */
  isOwn = false;
  userData: Fields = {};
  private configuration: Configuration | undefined;
  /** The advertiser's own; until its file is there, events wait for it. */
  filter: Filter | undefined;
  private waitsForFilter = false;
  private waiting: Happening[] = [];
  private readonly seen = new Map<string, Road>();
  private readonly written: Written = {};

  constructor(
    readonly id: string,
    private readonly around: Surroundings,
  ) {}

  get isConfigured(): boolean {
    return this.configuration !== undefined;
  }

  configure({ configuration }: Served): void {
    if (!configuration || this.configuration) return;
    this.configuration = configuration;
    if (configuration.filter && configuration.active) this.fetchFilter(configuration);
    if (configuration.formFields.length && configuration.active) readForms(this.written);
    this.flush();
  }

  private fetchFilter({ endpoint, id, filter }: Configuration): void {
    this.waitsForFilter = true;
    loadFilter(`${endpoint}/sdk/${id}/filter.js?v=${filter}`, () => {
      this.waitsForFilter = false;
      quietly(() => this.flush(), undefined);
    });
  }

  start(userData: unknown): void {
    if (isFields(userData)) quietly(() => Object.assign(this.userData, userData), undefined);
    this.isStarted = true;
    this.flush();
  }

  add(happening: Happening): void {
    if (this.waiting.length >= MAX_WAITING) {
      if (this.configuration) warn("Too many events wait for consent; the later ones are not sent.");
      return;
    }
    this.waiting.push(happening);
    this.flush();
  }

  /** Sends what may be sent by now. */
  flush(): void {
    const configuration = this.configuration;
    if (!configuration || !this.isStarted || this.waitsForFilter) return;
    const ready = this.waiting.filter((each) => this.isAllowed(each, configuration));
    this.waiting = this.waiting.filter((each) => !ready.includes(each));
    for (const each of ready) quietly(() => this.pass(each, configuration), undefined);
  }

  /** A mirror asks those who ask fbq; a source has the page's word for itself, too. */
  private isAllowed({ road }: Happening, { kind }: Configuration): boolean {
    return this.around.isAllowed(road) && (kind === "mirror" || this.around.isAllowed("cbq"));
  }

  private pass(happening: Happening, configuration: Configuration): void {
    const isMirror = configuration.kind === "mirror";
    const isOnRoad = isMirror || configuration.forks || happening.road === "cbq";
    if (isMirror && happening.road === "cbq") return;
    if (!isOnRoad || this.isTwice(happening) || isKept(configuration, happening.name, happening.host)) return;
    const event: Filtered = {
      eventName: happening.name,
      domainUrl: happening.location,
      userData: this.person(configuration),
      customData: happening.data,
    };
    const passed = this.judged(event, configuration);
    if (!passed) return;
    const host = this.around.host() ?? configuration.endpoint;
    const ids = visitorIds(configuration.cookies);
    const waits = isMirror && configuration.registered;
    send(
      {
        // The mark tells the gateway's script from the pixel, which has another query.
        address: `${host}/events?cbq=2.0`,
        body: toJson(body(configuration.id, passed, happening, ids)) as string,
        isAllowed: () => this.isAllowed(happening, configuration),
        ...(waits && { isSettled: () => hasOwnMirroring(configuration.endpoint) }),
      },
      waits ? PATIENCE : 0,
    );
  }

  /** What the page has said itself; and where it has said nothing usable, what stands in its forms. */
  private person({ formFields, hashes }: Configuration): Fields {
    const written = Object.entries(this.written).filter(([field]) => formFields.includes(field));
    return { ...matching(Object.fromEntries(written), hashes), ...matching(this.userData, hashes) };
  }

  /** The event as the advertiser's filter leaves it. One that throws lets it pass; what it adds of people is hashed, too. */
  private judged(event: Filtered, { hashes }: Configuration): Filtered | undefined {
    const filter = this.filter;
    if (!filter) return event;
    const passed = quietly(() => filtered(event, filter), event);
    return passed && hashes ? { ...passed, userData: matching(passed.userData, hashes) } : passed;
  }

  /** The same event by both functions goes once. */
  private isTwice({ name, id, road }: Happening): boolean {
    const key = `${name}\n${id}`;
    const before = this.seen.get(key);
    if (this.seen.size < 1_000) this.seen.set(key, road);
    return before !== undefined && before !== road;
  }
}

function body(pixelId: string, event: Filtered, happening: Happening, ids: VisitorIds): Fields {
  const { value, currency } = event.customData;
  return {
    event_name: event.eventName,
    event_id: happening.id,
    "fb.pixel_id": pixelId,
    ...(ids.fbp && { "fb.fbp": ids.fbp }),
    ...(ids.fbc && { "fb.fbc": ids.fbc }),
    "fb.advanced_matching": event.userData,
    custom_data: event.customData,
    ...(value !== undefined && { conversion_value: { value, currency } }),
    website_context: {
      location: happening.location,
      referrer: happening.referrer,
      isInIFrame: quietly(() => window.top !== window, true),
    },
    ...happening.options,
  };
}
