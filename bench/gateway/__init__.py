"""`python -m bench gateway`: admissions, idle connections, kicks and messages of two gateway
processes, for each protocol.

Environment variables: PROTOCOLS (rollcall,rongcloud,agora), CONNECTIONS (10,000), KICKS (500, one
after another), WRITERS (1,000), RATE (2,000 messages a second of all writers together) and SECONDS
of writing (5); DATABASE_URL of an empty database and REDIS_URL replace the wheels.

The clients (`swarm`, `clients`) are in this process, and whoever bans and kicks is in another one
(`actor`), so that neither makes the other wait. All share the machine with the gateways: the CPU
time of each is measured.
"""

import logging
import os
import resource
import time

from django.conf import settings
from django.db import connections
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.models import Environment, Plan
from bench.gateway.actor import Hands
from bench.gateway.admission import let_in
from bench.gateway.clients import CLIENTS
from bench.gateway.costs import Costs
from bench.gateway.kicks import kick_everybody, kick_some
from bench.gateway.messages import write_to_each_other
from bench.gateway.swarm import Account, ChatClient, Swarm
from bench.machine import database, machine, refuse_database_in_use
from bench.stores import free_port
from rollcall.processes import Supervisor, module
from users import tokens
from users.models import AppUser, GatewayProcess

PROCESSES = 2


def number(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    refuse_database_in_use()
    print(machine(), f"{database()}.", flush=True)
    logging.disable(logging.INFO)  # of this process
    for protocol in os.environ.get("PROTOCOLS", ",".join(CLIENTS)).split(","):
        print(f"\n{protocol}", flush=True)
        environment = environments.create_application(
            name=f"Bench {protocol}", plan=Plan.PRO, by=Actor.system("bench"), now=timezone.now()
        ).environments["production"]
        with Supervisor() as supervisor:
            ports = [free_port() for _ in range(PROCESSES)]
            for port in ports:
                variables = {"GATEWAY_PORT": str(port), "GATEWAY_CONNECT_BURST": "100000"}
                supervisor.start(
                    module(f"gateway {port}", "gateway", variables),
                    log=settings.DATA_DIR / f"gateway-{port}.log",
                )
            while supervisor.running() and GatewayProcess.objects.count() < PROCESSES:
                time.sleep(0.1)
            pids = [int(gateway.name.split(":")[1]) for gateway in GatewayProcess.objects.all()]
            measure(CLIENTS[protocol], environment, ports, Costs(pids))
    print(f"\nload average at the end: {os.getloadavg()[0]:.1f}")


def measure(
    client: type[ChatClient], environment: Environment, ports: list[int], costs: Costs
) -> None:
    accounts = registered(environment, number("CONNECTIONS", 10_000))
    connections.close_all()
    swarm = Swarm()
    with Hands(environment) as hands:
        online = let_in(swarm, client, accounts, ports, costs, hands)
        kick_some(swarm, online, hands, number("KICKS", 500))
        write_to_each_other(
            swarm,
            client,
            accounts[: number("WRITERS", 1_000)],
            ports,
            costs,
            rate=number("RATE", 2_000),
            seconds=number("SECONDS", 5),
        )
        kick_everybody(swarm, online, hands)


def registered(environment: Environment, count: int) -> list[Account]:
    now = timezone.now()
    AppUser.objects.bulk_create(
        AppUser(environment=environment, user_id=f"user-{n}", registered_at=now)
        for n in range(count)
    )
    app_name = f"{environment.application.org_name}#{environment.kind}"
    users = AppUser.objects.filter(environment=environment).select_related("environment")
    return [
        Account(user.user_id, tokens.issue(user, now=now), environment.app_key, app_name)
        for user in users
    ]
