// What is told of a person: brought into Meta's form, and hashed. What cannot be brought into it for certain is left out.
//
// The gateway does the same with what comes in plain text (events/intake/hashing), and knows much more: names of states
// and countries, forms of address. A wrong hash matches nobody, so a test holds each value against the gateway's.

import { isFields } from "./quiet";
import { sha256 } from "./sha256";
import type { Fields } from "./types";

const HASH = /^[0-9a-f]{64}$/i;
const MAX_LENGTH = 500;
/** What programs write where they know nothing. */
const NOTHING = /^(null|undefined|none|n\/a|nan|unknown|guest|anonymous|true|false|not set|\(not set\)|0+)$|[[\]{}<>]/;
const LETTER = "[\\p{L}\\p{M}\\p{N}]";
const NAME = "[\\p{L}\\p{M}\\p{N}_!#$%&'*+/=?^`{|}~-]+";
const COUNTRIES =
  "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz " +
  "ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo " +
  "fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je " +
  "jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo " +
  "mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw " +
  "py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm " +
  "tn to tr tt tv tw tz ua ug um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

const letters = (text: string): string => text.replace(/[^\p{L}\p{M}\p{N}]/gu, "");
const known = (text: string): string => (NOTHING.test(text) ? "" : text);

const NORMAL: Record<string, (text: string) => string> = {
  em: (text) => (email().test(text) ? text : ""),
  ph: (text) => {
    const number = text.replace(/\D/g, "").replace(/^0+/, "");
    return number.length <= 15 ? number : "";
  },
  fn: (text) => letters(known(text)),
  ln: (text) => letters(known(text)),
  ge: (text) => (/^(m|male|man|f|female|woman)$/.test(text) ? (/^[fw]/.test(text) ? "f" : "m") : ""),
  db: birthday,
  ct: (text) => (/\p{L}/u.test(text) ? letters(known(text)) : ""),
  st: (text) => (/^[a-z]{2}$/.test(text) ? text : ""),
  zp: postalCode,
  country: (text) => (/^[a-z]{2}$/.test(text) && COUNTRIES.split(" ").includes(text) ? text : ""),
};

/** Made when it is needed: classes of Unicode cost a page milliseconds. */
function email(): RegExp {
  return new RegExp(`^${NAME}(\\.${NAME})*@${LETTER}+(-+${LETTER}+)*(\\.${LETTER}+(-+${LETTER}+)*)+$`, "u");
}

function birthday(text: string): string {
  const [, year, , month, day] = /^((?:19|20)\d\d)([-/. ]?)(\d\d)\2(\d\d)$/.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return date.getUTCDate() === Number(day) ? `${year}${month}${day}` : "";
}

/** Of an American one, five digits count. */
function postalCode(text: string): string {
  const code = text.replace(/[- ]/g, "").replace(/^(\d{5})\d{4}$/, "$1");
  return /^[a-z0-9]{2,10}$/.test(code) ? known(code) : "";
}

/** What there is to say of a person in `given`, hashed where that is wanted. */
export function matching(given: unknown, hashes: boolean): Fields {
  const found: Fields = {};
  if (!isFields(given)) return found;
  for (const [field, value] of Object.entries(given)) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    const text = String(value).trim();
    if (!text || text.length > MAX_LENGTH) continue;
    const told = hashes ? hashed(field, text) : text;
    if (told) found[field] = told;
  }
  return found;
}

function hashed(field: string, text: string): string {
  if (HASH.test(text)) return text.toLowerCase();
  // The advertiser's own number of a customer, which means nothing elsewhere, is told as it is.
  if (field === "external_id") return text;
  // Characters that nobody sees are no part of it.
  const normal = (Object.hasOwn(NORMAL, field) ? NORMAL[field] : undefined)?.(
    text
      .replace(/\p{Cf}/gu, "")
      .normalize("NFC")
      .trim()
      .toLowerCase(),
  );
  return normal ? sha256(normal) : "";
}
