// Sends an event with Meta's SDK for Node.js: node facebook_sdk.cjs GATEWAY PIXEL_ID TOKEN
const {FacebookAdsApi, EventRequest, ServerEvent, UserData, CustomData} = require("facebook-nodejs-business-sdk");

const [gateway, pixelId, token] = process.argv.slice(2);

FacebookAdsApi.init(token, "en_US", false);
Object.defineProperty(FacebookAdsApi, "GRAPH", {value: gateway});

const event = new ServerEvent()
  .setEventName("Purchase")
  .setEventTime(Math.floor(Date.now() / 1000))
  .setEventId("order-1")
  .setActionSource("website")
  .setEventSourceUrl("https://shop.example.com/thanks")
  .setUserData(new UserData().setEmails(["ada@example.com"]).setClientUserAgent("Mozilla/5.0"))
  .setCustomData(new CustomData().setCurrency("eur").setValue(19.99));

new EventRequest(token, pixelId, [event]).setTestEventCode("TEST1").execute().then(
  (answer) => console.log(JSON.stringify({received: answer.events_received, trace: answer.fbtrace_id, messages: answer.messages})),
  (error) => console.log(JSON.stringify({status: error.status, message: error.message})),
);
