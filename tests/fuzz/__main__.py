"""`python -m tests.fuzz [--seconds 60] [target …]`: look for input that breaks something.

Each target gets its share of the time, on stores of its own. Hypothesis makes the input, and
reduces and prints what fails; it tries that first in the next run (`.hypothesis/`). Exits with 1 if
a target failed.
"""

import argparse
import logging
import os
import sys
import time
import traceback

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.test.utils import setup_databases, setup_test_environment, teardown_databases
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from tests import stores
from tests.fuzz.targets import TARGETS, Target

ROUND = 200  # examples, between two looks at the clock


def fuzz(name: str, target: Target, seconds: float) -> bool:
    """Whether nothing broke."""
    end, rounds = time.monotonic() + seconds, 0
    with target() as (strategy, check):
        while time.monotonic() < end:
            rounds += 1
            profile = settings(
                max_examples=ROUND,
                deadline=None,
                verbosity=Verbosity.normal,
                phases=[Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            )
            try:
                seed(time.time_ns())(profile(given(strategy)(check)))()
            except Exception:
                print(f"{name}: FAILED", file=sys.stderr)
                traceback.print_exc()
                return False
    print(f"{name}: nothing broke in {rounds * ROUND:,} examples", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(TARGETS))
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    chosen = options.targets or list(TARGETS)
    logging.disable(logging.ERROR)  # refusals are logged; what breaks is raised
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        well = [fuzz(name, TARGETS[name], options.seconds / len(chosen)) for name in chosen]
    finally:
        stores.end_other_sessions()  # of the gateway's threads
        teardown_databases(databases, verbosity=0)
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
