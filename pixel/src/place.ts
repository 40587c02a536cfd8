// The page that the visitor sees. A script that stands in a frame beside it, as Shopify's custom pixels do, is told of it:
// its own window has another address, and no cookies.

import { isFields, quietly, warn } from "./quiet";

/** The cookies of the visitor's page, which answers later. */
export interface Jar {
  get: (name: string) => Promise<unknown>;
  set: (cookie: string) => Promise<unknown>;
}

/** So long a jar may take, in milliseconds; then events go without what is in it. */
const PATIENCE = 2_000;

let told: { url: URL; referrer: string } | undefined;
let jar: Jar | undefined;
let waits = false;

/** The address of the page, and where the visitor came from, if that was told. */
export function place(): { url: URL | Location; referrer?: string } {
  return told ?? { url: location };
}

/** `cbq("set", "page", {location, referrer})`. */
export function tellPage(given: unknown): void {
  const said = isFields(given) ? given : {};
  const url = quietly(() => new URL(String(said.location)), undefined);
  if (url && /^https?:$/.test(url.protocol)) told = { url, referrer: String(said.referrer ?? "") };
  else warn("set 'page' takes {location: 'https://…', referrer: '…'}.");
}

/** `cbq("set", "cookies", browser.cookie)`: `over` is called when it has answered, or will not. */
export function tellJar(
  given: unknown,
  names: string[],
  found: (name: string, value: string) => void,
  over: () => void,
) {
  const asked = quietly(() => {
    const its = given as Jar;
    const answers = names.map((name) => its.get(name));
    jar = its;
    return Promise.all(answers);
  }, undefined);
  if (!asked) {
    warn("set 'cookies' takes what has get and set, such as Shopify's browser.cookie.");
    return;
  }
  waits = true;
  const end = (): void => {
    if (!waits) return;
    waits = false;
    quietly(over, undefined);
  };
  setTimeout(end, PATIENCE);
  asked
    .then((values) => {
      names.forEach((name, index) => {
        if (typeof values[index] === "string" && values[index]) found(name, values[index]);
      });
    })
    .catch(() => undefined)
    .then(end);
}

/** Is the jar still to answer? */
export function waitsForJar(): boolean {
  return waits;
}

/** Puts a cookie into the jar, where there is one. */
export function putIntoJar(cookie: string): void {
  quietly(() => jar?.set(cookie)?.catch?.(() => undefined), undefined);
}
