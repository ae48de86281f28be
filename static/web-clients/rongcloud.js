// Runs RongCloud's web SDK in a frame of the page "Try it". See frame.js.
"use strict";

async function openClient({ sdk: address, appKey, token, gateway }, tell) {
  const sdk = await import(address);
  const nameOf = (code) => sdk.ErrorCode[code] ?? "closed";
  const check = ({ code }) => {
    if (code) throw { error: `${code} ${nameOf(code)}`, message: "" };
  };
  sdk.init({ appkey: appKey, navigators: [gateway] });
  sdk.addEventListener(sdk.Events.CONNECTED, () => tell("connected"));
  sdk.addEventListener(sdk.Events.SUSPEND, (code) =>
    tell("closed", { code, reason: nameOf(code), final: false }));
  sdk.addEventListener(sdk.Events.DISCONNECT, (code) =>
    tell("closed", { code, reason: nameOf(code), final: true }));
  sdk.addEventListener(sdk.Events.MESSAGES, ({ messages }) => {
    for (const { senderUserId, targetId, messageDirection, content, sentTime } of messages) {
      const to = messageDirection === sdk.MessageDirection.SEND ? targetId : undefined;
      tell("message", { from: senderUserId, to, body: content.content, sentAt: sentTime });
    }
  });
  await sdk.connect(token);
  const conversation = (targetId) => ({ conversationType: sdk.ConversationType.PRIVATE, targetId });
  return {
    send: async (to, content) =>
      check(await sdk.sendMessage(conversation(to), new sdk.TextMessage({ content }))),
    block: async (verb, userId) =>
      check(await (verb === "add" ? sdk.addToBlacklist(userId) : sdk.removeFromBlacklist(userId))),
    close: () => sdk.disconnect(),
  };
}
