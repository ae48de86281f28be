#!/usr/bin/env python
"""Rollcall's command line; `make help` lists the everyday commands."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    if sys.argv[1:2] == ["serve"]:  # it collects static files and serves them under hashed names
        os.environ["SERVE_STATIC_FROM_SOURCE"] = "0"
        sys.dont_write_bytecode = False  # or each start compiles for seconds
    from rollcall.unreachable import exit_if_unreachable

    with exit_if_unreachable(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
