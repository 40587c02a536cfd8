// Sends an event with Meta's SDK for Node.js: node facebook_sdk.cjs SETUP PIXEL_ID TOKEN
// SETUP is the code of docs/sending-events.md that leads the SDK to a gateway.
const {EventRequest, ServerEvent, UserData, CustomData} = require("facebook-nodejs-business-sdk");

const [setup, pixelId, token] = process.argv.slice(2);
new Function("require", setup)(require);

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
