"""What the benchmarks share: a scratch PostgreSQL with fsync as in production, and the closing JSON line."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from verbund.database import migrate
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import get_office


@contextmanager
def scratch_offices(*names: str) -> Iterator[Cluster]:
    """A cluster with migrated databases of these offices, gone afterwards."""
    home = Path(mkdtemp(prefix="verbund-bench-"))
    cluster = Cluster(home, find_free_port())
    try:
        cluster.start()
        for name in names:
            office = get_office(name)
            cluster.ensure_roles(office)
            cluster.ensure_database(office, office.package)
            migrate(cluster.settings(f"{office.package}_owner", office.package), office)
        yield cluster
    finally:
        cluster.stop()
        rmtree(home)


def report(bench: str, ratios: Mapping[str, float], figures: Mapping[str, float]) -> None:
    """Print the closing line."""
    line = {
        "bench": bench,
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
        "figures": {name: round(value, 1) for name, value in figures.items()},
    }
    sys.stdout.write(json.dumps(line) + "\n")
