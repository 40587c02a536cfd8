// A shim of Shopify's sandbox for custom pixels: a frame without an origin, in which there are `analytics` and `browser`.
// `shop.run(code)` runs a custom pixel; `shop.publish(name, data, id)` is something that happens on the visitor's page.
// As there, an event is a copy with the page in its context, and cookies are those of the top frame, and come later.

(() => {
  const inFrame = () => {
    const listeners = {};
    const asked = [];
    const ask = (...given) =>
      new Promise((answered) => parent.postMessage({ number: asked.push(answered) - 1, given }, "*"));
    window.analytics = {
      subscribe: (name, listener) => {
        listeners[name] = listener;
      },
    };
    window.browser = { cookie: { get: (name) => ask("get", name), set: (cookie) => ask("set", cookie) } };
    addEventListener("message", ({ data }) => {
      if (data.event) listeners[data.event.name]?.(data.event);
      else asked[data.number](data.answer);
    });
    addEventListener("error", ({ message }) => parent.postMessage({ error: message }, "*"));
  };

  const shop = { errors: [] };
  window.shop = shop;
  let frame;

  const cookie = (method, given) => {
    if (method === "set") document.cookie = given;
    return document.cookie.match(`(?:^|; )${given}=([^;]+)`)?.[1] ?? "";
  };

  addEventListener("message", ({ data, source }) => {
    if (source !== frame?.contentWindow) return;
    if (data.error) shop.errors.push(data.error);
    else setTimeout(() => source.postMessage({ number: data.number, answer: cookie(...data.given) }, "*"), 30);
  });

  shop.run = (code) =>
    new Promise((loaded) => {
      frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts allow-forms";
      frame.onload = loaded;
      frame.srcdoc = `<script>(${inFrame})()<` + `/script><script>${code}<` + "/script>";
      document.body.append(frame);
    });

  shop.publish = (name, data = {}, id = name) => {
    const page = { location: { href: location.href }, referrer: document.referrer, title: document.title };
    frame.contentWindow.postMessage({ event: { id, name, data, context: { document: page } } }, "*");
  };
})();
