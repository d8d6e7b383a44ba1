"""What the tests share: one real PostgreSQL for the session, and a migrated database of any office for each test."""

import gc
import logging
import os
import random
import shutil
import sys
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import pytest
from stage.brokers import cache_folder, kafka_or_skip, running_brokers

from verbund import logs
from verbund.database import migrate
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.kafka_jars import Distribution
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Office, get_office
from verbund.settings import DatabaseSettings

# Dropping a database waits for every process of PostgreSQL, also for one that asks for a password on a connection whose
# other end was cancelled: it gives up after this time, by default after a minute.
_IMPATIENT = {"authentication_timeout": "3s"}

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@dataclass(frozen=True, slots=True)
class OfficeDatabase:
    """A database with all migrations of an office, there for one test."""

    cluster: Cluster
    office: str
    name: str

    def settings(self, role_suffix: str) -> DatabaseSettings:
        """Under one of the office's roles: `owner`, `desk`, `web`, `reader`, `feed_reporting`."""
        return self.cluster.settings(f"{self.office.replace('-', '_')}_{role_suffix}", self.name)

    def superuser(self) -> DatabaseSettings:
        """For what no process may do: looking at everything, forging, breaking."""
        return self.cluster.superuser(self.name)

    def drop(self) -> None:
        """Remove it now; without this it goes at the end of the test."""
        self.cluster.drop_database(self.name)


def pytest_configure() -> None:
    """What is fetched stays in the checkout, as `make` has it, also for tests that were not started by it."""
    os.environ.setdefault("VERBUND_CACHE", str(cache_folder()))


@pytest.fixture(scope="module", autouse=True)
def _logs_of_this_module() -> Iterator[None]:
    """A service that a test built in this process sends every log to standard output: not for the tests of others."""
    root = logging.getLogger()
    level, before = root.level, list(root.handlers)
    yield
    for handler in [each for each in root.handlers if each not in before and type(each).__module__ == logs.__name__]:
        root.removeHandler(handler)
    root.setLevel(level)


class Templates:
    """One migrated database per office that tests get copies of; migrations run once a session."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._made: dict[Office, str] = {}

    def get(self, office: Office) -> str:
        """The name of the template; what the office's migrations lack fails here."""
        if office not in self._made:
            self.cluster.ensure_roles(office)
            template = f"{office.package}_template_{len(self._made)}"
            # Left over from an attempt that failed, it would hide what is wrong with the next one.
            self.cluster.drop_database(template)
            self.cluster.ensure_database(office, template)
            migrate(self.cluster.settings(f"{office.package}_owner", template), office)
            self._made[office] = template
        return self._made[office]


class OfficeDatabases:
    """Call it with an office's name for a fresh, migrated database; may be called more than once."""

    _numbers = count(1)

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._made: list[OfficeDatabase] = []

    def __call__(self, name: str) -> OfficeDatabase:
        return self.of(get_office(name))

    def of(self, office: Office) -> OfficeDatabase:
        """The same for an office that only a test knows."""
        cluster = self._templates.cluster
        database = f"{office.package}_{next(self._numbers)}"
        cluster.ensure_database(office, database, template=self._templates.get(office))
        self._made.append(OfficeDatabase(cluster, office.name, database))
        return self._made[-1]

    def drop_all(self) -> None:
        for database in self._made:
            database.drop()


@pytest.fixture
def seed() -> int:
    """Printed when the test fails; set VERBUND_SEED to see the same choices again."""
    seed = int(os.environ.get("VERBUND_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")  # noqa: T201 - shown by pytest with a failure
    return seed


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real PostgreSQL on a free port, with passwords, as the embedded default runs it."""
    # Not below pytest's own folder: that one is closed to the user that PostgreSQL runs as when root tests.
    home = Path(mkdtemp(prefix="verbund-test-"))
    # The tests kill processes, not the machine: what reached the kernel is safe, and no test waits for a disk.
    running = Cluster(home, find_free_port(), {"fsync": "off", **_IMPATIENT})
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def templates(cluster: Cluster) -> Templates:
    return Templates(cluster)


@pytest.fixture
def office_database(templates: Templates) -> Iterator[OfficeDatabases]:
    """`office_database("registration")` makes a fresh, migrated database of that office; it goes when the test ends."""
    databases = OfficeDatabases(templates)
    yield databases
    databases.drop_all()


@pytest.fixture(scope="session")
def kafka() -> Distribution:
    """Apache Kafka, fetched where it is not there yet; without Java the test is skipped."""
    return kafka_or_skip()


@pytest.fixture(scope="session")
def broker(kafka: Distribution) -> Iterator[Brokers]:
    """A real Kafka of one broker that asks nobody who he is; shared, so every test has topics and groups of its own."""
    with running_brokers(kafka) as running:
        yield running


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Clears away what clients of Kafka forget where they are refused a connection; no other test is to be blamed.

    kafka-python forgets sockets, a thread of Faust that crashed forgets its tasks.
    """
    if not uses_kafka(item):
        return (yield)
    item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
    try:
        return (yield)
    finally:
        heard, sys.unraisablehook = sys.unraisablehook, lambda _: None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        sys.unraisablehook = heard


def uses_kafka(item: pytest.Item) -> bool:
    """Whether a test has to do with a client of Kafka."""
    return bool({"kafka", "broker"} & {*getattr(item, "fixturenames", ())}) or "kafka" in item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: nothing that should have run may stay silent."""
    report = yield
    return report if hasattr(report, "wasxfail") else _fail_where_skipped_in_ci(report, item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that is skipped as a whole."""
    return _fail_where_skipped_in_ci((yield), collector.nodeid)


def _fail_where_skipped_in_ci(report: Report, name: str) -> Report:
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {name}: {report.longrepr}"
    return report
