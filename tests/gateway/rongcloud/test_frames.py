"""The bytes on the wire. The hex was captured from RongCloud's web SDKs."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.unix_time import milliseconds
from gateway import protobuf
from gateway.closings import Reason
from gateway.rongcloud import attributes, calls, frames, words
from gateway.rongcloud.frames import BadFrame, Received, Type, messages
from gateway.rongcloud.inbox import Inbox
from moderation.gates import ConnectRule, MessageRule
from users.extras import Extra

NOW = datetime(2026, 11, 21, 12, 30, 5, 900_999, tzinfo=UTC)
SENT = (
    "32000670704d7367500003626f62000b0803120952433a5478744d73671a357b22636f6e74656e74223a2268656c6c"
    "6f2c20e4bda0e5a5bd2c20f09f98802031373935323731373832383930313831383330227d4802509981a0fcb889fd"
    "03b00100"
)
CAPTURED = {
    "c0": Received(Type.PINGREQ),
    "400001": Received(Type.PUBACK),
    "50000771417070426f740005616c6963650001": Received(Type.QUERY, "qAppBot", "alice", 1),
    "50000770756c6c4d73670005616c6963650005080010002001300038014801": Received(
        Type.QUERY, "pullMsg", "alice", 5, bytes.fromhex("080010002001300038014801")
    ),
    "52000770756c6c4d73670003626f6200010800100020013000": Received(
        Type.QUERY, "pullMsg", "bob", 1, bytes.fromhex("0800100020013000")
    ),
    "500008616464426c61636b0005616c69636500020a05616c696365": Received(
        Type.QUERY, "addBlack", "alice", 2, b"\n\x05alice"
    ),
}


@pytest.mark.parametrize("frame", CAPTURED)
def test_what_the_sdk_says_is_understood(frame):
    assert frames.parse(bytes.fromhex(frame)) == CAPTURED[frame]


def test_a_text_message_is_understood():
    sent = frames.parse(bytes.fromhex(SENT))
    assert (sent.topic, sent.target, sent.id) == ("ppMsgP", "bob", 11)
    message = protobuf.read(messages.UpStreamMessage, sent.payload)
    assert message.classname == calls.TEXT
    content = attributes.content_of(message)
    assert attributes.read(message, content) == ("hello, 你好, 😀 1795271782890181830", Extra())
    assert message.clientUniqueId == 2238930204754073


def test_what_the_gateway_says_is_as_the_sdk_expects_it():
    at = datetime.fromtimestamp(1_795_271_654.342, tz=UTC)
    assert frames.connected(user_id="alice", session_id="c0d038beaeab", now=at, with_mask=False)[
        :10
    ] == bytes.fromhex("20000000 05616c696365".replace(" ", ""))
    masked = frames.connected(user_id="alice", session_id="627823dc6f58", now=at, with_mask=True)
    assert masked.startswith(bytes.fromhex("200000070005616c696365000c363237383233646336663538"))
    assert masked[-8:] == (1_795_271_654_342).to_bytes(8)
    assert frames.refused(9) == bytes.fromhex("200009")
    assert frames.disconnected(2) == bytes.fromhex("e00002")
    assert bytes.fromhex("d0") == frames.PONG
    second = 0x6B01AC66
    at = datetime.fromtimestamp(second + 0.9, tz=UTC)
    stored = frames.message_answer(id=11, at=at, uid="358837D19033544C49F5")
    assert stored == bytes.fromhex(
        "40000b6b01ac6600000384001433353838333744313930333335343443343946 35".replace(" ", "")
    )
    refused = frames.message_answer(id=11, at=at, status=405)
    assert refused == bytes.fromhex("40000b6b01ac66019503840000")
    answer = frames.query_answer(id=3, now=at, payload=b"\x10\x01")
    assert answer == bytes.fromhex("6000036b01ac6600001001")
    waits = frames.published(
        topic="s_ntf",
        target="bob",
        payload=Inbox(asks_with_times=False).something_waits(at),
        now=at,
    )
    assert waits[:19] == bytes.fromhex("306b01ac660005735f6e74660003626f620001")
    assert waits[19:21] == b"\x08\x01"


def test_moments_are_rounded_down_in_both_scales_alike():
    answer = frames.message_answer(id=1, at=NOW)
    assert int.from_bytes(answer[3:7]) * 1000 + int.from_bytes(answer[9:11]) == (milliseconds(NOW))
    assert milliseconds(NOW) % 1000 == 900


BAD = {
    "nothing": b"",
    "text": "c0",
    "a type that only servers send": b"\x20\x00\x00",
    "a type that nobody knows": b"\xf0",
    "no topic": b"\x50",
    "half a length": b"\x50\x00",
    "a length that lies": b"\x50\xff\xffpullMsg",
    "a target that ends early": b"\x50\x00\x01a\x00\x05bob",
    "no id": b"\x50\x00\x01a\x00\x01b\x00",
    "a topic that is not UTF-8": b"\x50\x00\x01\xff\x00\x01b\x00\x01",
}


@pytest.mark.parametrize("frame", BAD.values(), ids=BAD)
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(BadFrame):
        frames.parse(frame)


@given(st.binary(max_size=200) | st.text(max_size=5))
def test_any_bytes_are_a_frame_or_a_bad_one(frame):
    with contextlib.suppress(BadFrame):
        frames.parse(frame)


@given(st.binary(max_size=300))
def test_any_payload_is_a_message_or_malformed(payload):
    for message_class in vars(messages).values():
        with contextlib.suppress(protobuf.Malformed):
            protobuf.read(message_class, payload)


@given(st.text(max_size=300) | st.recursive(st.text(max_size=9), st.lists).map(str))
def test_any_content_is_a_text_or_malformed(content):
    with contextlib.suppress(protobuf.Malformed):
        message = messages.UpStreamMessage(content=content)
        assert isinstance(attributes.read(message, attributes.content_of(message))[0], str)


def test_every_reason_and_rule_has_a_code_or_none_on_purpose():
    come_back = {
        Reason.TOO_MANY_ATTEMPTS,
        Reason.SLOW_READER,
        Reason.INTERNAL_ERROR,
        Reason.RESTARTING,
        Reason.UNAVAILABLE,
        Reason.ABUSE,
    }
    after_connecting = {Reason.SIGNED_OUT, Reason.KICKED, Reason.REPLACED}
    assert set(Reason) - set(words.REFUSALS) == come_back | after_connecting
    kicks = {*after_connecting, Reason.BANNED, Reason.DEACTIVATED, Reason.DELETED}
    assert set(words.DISCONNECTS) == kicks
    # SDK 2 knows no newer ones.
    assert max(words.REFUSALS_OF_2.values()) <= 12
    assert max(words.DISCONNECTS_OF_2.values()) <= 5
    allowed = {ConnectRule.REGISTERED, MessageRule.OPEN, MessageRule.ON_ALLOWLIST}
    assert set(words.RULES) == {*ConnectRule, *MessageRule} - allowed
