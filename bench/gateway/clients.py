"""A chat client for each protocol of the gateway, as its SDK behaves."""

import itertools
import json
import struct
from collections import deque
from typing import Any
from urllib.parse import urlencode

from bench.gateway.swarm import TEXT, ChatClient
from gateway.agora.frames import BodyType, Command, types
from gateway.agora.frames import Namespace as AgoraNamespace
from gateway.rongcloud.frames import Type, messages


class RollcallClient(ChatClient):
    def target(self) -> str:
        return "/gateway"

    _after = 0

    def begin(self) -> None:
        account = self.account
        first = {"app_key": account.app_key, "token": account.token, "device": "bench"}
        self._say({**first, "after": self._after} if self._after else first)

    def resume(self, former: ChatClient) -> None:
        assert isinstance(former, RollcallClient)  # noqa: S101
        self._after = former._after

    def hear(self, frame: bytes) -> None:
        heard = json.loads(frame)
        event = heard.get("event")
        if event == "message":
            ids = [heard["message_id"]]
            self._after = heard["message_id"]
            self._say({"id": "", "call": "message.acknowledge", "message_ids": ids})
            self._owner.received(self, heard["body"])
        elif event == "connected":
            self._owner.entered(self)
        elif event is None and heard["id"] != "":
            self._owner.stored(self, "" if heard["ok"] else heard["error"])

    def write(self, to: str, number: int, body: str) -> None:
        self._say(
            {
                "id": number,
                "call": "message.send",
                "to": to,
                "client_id": f"{number}-{self.number}",
                "body": body,
            }
        )

    def _say(self, frame: dict[str, Any]) -> None:
        self.say(json.dumps(frame).encode(), TEXT)


class RongCloudClient(ChatClient):
    """Asks for messages when it is told that some wait, and again when it has received them; one
    question at a time.
    """

    _ids = itertools.count(1)
    _cursor = 0
    _is_asking = _something_waits = False

    def target(self) -> str:
        query = {
            "appId": self.account.app_key,
            "token": self.account.token,
            "sdkVer": "5.38.0",
            "deviceId": "bench",
            "apiVer": "browser|Chrome|156.0.0.0",
            "protocolVer": "3",
        }
        return f"/websocket?{urlencode(query)}"

    def begin(self) -> None:
        """The handshake says it all."""

    def resume(self, former: ChatClient) -> None:
        assert isinstance(former, RongCloudClient)  # noqa: S101
        self._cursor = former._cursor

    def hear(self, frame: bytes) -> None:
        match frame[0] >> 4:
            case Type.CONNACK if frame[2] == 0:
                self._pull()
                self._owner.entered(self)
            case Type.PUBLISH:
                self._pull()
            case Type.PUBACK:
                (status,) = struct.unpack_from(">H", frame, 7)
                self._owner.stored(self, str(status or ""))
            case Type.QUERYACK:
                self._is_asking = False
                (status,) = struct.unpack_from(">H", frame, 7)
                if status:  # the gateway tells again when it can look
                    return
                answer = messages.DownStreamMessages.FromString(frame[9:])
                self._cursor = answer.syncTime
                if self._something_waits or not answer.finished:
                    self._pull()
                for each in answer.list:
                    self._owner.received(self, json.loads(each.content)["content"])

    def write(self, to: str, number: int, body: str) -> None:
        message = messages.UpStreamMessage(
            classname="RC:TxtMsg", content=json.dumps({"content": body}), clientUniqueId=number
        )
        self._ask(Type.PUBLISH, "ppMsgP", to, message)

    def _pull(self) -> None:
        self._something_waits = self._is_asking
        if self._is_asking:
            return
        self._is_asking = True
        asked = messages.SyncRequestMsg(syncTime=self._cursor)
        self._ask(Type.QUERY, "pullMsg", self.account.user_id, asked)

    def _ask(self, kind: Type, topic: str, target: str, message: Any) -> None:
        texts = b"".join(struct.pack(">H", len(text)) + text.encode() for text in (topic, target))
        number = struct.pack(">H", next(self._ids) % 65_536)
        self.say(bytes((kind << 4,)) + texts + number + message.SerializeToString())


class AgoraClient(ChatClient):
    """Is sent messages once it has asked, and says when it has them. It skips those that it has
    seen lately.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._seen: deque[int] = deque(maxlen=100)

    def resume(self, former: ChatClient) -> None:
        assert isinstance(former, AgoraClient)  # noqa: S101
        self._seen = former._seen

    def target(self) -> str:
        return "/gateway/agora"

    def begin(self) -> None:
        account = self.account
        self._say(
            Command.PROVISION,
            types.Provision(resource="webim_bench"),
            guid=types.Address(
                app_name=account.app_name, name=account.user_id, domain="easemob.com"
            ),
            auth=f"$t${account.token}",
        )

    def hear(self, frame: bytes) -> None:
        heard = types.MSync.FromString(frame)
        if heard.command == Command.PROVISION:
            if types.Provision.FromString(heard.payload).status.code == 0:
                self._fetch()
                self._owner.entered(self)
        elif heard.command == Command.SYNC:
            answer = types.SyncDown.FromString(heard.payload)
            if answer.meta_id:
                self._owner.stored(self, answer.status.reason)
            elif answer.metas:
                self._fetch(key=answer.next_key)
            for meta in answer.metas:
                if meta.namespace == AgoraNamespace.CHAT and meta.id not in self._seen:
                    self._seen.append(meta.id)
                    body = types.MessageBody.FromString(meta.payload)
                    self._owner.received(self, body.contents[0].text)

    def write(self, to: str, number: int, body: str) -> None:
        content = types.MessageBody(type=BodyType.CHAT, contents=[types.Content(type=0, text=body)])
        meta = types.Meta(
            id=number,
            recipient=types.Address(name=to),
            namespace=AgoraNamespace.CHAT,
            payload=content.SerializeToString(),
        )
        self._say(Command.SYNC, types.SyncUp(meta=meta))

    def _fetch(self, **fields: int) -> None:
        self._say(Command.SYNC, types.SyncUp(queue=types.Address(name="me"), **fields))

    def _say(self, command: Command, payload: Any, **fields: Any) -> None:
        packed = payload.SerializeToString()
        frame = types.MSync(version=0, command=command, payload=packed, **fields)
        self.say(frame.SerializeToString())


CLIENTS: dict[str, type[ChatClient]] = {
    "rollcall": RollcallClient,
    "rongcloud": RongCloudClient,
    "agora": AgoraClient,
}
