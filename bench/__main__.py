"""`python -m bench api`: start the stores, load settings, run `main` of that module."""

import sys
from importlib import import_module

import django

from bench import stores

stores.start()
django.setup()
import_module(f"bench.{sys.argv[1]}").main()
