"""AccessToken2, with tokens from the vendor's own builders."""

import base64
import contextlib
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.agora.calls import APP, USER, access_token, chat
from tests.generated import given, st
from users.app_tokens import MalformedToken, parse

# App id and certificate from the vendor's public tests, and our own.
A, A_CERTIFICATE = "970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b"
B, B_CERTIFICATE = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
UUID = "0ffe2d80-ed76-11e8-8d66-279e3e1c214b"

# (token, app, certificate, issue time, user, lifetime in seconds)
BUILT = {
    "app, 600": (
        "007eJxTYKi4dG1jksarW1s3tmVIVtpnm6s86DNZKaxgd+TbsQNHnWYpMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhm"
        "aGpgZJhkbv5/EkB3BxMDgm32ChZGBlYGRgYkBxGdgAADGER1U",
        *(A, A_CERTIFICATE, 1795199727, "", 600),
    ),
    "app, 86400": (
        "007eJxTYHiiMIHPWOnXrC/MPV8PdjJIl0tetdToW/TWaPUbxk+Sl48qMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhm"
        "aGpgZJhkbv5/EkN0QyMgQ9q2dgZGBlYGRgYkBxGdgAAB+WR2k",
        *(A, A_CERTIFICATE, 1795199727, "", 86400),
    ),
    "app B, 3600": (
        "007eJxTYPC2sdNu94ye671woeULj4tJeR/ne2z4Gf3ymov13sPfIhYrMBgYGhmbmJqZW1gmJiWnpKah899PYsgW4GNgkPgZwsDIwMrAyMDE"
        "AOIzMAAAsGYddQ==",
        *(B, B_CERTIFICATE, 1795199727, "", 3600),
    ),
    "user by name": (
        "007eJxTYFjz9IXnWlWu7t2MlXm2hwyWCj4/4bdY7Pi3pC/i9++e+t2gwGBpbuDsaGyakmpmkGxiYmZimpSUmGqRaGR"
        "oamBmmGRs/H4SQ7YAHwNDhbo4IyMDKwMjAyMDiM/KUFqcWmQIAHZSHu4=",
        *(A, A_CERTIFICATE, 1795199727, "user1", 3600),
    ),
    "user by UUID": (
        "007eJxTYHhtWxY6szb6VSenwXwTJab/VXGzEsQihQ7IKhlfvsbmnazAYGlu4OxobJqSamaQbGJiZmKalJSYapFoZGh"
        "qYGaYZGz8fhJDtgAfA8OWDfbMjAysDIwMjAwgvgqDQVpaqlGKhYFuaoq5ma6hYaqFrkWKmZmukbllqnGqYbKRoUkSAP"
        "HiIt4=",
        *(A, A_CERTIFICATE, 1795199727, UUID, 3600),
    ),
    "app, the vendor's Python": (
        "007eJxTYFDtisiaVDDt8r4li476CBpyJ6Z+ffJj0YIb6pVavy1TajYoMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhm"
        "aGpgZJhkbc01nyI5gYmBgmrqBlZGBlYGRgYkBxGdgAACRdhwS",
        *(A, A_CERTIFICATE, 1795200778, "", 600),
    ),
    "app, a Go client with an absolute time": (
        "007eJxSYPiZf59p+gL98h36snlyTWpr+th2MB/dffVgwsyXa+KOdd1RYLA0N3B2NDZNSTUzSDYxMTMxTUpKTLVINDI"
        "0NTAzTDI2TprGkN20iSF7ifRtFkYGVgZGBiYGEJ+BARAAAP//tsIfTw==",
        *(A, A_CERTIFICATE, 1795200610, "", 86400),
    ),
    "F1 app": (
        "007eJxTYEi5NsUtK7mP2/XY7lcnTH1zp8ium3cq4VtmmFfcdbv0NEYFBktzA2dHY9OUVDODZBMTMxPTpKTEVItEI0N"
        "TAzPDJGNjho/BqRFMDAyMDCDMysDIwMQA4jMwAABAbBov",
        *(A, A_CERTIFICATE, 1700000000, "", 600),
    ),
    "F2 user": (
        "007eJxTYNB37zJcqfPwa5iQowVT5sIFuQ7ntUNUz/Y33Xs2//dHsTUKDJbmBs6OxqYpqWYGySYmZiamSUmJqRaJRoa"
        "mBmaGScbGDB+DUyOYGBgYGUCYlYGRgZEBxGdlKC1OLTIEALA8HFM=",
        *(A, A_CERTIFICATE, 1700000000, "user1", 600),
    ),
    "F3 the privilege ends first": (
        "007eJxTYLBj2X/Cx7BtStmhK+tX7JgkENH1n0/S5IymCUujkRLTa1YFBktzA2dHY9OUVDODZBMTMxPTpKTEVItEI0N"
        "TAzPDJGNjho/BqQ2BjAyWBgwMjAysDIwMTAw2DCAAAMa7GPY=",
        *(A, A_CERTIFICATE, 1700000000, "", 60),
    ),
    "F4 the longest": (
        "007eJxTYPgYtY71Sqy+eVS53vcTSu84HtjdVXaQOr9i3+vHf1wWcOsrMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhm"
        "aGpgZJhkbM3wMTv0PAg++sjIysDIwMjAxgLgMDADyiiUD",
        *(A, A_CERTIFICATE, 1700000000, "", 86400),
    ),
    "F5 absolute times": (
        "007eJxTYIj8aH1xv9ObBpOzfSoTBdOfM7TLim7VZT0gGPvp4Lvb7d0KDJbmBs6OxqYpqWYGySYmZiamSUmJqRaJRoa"
        "mBmaGScbGDB+DUxV4Q1LZGRgYGBlYGRgZmBhAfAYGAGO5G8c=",
        *(A, A_CERTIFICATE, 1700000000, "", 86400),
    ),
    "F6 another service before": (
        "007eJxTYLha9OvhtWie7U8W1ClOiFZZNs9706q3l8w2rOqsvyD578lcBQZLcwNnR2PTlFQzg2QTEzMT06SkxFSLRCN"
        "DUwMzwyRjY4aPwakRTAwMjAwMDEwMjGAI4rMyFOXn5xoyMpizMjAyMIHFGBgAyoogYg==",
        *(A, A_CERTIFICATE, 1700000000, "", 600),
    ),
    "F9 user by UUID": (
        "007eJxTYFDTdI9nuLPyp59Bjfa1tnmry844P9j/b1XA78fxC8yn7ONXYLA0N3B2NDZNSTUzSDYxMTMxTUpKTLVINDI"
        "0NTAzTDI2ZvgYnNoQyMjAycDAwMjAysDIwMgA4qswGKSlpRqlWBjopqaYm+kaGqZa6FqkmJnpGplbphqnGiYbGZokAQ"
        "BjmiZM",
        *(A, A_CERTIFICATE, 1700000000, UUID, 86400),
    ),
    "F10 app and user": (
        "007eJxTYFApXHHxXOUSn5NhiR3cU2auT110XnJ5yLqmOdtY+5Yws+UrMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhm"
        "aGpgZJhkbM3wMTo1gYmBgZABhVgYmBkYGEJ8JTLIylBanFhkCAHKxHIc=",
        *(A, A_CERTIFICATE, 1700000000, "", 600),
    ),
}
NO_CHAT = {
    "F7 another service alone": (
        "007eJxTYNjw/DfDZSFDxUfl8Zv4nEUNEw928Sbsic1U046SzNw800SBwdLcwNnR2DQl1cwg2cTEzMQ0KSkx1SLRyND"
        "UwMwwydiY4WNwagQTAwMjAwhDIIjPylCUn59ryMhgDgBq2Bof"
    ),
    "F8 no privileges": (
        "007eJxTYNglHNtws0WUi13ldkeR1n7dPVs/zsgzv3zPLDLsT5LTZGsFBktzA2dHY9OUVDODZBMTMxPTpKTEVItEI0N"
        "TAzPDJGNjho/BqRFMDAwcDAwMjAysDCAAAHKUGXA="
    ),
}
F1 = BUILT["F1 app"][0]


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


class TestVendorsTokens:
    @pytest.mark.parametrize(
        ("text", "app_id", "certificate", "issued", "user_id", "lives"), BUILT.values(), ids=BUILT
    )
    def test_are_parsed_and_verified(self, text, app_id, certificate, issued, user_id, lives):
        token = parse(text)

        assert (token.app_id, token.issued_at) == (app_id, moment(issued))
        assert token.is_signed_with(certificate)
        assert token.grant.user_id == user_id
        assert token.grant.expires_at == moment(issued) + timedelta(seconds=lives)

    @pytest.mark.parametrize("text", NO_CHAT.values(), ids=NO_CHAT)
    def test_without_chat_are_valid_and_grant_nothing(self, text):
        token = parse(text)

        assert token.is_signed_with(A_CERTIFICATE)
        assert token.grant is None

    def test_have_the_documented_signature(self):
        token = parse(F1)

        assert token.signed.hex() == (
            "2000393730434133356465363063343436343562626165386132313530363162333300f153655802000001"
            "0000000100050001000200580200000000"
        )
        assert token.signature.hex() == (
            "64d694466a638e0b45c6bbeac8354d6d941dae9eca60f669564a5ed73e676601"
        )


class TestOtherTokens:
    @pytest.mark.parametrize("certificate", [B_CERTIFICATE, A_CERTIFICATE.lower(), ""])
    def test_of_another_certificate_are_not_verified(self, certificate):
        assert not parse(F1).is_signed_with(certificate)

    @pytest.mark.parametrize(
        "text",
        [
            *("", "007", "007=", "006" + F1[3:], F1[3:], F1 + "=", F1 + "AAAA", F1[:-4]),
            *(F1.replace("+", "-").replace("/", "_") + "\n", "007\ud800", F1 + " "),
            "007" + base64.b64encode(b"no zlib").decode(),
            "007" + base64.b64encode(zlib.compress(b"")).decode(),
            "007" + base64.b64encode(zlib.compress(b"\xff\xff")).decode(),
            "007" + base64.b64encode(zlib.compress(b"more") + b"behind").decode(),
            "007" + "A" * 5000,
        ],
    )
    def test_are_malformed(self, text):
        with pytest.raises(MalformedToken):
            parse(text)

    @given(st.integers(3, len(F1) - 1), st.sampled_from("ABab01+/="))
    def test_with_a_changed_character_are_refused(self, at, char):
        changed = F1[:at] + char + F1[at + 1 :]
        if changed == F1:
            return
        try:
            token = parse(changed)
        except MalformedToken:
            return
        assert not token.is_signed_with(A_CERTIFICATE)

    def test_have_a_maximum_size(self):
        bomb = base64.b64encode(zlib.compress(b"\0" * 2_000_000)).decode()

        assert len(bomb) < 4_000
        with pytest.raises(MalformedToken):
            parse("007" + bomb)

    @given(st.binary(max_size=200))
    def test_with_any_content_are_parsed_or_malformed(self, content):
        with contextlib.suppress(MalformedToken):
            parse("007" + base64.b64encode(zlib.compress(content)).decode())


class TestServices:
    def build(self, *services):
        return parse(access_token(app_id=B, certificate=B_CERTIFICATE, services=list(services)))

    def test_after_an_unknown_one_are_ignored(self):
        unknown = b"\x63\x00\x00\x00"

        assert self.build(chat({APP: 60}), unknown).grant.user_id == ""
        assert self.build(unknown, chat({APP: 60})).grant is None

    def test_may_be_repeated(self):
        assert self.build(chat({USER: 60}, "ann"), chat({APP: 60})).grant.user_id == ""

    def test_without_a_user_grant_nothing(self):
        assert self.build(chat({USER: 60})).grant is None
