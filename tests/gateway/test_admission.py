"""Who is let in, and what the others are told."""

import socket
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from applications import hourly
from applications.hourly import Figure
from gateway.admission import read_token
from moderation import bans, connecting
from moderation.connecting import Applicant
from tests.factories import (
    DAY,
    HOUR,
    api_actor,
    make_connection,
    make_environment,
    make_gateway,
    make_user,
)
from tests.gateway.live import doing
from tests.races.racing import race, waiting_for_locks
from tests.waiting import PATIENCE, eventually
from users import deactivation, deletion, presence, tokens
from users.models import AppUser, Connection, GatewayProcess


def ban(user, *, lasts=HOUR):
    now = timezone.now()
    until = now + lasts if lasts else None
    bans.impose(**doing(user, user_ids=[user.user_id], expires_at=until, reason="", now=now))
    return until


def test_a_user_with_a_token_is_let_in_and_online_while_one_device_is(clients, ada):
    phone = clients.attempt(ada, device="phone", platform="android")
    said = phone.hear()
    row = Connection.objects.get()
    assert said == {"event": "connected", "user_id": "ada", "connection": row.pk}
    assert (row.device, row.platform, row.address) == ("phone", "android", "127.0.0.1")
    assert AppUser.objects.get().last_seen_at == row.connected_at
    laptop = clients.enter(ada, device="laptop")

    def held():
        return [each.device for each in presence.connections(**asked)]

    asked = {"environment": ada.environment, "user_id": "ada", "now": timezone.now()}
    assert held() == ["phone", "laptop"]
    phone.leave()
    assert clients.eventually(lambda: held() == ["laptop"])
    assert presence.is_online(**asked)
    laptop.leave()
    assert clients.eventually(lambda: not presence.is_online(**asked))


class TestRefused:
    """Each with its own code and word, and no row."""

    def refused(self, clients, user, **how):
        client = clients.attempt(user, **how)
        code, reason = client.closed()
        [closing] = client.heard
        assert closing["event"] == "closing"
        assert closing["reason"] == reason
        assert not Connection.objects.exists()
        return code, reason, closing

    def test_an_unknown_token(self, clients, ada):
        token = tokens.issue(ada, now=timezone.now())
        for wrong in ("x", token[:-1], token.swapcase()):
            assert self.refused(clients, ada, token=wrong)[:2] == (4001, "unknown_token")

    def test_an_expired_token(self, clients, ada):
        token = tokens.issue(ada, now=timezone.now() - DAY, lifetime=HOUR)
        assert self.refused(clients, ada, token=token)[:2] == (4002, "expired_token")

    def test_a_revoked_token_of_the_user_and_of_the_environment(self, clients, ada):
        token = tokens.issue(ada, now=timezone.now())
        tokens.sign_out_everywhere(**doing(ada, user_id="ada"))
        assert self.refused(clients, ada, token=token)[:2] == (4003, "revoked_token")
        token = tokens.issue(ada, now=timezone.now())
        tokens.revoke_all(**doing(ada))
        assert self.refused(clients, ada, token=token)[:2] == (4003, "revoked_token")

    def test_a_token_of_another_environment(self, clients, ada):
        other = make_environment(application=ada.environment.application, kind="production")
        answer = self.refused(clients, ada, app_key=other.app_key)
        assert answer[:2] == (4004, "wrong_environment")

    def test_a_ban_says_until_when(self, clients, ada):
        until = ban(ada)
        code, reason, said = self.refused(clients, ada)
        assert (code, reason, said["until"]) == (4010, "banned", until.isoformat())
        ban(ada, lasts=None)
        code, reason, said = self.refused(clients, ada)
        assert (code, reason) == (4010, "banned")
        assert "until" not in said

    def test_a_ban_that_is_over_keeps_nobody_out(self, clients, ada):
        now = timezone.now()
        bans.impose(
            **doing(ada, user_ids=["ada"], reason="", now=now - HOUR),
            expires_at=now - timedelta(seconds=1),
        )
        clients.enter(ada)

    def test_a_deactivated_user_and_one_who_was_deleted(self, clients, ada):
        deactivation.deactivate(**doing(ada, user_ids=["ada"], by=api_actor()))
        assert self.refused(clients, ada)[:2] == (4011, "deactivated")
        bob = make_user(environment=ada.environment, user_id="bob")
        deletion.delete(**doing(ada, user_ids=["bob"]))
        assert self.refused(clients, bob)[:2] == (4012, "deleted")
        make_user(environment=ada.environment, user_id="bob")
        assert self.refused(clients, bob)[:2] == (4012, "deleted")

    def test_one_device_too_many(self, clients, ada):
        held = make_gateway(lease_until=timezone.now() + HOUR)
        for _ in range(presence.MAX_CONNECTIONS):
            make_connection(environment=ada.environment, user_id="ada", gateway=held)
        client = clients.attempt(ada)
        assert client.closed() == (4021, "too_many_connections")
        assert Connection.objects.count() == presence.MAX_CONNECTIONS

    def test_who_begins_with_another_frame(self, clients, ada):
        for frame in ("", "[]", "{", b"{}", "{}", '{"app_key": 1}', '{"app_key": "a\\u0000"}'):
            client = clients.open()
            client.say(frame)
            assert client.closed() == (4030, "no_connect_frame")

    def test_who_says_nothing(self, clients, ada, monkeypatch):
        monkeypatch.setattr("gateway.session.CONNECT_WITHIN", 0.1)
        assert clients.open().closed() == (4030, "no_connect_frame")


class TestFloods:
    def test_an_address_is_refused_before_the_handshake(self, clients, gateway):
        gateway.gateway.connects.burst = 3
        for _ in range(3):
            clients.open()
        with pytest.raises(InvalidStatus) as refusal:
            clients.open()
        assert refusal.value.response.status_code == 429

    def test_a_user_who_connects_again_and_again_is_refused(self, clients, gateway, ada):
        gateway.gateway.connects_of_user.burst = 2
        for _ in range(2):
            clients.enter(ada)
        assert clients.attempt(ada).closed() == (4022, "too_many_attempts")
        # Nobody can use that up for somebody else.
        assert clients.attempt(ada, token="forged").closed() == (4001, "unknown_token")
        clients.enter(make_user(environment=ada.environment))

    def test_a_revoked_token_uses_up_nobodys_attempts_but_its_own(self, clients, gateway, ada):
        gateway.gateway.connects_of_token.burst = gateway.gateway.connects_of_user.burst = 2
        stolen = tokens.issue(ada, now=timezone.now())
        tokens.sign_out_everywhere(**doing(ada, user_id="ada"))
        endings = [clients.attempt(ada, token=stolen).closed() for _ in range(3)]
        assert endings == [(4003, "revoked_token")] * 2 + [(4022, "too_many_attempts")]
        clients.enter(ada)

    @pytest.mark.parametrize("head", [b"", b"GET /gateway HTTP/1.1\r\nHost:"])
    def test_who_opens_a_socket_and_asks_for_nothing_is_dropped(self, gateway, monkeypatch, head):
        monkeypatch.setattr("gateway.websocket.HEAD_WITHIN", 0.2)
        address = urlsplit(gateway.url)
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as silent:
            silent.sendall(head)
            assert silent.recv(1_000) == b""
        assert eventually(lambda: gateway.sockets == 0)

    def test_another_path_is_no_gateway(self, clients, gateway):
        with pytest.raises(InvalidStatus) as refusal:
            clients.open(url=f"{gateway.url}/else")
        assert refusal.value.response.status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("everybody", [False, True])
def test_tokens_that_are_revoked_while_their_user_is_let_in_let_nobody_stay(everybody):
    """Revoking waits for the admission, and then finds its connection."""
    ada = make_user(environment=make_environment(), user_id="ada")
    now = timezone.now()
    held = make_gateway(lease_until=now + HOUR)
    claims = read_token(tokens.issue(ada, now=now), now=now)
    applicant = Applicant(claims=claims, app_key=ada.environment.app_key)
    row_is_locked, revoked = threading.Event(), threading.Event()

    def stop_the_admission():
        """Its last statement needs the row of the gateway process."""
        with transaction.atomic():
            GatewayProcess.objects.select_for_update().get(pk=held.pk)
            row_is_locked.set()
            assert eventually(lambda: waiting_for_locks() == 2 or revoked.is_set())

    def enter():
        assert row_is_locked.wait(PATIENCE)
        return connecting.admit([applicant], gateway=held, now=now)

    def revoke():
        assert eventually(lambda: waiting_for_locks() == 1)
        if everybody:
            tokens.revoke_all(**doing(ada))
        else:
            tokens.sign_out_everywhere(**doing(ada, user_id="ada"))
        revoked.set()

    _, [entered], _ = race(stop_the_admission, enter, revoke)
    assert not presence.is_open(connection_id=entered.connection_id)
    assert presence.kicked(connection_id=entered.connection_id).kick_reason == "signed out"


def test_what_is_refused_is_counted_by_the_hour(clients, ada):
    """For the first page of production."""

    def counted():
        hourly.write()
        hours = hourly.lately(ada.environment.pk, now=timezone.now())
        return [
            sum(figures.get(figure, 0) for _, figures in hours)
            for figure in (Figure.CONNECTIONS_REFUSED, Figure.MESSAGES_REFUSED)
        ]

    connections, messages = counted()
    client = clients.enter(ada)
    assert client.send("nobody")["error"] == "unknown_user"
    assert counted() == [connections, messages + 1]
    ban(ada)
    clients.attempt(ada).closed()
    assert counted() == [connections + 1, messages + 1]
