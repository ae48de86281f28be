"""`python -m bench api`: start the stores, read settings, run that module's `main`."""

import sys
from importlib import import_module

import django

from bench import stores

stores.start()
django.setup()
import_module(f"bench.{sys.argv[1]}").main()
