// Pages without a page load: each change of the address is told, unless the page says that it does so itself.

import { quietly } from "./quiet";

/** Calls `changed` with the address that the visitor comes from, after each new one. */
export function watchAddress(changed: (from: string) => void): void {
  let known = location.href;
  // What replaceState has changed since is the same page.
  const look = (): void => {
    const from = known;
    known = location.href;
    if (known !== from) quietly(() => changed(from), undefined);
  };
  addEventListener("popstate", look);
  const original = history.pushState;
  history.pushState = function (this: History, ...given: Parameters<History["pushState"]>): void {
    original.apply(this, given);
    look();
  };
}
