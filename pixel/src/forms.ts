// Advanced matching: what visitors write into the page's forms, of the fields that the advertiser has chosen.

import { quietly } from "./quiet";

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** By autocomplete, which the page says itself; then by type, name and id. */
const KINDS: [field: string, autocomplete: RegExp, name: RegExp][] = [
  ["em", /^email$/, /e-?mail|correo/],
  ["ph", /^tel(-national)?$/, /phone|mobile|telefon|^tel$/],
  ["fn", /^given-name$/, /first[-_ ]?name|^fname|given[-_ ]?name|vorname|nombre/],
  ["ln", /^family-name$/, /last[-_ ]?name|^lname|family[-_ ]?name|surname|nachname|apellido/],
  ["ct", /^address-level2$/, /city|town|ciudad/],
  ["st", /^address-level1$/, /^(.*[-_ ])?(state|province|region)$/],
  ["zp", /^postal-code$/, /zip|post(al)?[-_ ]?code/],
  ["country", /^country$/, /country/],
  ["db", /^bday$/, /birth|^dob$/],
  ["ge", /^sex$/, /gender|^sex$/],
];
/** Nobody reads these, whatever they are called. */
const SECRET = /password|hidden|file|checkbox|submit|button|image|reset/;
const CARD = /^cc-|one-time-code|card|cvc|cvv|iban|passw/;

/** What was written so far, by field. */
export type Written = Record<string, string>;

/** Listens to the page's forms from now on. */
export function readForms(written: Written): void {
  const listen = (event: Event): void => quietly(() => look(event.target, written), undefined);
  document.addEventListener("change", listen, true);
  document.addEventListener("submit", listen, true);
}

function look(target: EventTarget | null, written: Written): void {
  if (target instanceof HTMLFormElement) {
    for (const each of target.elements) read(each, written);
  } else {
    read(target, written);
  }
}

function read(target: unknown, written: Written): void {
  const kind = isField(target) ? kindOf(target) : undefined;
  if (kind) written[kind] = (target as Field).value;
}

function isField(target: unknown): target is Field {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement
  );
}

function kindOf(field: Field): string | undefined {
  const autocomplete = (field.getAttribute("autocomplete") ?? "").toLowerCase().split(/\s+/).pop() ?? "";
  const names = [field.name, field.id].map((name) => name.toLowerCase());
  if (SECRET.test(field.type) || [autocomplete, ...names].some((name) => CARD.test(name))) return undefined;
  if (field.type === "email") return "em";
  if (field.type === "tel" && !autocomplete.startsWith("address")) return "ph";
  const said = KINDS.find(([, pattern]) => pattern.test(autocomplete));
  return (said ?? KINDS.find(([, , pattern]) => names.some((name) => pattern.test(name))))?.[0];
}
