"""What holds for all tests: none of them measures time.

Hypothesis fails an example that takes more than 200 ms unless told otherwise, which on a busy machine any
example may.
"""

from hypothesis import settings

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")
