"""What fault tests share."""

import os
import random

import pytest


@pytest.fixture
def seed() -> int:
    """Printed when the test fails; set VERBUND_SEED to see the same faults again."""
    seed = int(os.environ.get("VERBUND_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")  # noqa: T201 - shown by pytest with a failure
    return seed
