#!/usr/bin/env python
"""Rollcall's command line; `make help` lists the everyday commands."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    from rollcall.unreachable import exit_if_unreachable

    with exit_if_unreachable(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
