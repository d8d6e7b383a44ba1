"""What a process makes at its start stays to its end: the garbage collector need not look at it again and again."""

import gc

# Young objects before the collector looks for garbage among them. A batch of events or a crowd of requests makes
# thousands that are all still needed; with Python's 700 half the time of decoding events went into looking at them.
_YOUNG = 100_000


def settle() -> None:
    """Say that the process is made: what is there now is never collected, so this is for processes, not for tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
