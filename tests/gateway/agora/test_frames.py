"""MSync frames, as the vendor's SDKs sent and accepted them. Taken from agora-chat 1.4.0 and
easemob-websdk 4.21.1; the app was lab#lab, the user "me", the token "tok".
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from gateway.agora import attributes, frames, writing
from gateway.agora.frames import Command, Fetch, Login, PutOut, Received
from gateway.agora.session import AgoraSession
from gateway.agora.writing import Writer
from gateway.protobuf import Malformed
from tests.generated import given, st
from users.models import Message, Notice, NoticeKind

LOGIN = bytes.fromhex(
    "080012330a076c6162236c616212026d651a0b656173656d6f622e636f6d2217776562696d5f7765625f313739353237"
    "313539353131321a06247424746f6b40034a6d08101205312e342e30280030004a117765625f31373935323731353935"
    "3131326205776562696d6a17776562696d5f7765625f313739353237313539353131328a010476352e319201127b2274"
    "6f6b656e223a22247424746f6b227da2010e313739353237313539353132303a50005800"
)
# With a packed enum (field 22) and a trace id.
EASEMOBS_LOGIN = bytes.fromhex(
    "080012330a076c6162236c616212026d651a0b656173656d6f622e636f6d2217776562696d5f7765625f313739353237"
    "313630373434351a06247424746f6b40034a7208101206342e32312e31280030004a117765625f313739353237313630"
    "373434356205776562696d6a17776562696d5f7765625f313739353237313630373434358a010476352e329201127b22"
    "746f6b656e223a22247424746f6b227da2010e313739353237313630373435363ab201010250005800a00180a080c892"
    "b6e8bf68"
)
UNREAD = bytes.fromhex("080040015800")
STATISTICS = bytes.fromhex("080040004a0f0a0d08fea89af49f342800320208005800")
TEXT = bytes.fromhex(
    "080040004a5d0a5b08fef8cbbdb70f1a1a0a076c6162236c61621202626f1a0b656173656d6f622e636f6d2801323208"
    "01120412026d651a041202626f22060800120268692a070a016e100218012a080a017310073201782a070a0162100118"
    "0138005800"
)
HAS_THEM = bytes.fromhex(
    "080040004a2110e9071a1c0a076c6162236c61621204706565721a0b656173656d6f622e636f6d5800"
)
ALL = [LOGIN, EASEMOBS_LOGIN, UNREAD, STATISTICS, TEXT, HAS_THEM]


def moment(milliseconds):
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def sync(frame):
    command, payload = frames.command(frame)
    assert command == Command.SYNC
    return frames.sync(payload)


class TestCapturedFrames:
    @pytest.mark.parametrize(
        ("frame", "device"), [(LOGIN, "1795271595112"), (EASEMOBS_LOGIN, "1795271607445")]
    )
    def test_of_a_login_are_read(self, frame, device):
        assert frames.login(frame) == Login("lab#lab", "me", "tok", f"webim_web_{device}")

    def test_of_a_connected_client_are_read(self):
        assert frames.command(UNREAD) == (Command.UNREAD, b"")
        assert sync(STATISTICS) == Received(id=1795271595134, namespace=0, recipient="")
        text = sync(TEXT)
        assert (text.id, text.namespace, text.recipient) == (530289196158, 1, "bo")
        assert text.text == "hi"
        assert attributes.read(text.attributes) == {"n": 1, "s": "x", "b": True}
        assert sync(HAS_THEM) == Fetch(key=1001)

    def test_that_were_accepted_are_written(self):
        me = Writer("lab#lab", "me")
        message = Message(
            pk=1000,
            sender_id="peer",
            recipient_id="me",
            body="hello 0",
            sent_at=moment(1795271595130),
        )
        notice = Notice(
            pk=-(1 << 52) + 9,
            sender_id="bo",
            kind=NoticeKind.FRIEND_REQUESTED,
            text="hi",
            posted_at=moment(1700000000000),
        )
        at = moment(1795271595129)
        assert me.admitted("lab_res").hex() == "080040034a0d420208006a076c61625f726573"
        assert writing.refused(1, "Sorry, token expired").hex() == (
            "080040034a1c421808011214536f7272792c20746f6b656e20657870697265646a00"
        )
        assert me.unread(0, at).hex() == "080040014a0b0a02080018f9a89af49f34"
        assert writing.stored(530289196158, 4242, moment(1795271596155)).hex() == (
            "080040004a150a02080010fef8cbbdb70f18922140fbb09af49f34"
        )
        assert me.message(message).SerializeToString().hex() == (
            "08e807121c0a076c6162236c61621204706565721a0b656173656d6f622e636f6d1a1a0a076c6162236c616212"
            "026d651a0b656173656d6f622e636f6d20faa89af49f342801321d080112061204706565721a0412026d65220b"
            "0800120768656c6c6f2030"
        )
        assert me.notice(notice).SerializeToString().hex() == (
            "0809121a0a076c6162236c61621202626f1a0b656173656d6f622e636f6d1a1a0a076c6162236c616212026d65"
            "1a0b656173656d6f622e636f6d2080d095ffbc31280332420802120208001a1a0a076c6162236c61621202626f"
            "1a0b656173656d6f622e636f6d221a0a076c6162236c616212026d651a0b656173656d6f622e636f6d2a026869"
        )
        assert "280032020804" in me.put_out(PutOut.FORCED, at).hex()


class TestBadFrames:
    @pytest.mark.parametrize(
        "frame",
        [
            "text",
            b"\x0b" * 5_000,  # groups in groups
            b"\x4a\xff\xff\xff\xff\x0f",  # a length of 4 GB
            b"\x4a\x05\x00",  # a length that lies
            b"\x12\x02\x12\xff",  # a message that ends within a field
            b"\x1a\x02\xff\xfe",  # a text that is not UTF-8
            b"\x40" + b"\xff" * 11,  # a number of 11 bytes
            b"\x0e\x00",  # an unknown wire type
            LOGIN[:-40],
        ],
    )
    def test_are_malformed(self, frame):
        with pytest.raises(Malformed):
            frames.login(frame)

    def test_of_any_kind_raise_nothing_else(self):
        # Recorded frames, with bytes changed, removed and added; and any bytes.
        recorded = st.sampled_from(ALL)
        changed = st.builds(
            lambda frame, at, put, cut: (
                frame[: at % len(frame)] + put + frame[at % len(frame) :][cut:]
            ),
            recorded,
            st.integers(0, 500),
            st.binary(max_size=8),
            st.integers(0, 8),
        )

        @given(st.one_of(changed, st.binary(max_size=300)))
        def read(frame):
            for reader in (frames.login, sync_or_nothing):
                with suppress(Malformed):
                    reader(frame)

        read()

    def test_with_unknown_fields_are_read(self):
        unknown = bytes.fromhex("fa3f0401020304") + b"\xf8\x3f\x01"
        assert sync(TEXT + unknown) == sync(TEXT)

    def test_may_be_as_large_as_the_longest_text(self):
        assert AgoraSession.MAX_FRAME_BYTES > 4 * 4_096 + 1_024


def sync_or_nothing(frame):
    command, payload = frames.command(frame)
    if command == Command.SYNC:
        frames.sync(payload)
