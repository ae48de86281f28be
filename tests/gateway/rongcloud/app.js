// An app that uses RongCloud's web SDK: it keeps what the SDK tells it, for tests.
import * as sdk from "imlib";

window.sdk = sdk;
window.events = [];
window.received = [];

const keep = (name) => (details) => window.events.push([name, details?.code ?? details ?? null]);

window.start = (appkey, navigators) => {
  sdk.init({ appkey, navigators });
  for (const name of ["CONNECTED", "SUSPEND", "DISCONNECT"]) {
    sdk.addEventListener(sdk.Events[name], keep(name));
  }
  sdk.addEventListener(sdk.Events.MESSAGES, ({ messages }) => window.received.push(...messages));
  sdk.addEventListener(sdk.Events.READ_RECEIPT_RECEIVED, ({ conversation, messageUId, sentTime }) => {
    window.events.push(["READ", conversation.targetId, messageUId, sentTime]);
  });
  sdk.addEventListener(sdk.Events.SUBSCRIBED_USER_STATUS_CHANGE, (statuses) => {
    for (const { userId, details } of statuses) {
      window.events.push(["STATUS", userId, details.map((each) => each.eventValue)]);
    }
  });
};

window.conversation = (targetId) => ({ conversationType: sdk.ConversationType.PRIVATE, targetId });
window.say = (targetId, content) =>
  sdk.sendMessage(window.conversation(targetId), new sdk.TextMessage({ content }));
