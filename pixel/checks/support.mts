// What MDN's data tell of a feature: do all of the oldest browsers have it?

import bcd from "@mdn/browser-compat-data" with { type: "json" };

/** By MDN's names of browsers, the oldest version that the script is made for. */
export type Targets = Record<string, number>;

interface Statement {
  version_added: string | false;
  version_removed?: string;
  prefix?: string;
  alternative_name?: string;
  partial_implementation?: true;
  flags?: unknown[];
}

type Support = Record<string, Statement | Statement[]>;
type Entry = { __compat?: { support: Support } } & { [name: string]: Entry };

/** What MDN has under the first of these names that it knows: "api.Window.location". */
export function find(names: string[]): { name: string; support: Support } | undefined {
  for (const name of names) {
    let entry: Entry | undefined = bcd as unknown as Entry;
    for (const part of name.split(".")) entry = entry && Object.hasOwn(entry, part) ? entry[part] : undefined;
    if (entry?.__compat) return { name, support: entry.__compat.support };
  }
  return undefined;
}

/** The browsers of these versions that lack it. */
export function lacking(support: Support, targets: Targets): string[] {
  const lacks = ([browser, version]: [string, number]): boolean =>
    ![support[browser] ?? []].flat().some((statement) => holds(statement, version));
  return Object.entries(targets)
    .filter(lacks)
    .map(([browser, version]) => `${browser} ${version}`);
}

function holds(statement: Statement, version: number): boolean {
  const { version_added: added, version_removed: removed, prefix, alternative_name, flags } = statement;
  if (!added || prefix || alternative_name || flags || statement.partial_implementation) return false;
  return number(added) <= version && (!removed || number(removed) > version);
}

/** Of "≤37" and "16.4"; what is not out yet comes after all others. */
function number(version: string): number {
  return version === "preview" ? Number.POSITIVE_INFINITY : Number.parseFloat(version.replace("≤", ""));
}
