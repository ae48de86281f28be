// Runs Agora Chat's web SDK in a frame of the page "Try it". See frame.js.
"use strict";

async function openClient({ sdk: address, appName, token, userId, gateway, api }, tell) {
  const before = new Set(Object.keys(window));
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`Nothing was loaded from ${address}.`));
    document.head.append(script);
  });
  const sdk = Object.keys(window)
    .filter((name) => !before.has(name))
    .map((name) => window[name])
    .find((each) => each?.connection && each?.message);
  if (!sdk) throw new Error(`${address} is not the SDK.`);
  const connection = new sdk.connection({
    appKey: appName,
    url: `${gateway.replace("http", "ws")}/gateway/agora`,
    apiUrl: api,
    isHttpDNS: false,
  });
  let ending = null;
  connection.addEventHandler("try-it", {
    onConnected: () => tell("connected"),
    onReconnecting: () => tell("closed", { code: 0, reason: "reconnecting", final: false }),
    onError: (error) => (ending = error),
    onDisconnected: () => {
      const { type = 1000, message = "" } = ending ?? {};
      tell("closed", { code: type, reason: message || "disconnected", final: true });
    },
    onTextMessage: ({ from, to, msg, time }) =>
      tell("message", { from, to, body: msg, sentAt: time }),
  });
  await connection.open({ user: userId, accessToken: token }).catch(({ type, message }) =>
    tell("closed", { code: type, reason: message, final: true }));
  const refused = ({ type, message }) => {
    throw { error: String(type), message };
  };
  return {
    send: (to, msg) =>
      connection
        .send(sdk.message.create({ chatType: "singleChat", type: "txt", to, msg }))
        .then(() => {}, refused),
    block: (verb, name) =>
      (verb === "add"
        ? connection.addUsersToBlocklist({ name: [name] })
        : connection.removeUserFromBlocklist({ name: [name] })
      ).then(() => {}, refused),
    close: () => connection.close(),
  };
}
