"""Another process that bans, kicks and revokes while clients are measured."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from django.db import connections, transaction
from django.utils import timezone

from applications.audit import Actor
from applications.models import Environment
from moderation import bans
from users import presence, tokens

BY = Actor.system("bench")
PAUSE = 0.02  # seconds between two bans


class Hands:
    """Does in its own process what it is told, one thing after another."""

    def __init__(self, environment: Environment) -> None:
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        self.answers, theirs = fork.Pipe()
        self._process = fork.Process(target=_serve, args=(theirs, environment), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._process.kill()  # it would take another signal for one to the supervisor
        self._process.join()

    def tell(self, what: str, about: str = "") -> None:
        """Something of `DEEDS`, which answers through `answers` when it is done."""
        self.answers.send((what, about))


def _serve(orders: Connection, environment: Environment) -> None:
    while True:
        what, about = orders.recv()
        orders.send(DEEDS[what](orders, environment, about))


def _ban_and_lift(orders: Connection, environment: Environment, _: str) -> list[float]:
    """Until the next order; returns how many seconds each ban took together with its lift."""
    about: dict[str, Any] = {"environment": environment, "user_ids": ["nobody"], "by": BY}
    took = []
    while not orders.poll(PAUSE):
        began = time.perf_counter()
        bans.impose(**about, expires_at=None, reason="", now=timezone.now())
        bans.lift(**about, now=timezone.now())
        took.append(time.perf_counter() - began)
    orders.recv()
    return took


def _kick(_: Connection, environment: Environment, user_id: str) -> tuple[float, float]:
    """When it was asked for, and when it was committed."""
    committed: list[float] = []
    called = time.perf_counter()
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.perf_counter()))
        presence.kick(environment=environment, user_id=user_id, by=BY, now=timezone.now())
    return called, committed[0]


def _revoke_all(_: Connection, environment: Environment, __: str) -> float:
    began = time.perf_counter()
    tokens.revoke_all(environment=environment, by=BY, now=timezone.now())
    return began


def _ban(_: Connection, environment: Environment, user_id: str) -> None:
    about: dict[str, Any] = {"environment": environment, "user_ids": [user_id], "by": BY}
    bans.impose(**about, expires_at=None, reason="", now=timezone.now())


def _lift(_: Connection, environment: Environment, user_id: str) -> None:
    bans.lift(environment=environment, user_ids=[user_id], by=BY, now=timezone.now())


DEEDS: dict[str, Callable[[Connection, Environment, str], Any]] = {
    "ban": _ban,
    "ban and lift": _ban_and_lift,
    "lift": _lift,
    "kick": _kick,
    "revoke all": _revoke_all,
}
