// What the modules tell each other, and what the gateway serves with the script (events/script/configuration.py).

export type Fields = Record<string, unknown>;

/** By which function of the page an event came. */
export type Road = "cbq" | "fbq";

export interface Configuration {
  id: string;
  /** A mirror repeats what the page tells the Meta Pixel of this id; a source has events of its own. */
  kind: "mirror" | "source";
  /** Where events go, unless the page names a host: "https://gateway.example.com". */
  endpoint: string;
  /** Nothing leaves the browser while it is false. */
  active: boolean;
  blockedEvents: string[];
  /** By domain: are events of its pages dropped? The longest domain that covers a page decides. */
  websites: Record<string, boolean>;
  /** Where there are any, pages of other websites send nothing. */
  listed: string[];
  /** May it keep _fbp and _fbc? */
  cookies: boolean;
  /** What is read of the page's forms. */
  formFields: string[];
  /** Are contact data hashed before they leave? */
  hashes: boolean;
  /** Are the page's calls of fbq taken, too? */
  forks: boolean;
  /** Of the advertiser's own filter, which is a file of its own: changes with it. Empty where there is none. */
  filter: string;
  /** A mirror's: does Meta know the gateway's address, so that the pixel may send by itself? */
  registered: boolean;
}

/** What the advertiser's own filter gets, and gives back changed. */
export interface Filtered {
  eventName: string;
  domainUrl: string;
  userData: Fields;
  customData: Fields;
}

export type Filter = (event: Filtered) => unknown;

/** What stands in the served file. */
export interface Served {
  configuration?: Configuration;
}

export type Call = unknown[];

/** The function that the page calls, with what loaders and this script keep at it. */
export interface Cbq {
  (...call: Call): unknown;
  callMethod?: (...call: Call) => void;
  apply: (self: unknown, call: unknown) => unknown;
  queue?: ArrayLike<unknown>[];
  push?: unknown;
  loaded?: boolean;
  version?: string;
  initialized?: boolean;
  disablePushState?: boolean;
  /** Set by whoever listens to fbq, so that nobody does twice. */
  taps?: boolean;
  /** Adds what another served file holds to the script that runs already. */
  configure?: (served: Served) => void;
  /** Called by the file that an advertiser's filter stands in. */
  filter?: (id: string, filter: unknown) => void;
}

export interface Page extends Window {
  cbq?: Cbq;
  _cbq?: Cbq;
  fbq?: unknown;
  _fbq?: unknown;
}
