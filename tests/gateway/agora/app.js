// An app that uses the vendor's SDK, for tests: it keeps what the SDK tells it.
window.openApp = ({ sdk, appKey, url, apiUrl, user, options }) => {
  const events = [];
  const connection = new window[sdk].connection({ appKey, url, apiUrl, isHttpDNS: false, ...options });
  const keep = (name) => (data) => events.push([name, plain(data)]);
  connection.addEventHandler("test", Object.fromEntries(EVENTS.map((name) => [name, keep(name)])));
  window.apps = { ...window.apps, [user]: { connection, events } };
};
const EVENTS = [
  "onConnected", "onDisconnected", "onReconnecting", "onError", "onTextMessage", "onReceivedMessage",
  "onDeliveredMessage", "onReadMessage", "onContactInvited", "onContactAgreed", "onContactRefuse",
  "onContactDeleted", "onContactAdded", "onPresenceStatusChange", "onOfflineMessageSyncStart",
  "onOfflineMessageSyncFinish", "onTokenWillExpire", "onTokenExpired", "onOnline", "onOffline",
];
const plain = (data) => JSON.parse(JSON.stringify(data ?? null));
// A promise that settles with what the method resolves or rejects with.
window.callApp = async (user, method, args) => {
  const { connection } = window.apps[user];
  try {
    return { ok: plain(await connection[method](...args)) };
  } catch (error) {
    return { error: { type: error?.type, message: error?.message, data: plain(error?.data) } };
  }
};
window.sendText = (user, sdk, to, msg, more) => {
  const message = window[sdk].message.create({ chatType: "singleChat", type: "txt", to, msg, ...more });
  return window.callApp(user, "send", [message]);
};
