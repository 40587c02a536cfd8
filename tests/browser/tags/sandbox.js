// A shim of Google Tag Manager's sandboxed JavaScript: what its `require` gives to a template of a web tag.
// As there, values are copied on their way between the template and the page, and a template's `arguments` come out as
// an array. It checks no permissions, which are declared for GTM's own reviewers.
// `gtm.run(code, data)` runs a template; `gtm.consent` and `gtm.setConsent(type, granted)` are the page's consent.

(() => {
  const inside = { listeners: [], storage: {}, scripts: {} };
  const gtm = { consent: {}, outcomes: [] };
  window.gtm = gtm;
  window.dataLayer = window.dataLayer || [];

  const typeOf = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

  function copy(value) {
    if (typeof value === "function") return (...given) => copy(value(...copy(given)));
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value) || Object.prototype.toString.call(value) === "[object Arguments]")
      return Array.from(value, copy);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copy(each)]));
  }

  /** What holds a path's last part, and that part. */
  function find(path) {
    const parts = path.split(".");
    const last = parts.pop();
    return [parts.reduce((at, part) => at?.[part], window), last];
  }

  function read(path) {
    const [holder, name] = find(path);
    return holder?.[name];
  }

  function write(path, value) {
    const [holder, name] = find(path);
    if (holder === undefined || holder === null) return false;
    holder[name] = value;
    return true;
  }

  function createQueue(path) {
    if (read(path) === undefined) write(path, []);
    return (...given) => read(path).push(...copy(given));
  }

  function injectScript(address, onSuccess, onFailure, token = address) {
    inside.scripts[token] ??= new Promise((loaded, failed) => {
      const script = document.createElement("script");
      script.async = true;
      script.src = address;
      script.onload = loaded;
      script.onerror = failed;
      document.head.append(script);
    });
    inside.scripts[token].then(() => onSuccess?.(), () => onFailure?.());
  }

  function sha256(text, onSuccess, onFailure, { outputEncoding = "base64" } = {}) {
    crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)).then((digest) => {
      const bytes = Array.from(new Uint8Array(digest));
      const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
      onSuccess(outputEncoding === "hex" ? hex : btoa(String.fromCharCode(...bytes)));
    }, onFailure);
  }

  /** Of version 1 what the last message says, of version 2 what all have said. */
  function copyFromDataLayer(key, version = 2) {
    const told = version === 1 ? window.dataLayer.slice(-1) : window.dataLayer;
    return copy(key.split(".").reduce((at, part) => at?.[part], Object.assign({}, ...told)));
  }

  function parseUrl(address) {
    if (!URL.canParse(address)) return undefined;
    const url = new URL(address);
    const names = ["href", "origin", "protocol", "host", "hostname", "port", "pathname", "search", "hash"];
    return {
      ...Object.fromEntries(names.map((name) => [name, url[name]])),
      searchParams: Object.fromEntries(url.searchParams),
    };
  }

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  const apis = {
    JSON: { parse, stringify: (value) => JSON.stringify(value) },
    Math,
    Object: { keys: Object.keys, values: Object.values, entries: Object.entries, freeze: Object.freeze },
    addConsentListener: (type, listener) => inside.listeners.push([type, listener]),
    aliasInWindow: (to, from) => read(from) !== undefined && write(to, read(from)),
    callInWindow: (path, ...given) => {
      const [holder, name] = find(path);
      return typeof holder?.[name] === "function" ? copy(holder[name](...copy(given))) : undefined;
    },
    copyFromDataLayer,
    copyFromWindow: (path) => copy(read(path)),
    createQueue,
    getType: typeOf,
    injectScript,
    isConsentGranted: (type) => gtm.consent[type] !== false,
    localStorage: {
      getItem: (key) => localStorage.getItem(key),
      setItem: (key, value) => localStorage.setItem(key, value),
      removeItem: (key) => localStorage.removeItem(key),
    },
    logToConsole: (...given) => console.log(...given),
    makeNumber: Number,
    makeString: String,
    makeTableMap: (rows, key, value) => Object.fromEntries((rows ?? []).map((row) => [row[key], row[value]])),
    parseUrl,
    setInWindow: (path, value, overrides = false) =>
      (overrides || read(path) === undefined) && write(path, copy(value)),
    sha256,
    templateStorage: {
      getItem: (key) => inside.storage[key] ?? null,
      setItem: (key, value) => {
        inside.storage[key] = value;
      },
    },
  };

  function require(name) {
    if (!Object.hasOwn(apis, name)) throw new Error(`The shim has no ${name}.`);
    return apis[name];
  }

  gtm.setConsent = (type, granted) => {
    gtm.consent[type] = granted;
    for (const [asked, listener] of inside.listeners) if (asked === type) listener(type, granted);
  };

  /** Runs a template as a tag that fires; `gtm.outcomes` notes what it tells of itself. */
  gtm.run = (code, data) => {
    const template = new Function("require", "data", "window", "document", "globalThis", `"use strict";${code}`);
    template(require, {
      ...data,
      gtmOnSuccess: () => gtm.outcomes.push("success"),
      gtmOnFailure: () => gtm.outcomes.push("failure"),
    });
  };
})();
