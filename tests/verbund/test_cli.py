import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event

import psycopg
import pytest
from stage.exports import prove
from typer.testing import CliRunner

from verbund.cli.compare import show
from verbund.cli.main import build
from verbund.cli.output import Output, ProgressBars
from verbund.cli.places import resolve
from verbund.cli.simulate import live, load, make_context
from verbund.cli.tokens import Issuing
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.ports import find_free_port
from verbund.embedded.postgres import Cluster
from verbund.embedded.simulation import Comparison, SimulationContext
from verbund.errors import Unauthenticated
from verbund.events.offices import find_offices
from verbund.events.registration import InitialLoadClosed
from verbund.ledger.record import GENESIS, Entry, Head, seal
from verbund.postgres import prepare_databases
from verbund.service.tickets import take_ticket
from verbund.service.tokens import TokenVerifier

BOOK = "/05913000/registration/book"
COMMANDS = (
    *("up", "demo", "status", "open", "token", "simulate"),
    *("verify", "checkpoint", "export", "rebuild", "compact", "migrate", "secrets", "serve"),
)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Below /tmp itself: pytest's folders are closed to the user that PostgreSQL runs as when root tests.
    folder = Path(mkdtemp(prefix="verbund-test-"))
    monkeypatch.setenv("VERBUND_HOME", str(folder))
    monkeypatch.setenv("VERBUND_POSTGRES_PORT", str(find_free_port()))
    yield folder
    rmtree(folder)


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    result = CliRunner().invoke(build(), list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_answers_in_json(command: str) -> None:
    code, said, _ = run(command, "--help")
    assert code == 0
    assert "--json" in said


def test_a_token_is_good_for_the_office_it_names(home: Path) -> None:
    code, said, _ = run("token", "--office", "registration", "--role", "clerk", "--role", "office_lead")
    assert code == 0
    settings = EmbeddedSettings().layout.issuer
    principal = TokenVerifier(settings, "registration", "05913000").verify(said.strip())
    assert principal.roles == {"clerk", "office_lead"}
    with pytest.raises(Unauthenticated):
        TokenVerifier(settings, "reporting", "05913000").verify(said.strip())


def test_a_link_carries_a_ticket_for_a_token(home: Path) -> None:
    code, said, _ = run("open", "--office", "reporting", "--role", "statistics", "--json")
    assert code == 0
    link = json.loads(said)["link"]
    address, _, ticket = link.partition("/sign-in?ticket=")
    assert address == "http://127.0.0.1:8100"
    token = take_ticket(home / "tickets", ticket)
    assert token is not None
    verifier = TokenVerifier(EmbeddedSettings().layout.issuer, "reporting", "05913000")
    assert verifier.verify(token).roles == {"statistics"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("token", "--office", "registration", "--role", "mayor"), "mayor"),
        (("token", "--office", "castle", "--role", "clerk"), "castle"),
        (("open", "--office", "castle"), "castle"),
        (("serve", "castle"), "castle"),
        (("verify", "--office", "castle"), "castle"),
        (("status",), "verbund up"),
        (("simulate",), "verbund up"),
        (("verify",), "no ledgers"),
        (("rebuild", "--yes"), "no ledgers"),
        (("compact",), "no ledgers"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(home: Path, words: tuple[str, ...], named: str) -> None:
    code, said, complained = run(*words)
    assert (code, said) == (1, "")
    assert named in complained
    code, said, _ = run(*words, "--json")
    assert code == 1
    assert named in json.loads(said)["error"]


def test_ledgers_are_signed_verified_and_taken_out_and_bad_numbers_are_named(home: Path, tmp_path: Path) -> None:
    settings = EmbeddedSettings()
    cluster = Cluster(home, settings.postgres_port)
    cluster.start()
    prepare_databases(cluster, find_offices(), lambda _: None)
    book(cluster, count=5)
    cluster.stop()

    assert run("verify")[:2] == (0, f"{BOOK}: 5 records, whole, not signed yet\n")
    none_of_reporting = "reporting: nothing new since the last checkpoint\n"
    assert run("checkpoint")[:2] == (0, f"{none_of_reporting}{BOOK}: signed at 5\n")
    assert run("checkpoint")[:2] == (0, f"{none_of_reporting}registration: nothing new since the last checkpoint\n")
    assert run("verify")[:2] == (0, f"{BOOK}: 5 records, whole, signed up to 5\n")
    taken_out = tmp_path / "taken out"
    assert run("export", str(taken_out))[0] == 0
    assert prove(taken_out) == (0, [f"{BOOK}: whole, signed up to 5"])
    code, _, complained = run("export", str(taken_out))
    assert code == 1
    assert "not empty" in complained

    cluster.start()
    with psycopg.connect(cluster.superuser("registration").conninfo()) as connection:
        connection.execute("alter table ledger.record disable trigger never_changed")
        connection.execute("update ledger.record set body = body || ' ' where number = 3")
    cluster.stop()
    code, said, _ = run("verify", "--json")
    assert code == 1
    fault = json.loads(said.splitlines()[-1])
    assert (fault["ledger"], fault["first_bad_number"], fault["last_bad_number"]) == (BOOK, 3, 3)
    assert cluster.find_running() is None


def book(cluster: Cluster, count: int) -> None:
    """Put `count` events into the book of the registration office, as its desk would."""
    entry = Entry("office", InitialLoadClosed(closed_on=date(2026, 1, 2)), "clerk:test", datetime.now(UTC))
    head, records = seal(Head(BOOK, 0, GENESIS, entry.time), [entry] * count)
    with psycopg.connect(cluster.superuser("registration").conninfo()) as connection:
        connection.execute(
            "insert into ledger.head values (%s, %s, %s, %s)", (head.ledger, head.number, head.hash, head.time)
        )
        for record in records:
            connection.execute(
                "insert into ledger.record (ledger, number, previous, hash, body) values (%s, %s, %s, %s, %s)",
                (record.ledger, record.number, record.previous, record.hash, record.body),
            )


def test_migrate_makes_the_databases_of_every_office_and_may_be_repeated(home: Path) -> None:
    for _ in range(2):
        code, said, _ = run("migrate")
        assert code == 0
        assert "every database is up to date" in said
    cluster = Cluster(home, EmbeddedSettings().postgres_port)
    cluster.start()
    try:
        with psycopg.connect(cluster.superuser().conninfo()) as connection:
            made = {row[0] for row in connection.execute("select datname from pg_database").fetchall()}
    finally:
        cluster.stop()
    assert {office.package for office in find_offices()} <= made


class City:
    """Stands in for a simulation that an office brings."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.loaded: list[int] = []
        self._fails = fails

    def load(self, context: SimulationContext) -> None:
        self.loaded.append(context.seed)

    def live(self, context: SimulationContext) -> None:
        if self._fails is not None:
            raise self._fails
        assert context.stop.wait(30)


def context(stop: Event) -> SimulationContext:
    return make_context(Issuing(EmbeddedSettings()), 60.0, 7, stop, lambda phase, done, total: None)


def test_simulations_are_given_doors_and_tokens_for_them(home: Path) -> None:
    given = context(Event())
    assert given.registration_url == "http://127.0.0.1:8101"
    assert given.reporting_url == "http://127.0.0.1:8100"
    verifier = TokenVerifier(EmbeddedSettings().layout.issuer, "registration", "05913000")
    assert verifier.verify(given.issue_token("registration", ("initial_load",))).roles == {"initial_load"}


def test_a_stopped_simulation_loads_nothing_more(home: Path) -> None:
    stop, city = Event(), City()
    load([city], context(stop))
    stop.set()
    load([city], context(stop))
    assert city.loaded == [7]


def test_a_simulation_that_fails_ends_the_others_and_is_heard_of(home: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        live([City(), City(fails=ZeroDivisionError())], context(Event()))


def test_every_announced_place_in_code_is_there() -> None:
    for office in find_offices():
        for place in (
            office.simulation,
            office.check,
            office.rebuild,
            office.compaction,
            *(process.app for process in office.processes),
        ):
            assert place is None or resolve(place) is not None
        if office.simulation:
            simulation = resolve(office.simulation)
            assert callable(simulation.load)
            assert callable(simulation.live)


def test_figures_are_equal_only_where_each_is_answered_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    same = Comparison("Stock 2018", 9039, 9039)
    assert show([same], output)
    assert not show([same, Comparison("Arrivals 2018", 3250, 3251)], output)
    assert not show([same, Comparison("Departures 2018", 2850, None)], output)
    assert not show([], output)
    cents = Comparison("funding_granted", Decimal("20149099.89"), Decimal("20149099.89"))
    assert show([cents, Comparison("contacts", "6480 5732", "6480 5732")], output)
    assert not show([cents, Comparison("contacts", "6480 5732", "–")], output)
    shown = capsys.readouterr()
    assert "9,039" in shown.out
    assert "20,149,099.89" in shown.out
    assert "DIFFERENT" in shown.out
    assert "1 of 2 figures differ" in shown.err


def test_progress_without_a_terminal_is_a_line_for_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBars(Output(as_json=True)) as bars:
        for done in range(101):
            bars.show("Loading", done, 100)
    said = [json.loads(line)["done"] for line in capsys.readouterr().err.splitlines()]
    assert said == list(range(0, 101, 10))
