// The visitor's two ids, in cookies of the advertiser's own domain: _fbp knows the browser, _fbc the click on an ad.

import { place, putIntoJar, tellJar } from "./place";
import { quietly } from "./quiet";

const SECONDS = 90 * 86_400;
const CLICK_ID = /^[A-Za-z0-9_-]{1,500}$/;

/** Where cookies are refused, the ids last as long as the page. */
const kept: Record<string, string> = {};
/** Of the page that the visitor came to: consent may be given on a later address. */
const landed = clicked();

export interface VisitorIds {
  fbp?: string;
  fbc?: string;
}

/** The ids as they are, and, where `makes`, new ones where there are none. */
export function visitorIds(makes: boolean): VisitorIds {
  const fbp = read("_fbp") ?? (makes ? keep("_fbp", String(Math.floor(Math.random() * 1e10))) : undefined);
  const fbc = clickId(makes);
  return { ...(fbp && { fbp }), ...(fbc && { fbc }) };
}

/** Takes the ids from cookies that answer later; `over` is called when they have. */
export function readJar(given: unknown, over: () => void): void {
  tellJar(
    given,
    ["_fbp", "_fbc"],
    (name, value) => {
      kept[name] ??= value;
    },
    over,
  );
}

function clicked(): string | null {
  return quietly(() => new URLSearchParams(place().url.search).get("fbclid"), null);
}

function clickId(makes: boolean): string | undefined {
  const known = read("_fbc");
  const click = clicked() ?? landed;
  if (!makes || !click || !CLICK_ID.test(click) || known?.endsWith(`.${click}`)) return known;
  return keep("_fbc", click);
}

function read(name: string): string | undefined {
  const stored = quietly(() => document.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1], undefined);
  return stored ?? kept[name];
}

/** Keeps a new id on the broadest domain that takes a cookie: that of the website, for all of its subdomains. */
function keep(name: string, rest: string): string {
  const labels = quietly(() => place().url.hostname.split("."), []);
  for (let index = 1; index < labels.length; index += 1) {
    const domain = labels.slice(-index - 1).join(".");
    const id = `fb.${index}.${Date.now()}.${rest}`;
    if (write(name, id, `; domain=${domain}`)) return id;
  }
  const id = `fb.${Math.max(labels.length - 1, 0)}.${Date.now()}.${rest}`;
  if (!write(name, id, "")) {
    kept[name] = id;
    putIntoJar(cookie(name, id));
  }
  return id;
}

function write(name: string, id: string, domain: string): boolean {
  return quietly(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: the other interface answers later, and not in every browser
    document.cookie = cookie(name, id) + domain;
    return document.cookie.includes(`${name}=${id}`);
  }, false);
}

function cookie(name: string, id: string): string {
  const secure = place().url.protocol === "https:" ? "; secure" : "";
  return `${name}=${id}; max-age=${SECONDS}; path=/; samesite=lax${secure}`;
}
