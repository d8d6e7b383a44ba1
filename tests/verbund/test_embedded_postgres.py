import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import psutil
import psycopg
import pytest
from conftest import OfficeDatabases

from verbund.embedded.ports import PortTaken, find_free_port
from verbund.embedded.postgres import Cluster
from verbund.events.offices import Office, Process, find_offices

NORTH = Office(
    name="north-office",
    processes=(Process("north-office", 9001, "north:create", "desk"),),
    migrations=(),
    readers=("south",),
)
SOUTH = Office(
    name="south",
    processes=(Process("south", 9002, "south:create", "web"), Process("south-reader", 9003, "s:create", "reader")),
    migrations=(),
    reads=("*",),
)


@pytest.fixture
def home() -> Iterator[Path]:
    # Below /tmp itself: pytest's folders are closed to the user that PostgreSQL runs as when root tests.
    folder = Path(mkdtemp(prefix="verbund-test-"))
    yield folder
    rmtree(folder)


@pytest.fixture
def own_cluster(home: Path) -> Iterator[Cluster]:
    """A cluster that a test may kill."""
    made = Cluster(home, find_free_port())
    made.start()
    yield made
    made.stop()


def poll(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def query(conninfo: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_nobody_comes_in_without_the_password(cluster: Cluster) -> None:
    settings = cluster.superuser()
    assert query(settings.conninfo(), "select current_user") == [("postgres",)]
    for wrong in ("", "postgres", "x" * 43):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=settings.host, port=settings.port, dbname="postgres", user="postgres", password=wrong)


def test_every_way_in_asks_for_a_password_by_scram(cluster: Cluster) -> None:
    rules = query(cluster.superuser().conninfo(), "select type, address, auth_method from pg_hba_file_rules")
    assert rules == [("host", "127.0.0.1", "scram-sha-256")]


def test_it_listens_on_loopback_and_on_no_socket_file(cluster: Cluster) -> None:
    listening = {
        (one.laddr.ip, one.laddr.port)
        for one in psutil.Process(cluster.pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", cluster.port)}
    assert psutil.Process(cluster.pid).net_connections("unix") == []


def test_it_does_not_run_as_root(cluster: Cluster) -> None:
    assert psutil.Process(cluster.pid).uids().effective != 0


def test_secrets_are_for_nobody_else_and_stand_in_no_log(cluster: Cluster) -> None:
    cluster.ensure_roles(NORTH)
    secrets = cluster.data.parent / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    log = cluster.log.read_text(encoding="utf-8")
    files = list(secrets.iterdir())
    assert len(files) >= 4
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(file.read_text()) >= 43
        assert file.read_text() not in log


def test_an_office_has_an_owner_its_processes_roles_and_a_role_for_each_reader(cluster: Cluster) -> None:
    cluster.ensure_roles(NORTH)
    cluster.ensure_roles(SOUTH)
    sql = """
        select rolname, rolsuper or rolcreatedb or rolcreaterole or rolbypassrls or rolreplication from pg_roles
        where rolname like 'north%' or rolname like 'south%' order by rolname
    """
    assert query(cluster.superuser().conninfo(), sql) == [
        ("north_office_desk", False),
        ("north_office_feed_south", False),
        ("north_office_owner", False),
        ("south_owner", False),
        ("south_reader", False),
        ("south_web", False),
    ]


def test_a_reader_that_pauses_in_a_transaction_loses_its_locks_soon(cluster: Cluster) -> None:
    cluster.ensure_roles(SOUTH)
    cluster.ensure_database(SOUTH)
    reader = cluster.settings("south_reader", "south").conninfo()
    assert query(reader, "show idle_in_transaction_session_timeout") == [("5s",)]
    assert query(reader, "show lock_timeout") == [("5s",)]
    cluster.drop_database("south")


def test_no_role_enters_another_offices_database(cluster: Cluster) -> None:
    for office in (NORTH, SOUTH):
        cluster.ensure_roles(office)
        cluster.ensure_database(office)
    for role, database in [("north_office_desk", "south"), ("south_reader", "north_office"), ("south_web", "postgres")]:
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(cluster.settings(role, database).conninfo())
    assert query(cluster.settings("north_office_feed_south", "north_office").conninfo(), "select 1") == [(1,)]
    for name in ("north_office", "south"):
        cluster.drop_database(name)


def test_roles_and_databases_are_ensured_as_often_as_one_likes(cluster: Cluster) -> None:
    for _ in range(2):
        cluster.ensure_roles(NORTH)
        assert cluster.ensure_database(NORTH) == "north_office"
    assert query(cluster.settings("north_office_desk", "north_office").conninfo(), "select 1") == [(1,)]
    cluster.drop_database("north_office")


def test_databases_are_utf8_with_checksums_and_utc(cluster: Cluster) -> None:
    sql = "select current_setting('server_encoding'), current_setting('data_checksums'), current_setting('timezone')"
    assert query(cluster.superuser().conninfo(), sql) == [("UTF8", "on", "UTC")]


def test_what_was_committed_outlives_a_kill(own_cluster: Cluster) -> None:
    conninfo = own_cluster.superuser().conninfo()
    with psycopg.connect(conninfo) as connection:
        connection.execute("create table kept as select 42 as answer")
    pid = own_cluster.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    poll(lambda: not own_cluster.is_running)
    own_cluster.start()
    assert own_cluster.pid != pid
    assert query(conninfo, "select answer from kept") == [(42,)]


def test_an_immediate_stop_is_recovered_from(own_cluster: Cluster) -> None:
    with psycopg.connect(own_cluster.superuser().conninfo()) as connection:
        connection.execute("create table kept as select 42 as answer")
    own_cluster.stop_immediately()
    own_cluster.start()
    assert query(own_cluster.superuser().conninfo(), "select answer from kept") == [(42,)]
    assert b"not properly shut down" in own_cluster.log.read_bytes()


def test_a_second_start_attaches_to_what_runs(own_cluster: Cluster, home: Path) -> None:
    second = Cluster(home, own_cluster.port)
    second.start()
    assert second.pid == own_cluster.pid
    second.stop()
    assert not own_cluster.is_running


def test_a_taken_port_is_named_with_its_holder_and_a_remedy(home: Path, cluster: Cluster) -> None:
    with pytest.raises(PortTaken) as caught:
        Cluster(home, cluster.port).start()
    for words in (f"Port {cluster.port}", f"process {cluster.pid}", "postgres", "VERBUND_POSTGRES_PORT"):
        assert words in str(caught.value)


def test_half_a_cluster_left_by_a_kill_is_made_anew(home: Path) -> None:
    (home / "postgres.fresh").mkdir()
    (home / "postgres.fresh" / "PG_VERSION").write_text("18")
    made = Cluster(home, find_free_port())
    made.start()
    made.stop()
    assert not (home / "postgres.fresh").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_ends_when_the_process_that_started_it_is_killed(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from verbund.embedded.postgres import Cluster\n"
        f"cluster = Cluster(Path({str(home)!r}), {find_free_port()}); cluster.start()\n"
        "print(cluster.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter, starter.stdout:
        try:
            pid = int(starter.stdout.readline())
            assert psutil.pid_exists(pid)
        finally:
            starter.kill()
    poll(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("office", [office.name for office in find_offices()])
def test_a_test_gets_a_migrated_database_of_its_own(office_database: OfficeDatabases, office: str) -> None:
    first, second = office_database(office), office_database(office)
    assert first.name != second.name
    tables = "select count(*) from pg_tables where tableowner = current_user"
    assert query(first.settings("owner").conninfo(), tables) == query(second.settings("owner").conninfo(), tables)
    assert query(first.settings("owner").conninfo(), tables) != [(0,)]
