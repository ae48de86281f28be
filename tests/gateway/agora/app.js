// An app with the vendor's SDK: it keeps what the SDK tells it.
const EVENTS = [
  "onConnected", "onDisconnected", "onReconnecting", "onError", "onTextMessage", "onDeliveredMessage",
  "onReadMessage", "onContactInvited", "onContactAgreed", "onContactAdded", "onContactRefuse",
  "onContactDeleted", "onPresenceStatusChange", "onOfflineMessageSyncStart", "onOfflineMessageSyncFinish",
];
const plain = (data) => JSON.parse(JSON.stringify(data ?? null));
const connections = {};
const events = {};

window.openApp = (user, options) => {
  const connection = new WebIM.connection({ isHttpDNS: false, delivery: true, deviceId: user, ...options });
  events[user] = [];
  const keep = (name) => (data) => events[user].push([name, plain(data)]);
  connection.addEventHandler("app", Object.fromEntries(EVENTS.map((name) => [name, keep(name)])));
  connections[user] = connection;
};

// What a method of the SDK resolves with, or the error that it rejects with.
window.callApp = async (user, method, given) => {
  try {
    return { ok: plain(await connections[user][method](...given)) };
  } catch (error) {
    return { error: error.type, message: error.message };
  }
};

window.sendApp = (user, message) =>
  callApp(user, "send", [WebIM.message.create({ chatType: "singleChat", ...message })]);

// Takes the first event of this name, waiting for it; its data in a list.
window.nextEvent = async (user, name, patience) => {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    const at = events[user].findIndex(([each]) => each === name);
    if (at >= 0) return [events[user].splice(at, 1)[0][1]];
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no ${name} for ${user}, but ${JSON.stringify(events[user])}`);
};
