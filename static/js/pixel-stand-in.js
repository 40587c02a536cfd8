// A stand-in for the Meta Pixel where it mirrors events to a gateway. Tests use it, and the page "Test from the browser":
// Meta's own script is not there. It posts as captures of public pages show it of Meta's, and does nothing else.
//
//   const pixel = pixelStandIn(gateway, "18904456377094531");
//   const { status, attempts, message } = await pixel.track("Purchase", { value: 12, currency: "EUR" }, { eventID: "order-1" });
//
// A status of 0 means that no answer came. What has none when the page goes is sent once more, as a beacon. Each attempt
// has the same event id, so that Meta counts one event.
{
  const WAITS = [1_000, 3_000, 9_000]; // before each further attempt, in milliseconds
  const COOKIE_SECONDS = 90 * 86_400;

  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const isPassing = (status) => status === 0 || status === 429 || status >= 500;

  const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; max-age=${COOKIE_SECONDS}; path=/; samesite=lax`;
    return value;
  };
  const newId = (rest) => `fb.1.${Date.now()}.${rest}`;
  const browserId = () => cookie("_fbp") ?? keep("_fbp", newId(Math.floor(Math.random() * 1e10)));
  const clickId = () => {
    const clicked = new URLSearchParams(location.search).get("fbclid");
    const known = cookie("_fbc");
    return clicked && !known?.endsWith(`.${clicked}`) ? keep("_fbc", newId(clicked)) : known;
  };
  const eventId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    return `ob3_plugin-set_${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  };

  const ask = async (address, body) => {
    try {
      // A text goes as text/plain, which no browser asks about before.
      const answer = await fetch(address, { method: "POST", body, credentials: "include" });
      return { status: answer.status, message: await answer.text() };
    } catch {
      return { status: 0, message: "" };
    }
  };

  window.pixelStandIn = (endpoint, pixelId, options = {}) => {
    const { waits = WAITS, matching = {}, keepsCookies = true, page = location.href, referrer = document.referrer } = options;
    const address = `${endpoint}/events?cee=no`;
    const unanswered = new Set();

    const write = (name, data, id) =>
      JSON.stringify({
        event_name: name,
        "fb.dynamic_product_ads": {},
        custom_data: data,
        event_id: id,
        "fb.pixel_id": pixelId,
        "fb.advanced_matching": matching,
        website_context: { location: page, referrer, isInIFrame: window.top !== window },
        ...(keepsCookies && { "fb.fbp": browserId(), "fb.clickID": clickId() }),
      });

    window.addEventListener("pagehide", () => {
      for (const body of unanswered) navigator.sendBeacon(address, body);
      unanswered.clear();
    });

    return {
      async track(name, data = {}, { eventID = eventId() } = {}) {
        const body = write(name, data, eventID);
        unanswered.add(body);
        let answer = await ask(address, body);
        let attempts = 1;
        for (const wait of waits) {
          if (!isPassing(answer.status)) break;
          await sleep(wait);
          if (!unanswered.has(body)) break; // the page went, and the beacon with it
          answer = await ask(address, body);
          attempts += 1;
        }
        unanswered.delete(body);
        return { ...answer, attempts };
      },
    };
  };
}
