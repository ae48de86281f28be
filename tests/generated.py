"""Hypothesis as this suite uses it: the same examples in every run, and no time limit for one,
since a busy machine breaks no law.

Not in `conftest.py`: importing Hypothesis takes longer than most files of tests.
"""

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

__all__ = ["SETTINGS", "given", "st"]

SETTINGS = hypothesis.settings(derandomize=True, deadline=None, database=None, max_examples=50)
hypothesis.settings.register_profile("suite", SETTINGS)
hypothesis.settings.load_profile("suite")
