import django

from bench.faults import place

place.prepare()
django.setup()
from bench.faults import run  # noqa: E402  # after settings

run.main()
