// Sends events, keeps in memory what has not arrived, and hands the browser the rest when the page goes.

import { quietly, warn } from "./quiet";

/** Before each further attempt, in milliseconds; the last holds for all that follow. */
const WAITS = [1_000, 3_000, 9_000, 27_000, 60_000] as const;
/** More than a visitor does on a page. */
const MAX_LETTERS = 100;
/** What the gateway takes. */
const MAX_BYTES = 65_536;
/** No answer puts an event off for longer, and browsers' timers end at 2^31 milliseconds. */
const MAX_WAIT = 3_600_000;

/** Does a request outlive its page? Firefox before version 133 ends it. */
const outlives = quietly(() => "keepalive" in Request.prototype, false);

export interface Letter {
  address: string;
  body: string;
  /** Is there no need of it any more? Asked before each attempt. */
  isSettled?: () => boolean;
  /** Does the visitor still agree? Asked before each attempt, too. */
  isAllowed: () => boolean;
}

interface Waiting extends Letter {
  /** No sooner, in milliseconds of the page, whoever wants to go on. */
  due: number;
  attempts: number;
  isUnderWay: boolean;
  timer: number;
}

const letters = new Set<Waiting>();

/** Sends a letter, after a delay in milliseconds where that is given. */
export function send(letter: Letter, delay = 0): void {
  // Of more bytes browsers refuse to let a request outlive its page, so it would be tried for ever.
  if (new Blob([letter.body]).size > MAX_BYTES || letters.size >= MAX_LETTERS) {
    warn("An event was not sent: it is too large, or too many wait.");
    return;
  }
  const waiting: Waiting = { ...letter, due: performance.now() + delay, attempts: 0, isUnderWay: false, timer: 0 };
  letters.add(waiting);
  if (delay) schedule(waiting, delay);
  else attempt(waiting);
}

/** Goes on with what has waited for consent, or for the network. */
export function resume(): void {
  for (const letter of letters) if (!letter.isUnderWay) schedule(letter, 0);
}

function schedule(letter: Waiting, delay: number): void {
  clearTimeout(letter.timer);
  const wait = Math.max(delay, letter.due - performance.now());
  letter.timer = setTimeout(() => quietly(() => attempt(letter), undefined), wait);
}

function attempt(letter: Waiting): void {
  if (!letters.has(letter) || letter.isUnderWay) return;
  if (letter.isSettled?.()) {
    letters.delete(letter);
    return;
  }
  if (!letter.isAllowed()) return;
  letter.isUnderWay = true;
  letter.attempts += 1;
  const over = (status: number, wanted = 0): void => quietly(() => settle(letter, status, wanted), undefined);
  const failed = (): void => over(0);
  quietly(() => {
    // A text goes as text/plain, which no browser asks about before.
    fetch(letter.address, { method: "POST", body: letter.body, keepalive: true, credentials: "omit" })
      .then((answer) => over(answer.status, Number(answer.headers.get("Retry-After")) * 1_000))
      .catch(failed);
    return true;
  }, false) || failed();
}

function settle(letter: Waiting, status: number, wanted: number): void {
  letter.isUnderWay = false;
  const isPassing = status === 0 || status === 429 || status >= 500;
  if (!isPassing) {
    letters.delete(letter);
    if (status >= 400) warn(`The gateway has refused an event (${status}).`);
    return;
  }
  const wait = WAITS[Math.min(letter.attempts, WAITS.length) - 1] as number;
  schedule(letter, Math.min(Math.max(wait, wanted || 0), MAX_WAIT));
}

/** What waits goes as beacons, and what is under way, too, where it would end with the page. */
function leave(): void {
  for (const letter of letters) {
    if ((letter.isUnderWay && outlives) || !letter.isAllowed()) continue;
    // One that cannot go keeps no other back.
    const hasGone = quietly(() => letter.isSettled?.() || navigator.sendBeacon(letter.address, letter.body), false);
    // Without a network a beacon is lost, and the visitor may step back to the page as it was.
    if (hasGone && navigator.onLine) letters.delete(letter);
  }
}

addEventListener("pagehide", () => quietly(leave, undefined));
addEventListener("online", () => quietly(resume, undefined));
