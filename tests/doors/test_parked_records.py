"""The doors for parked records: who looks sees no payload, a decision is taken once, a repeat gets the same answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OfficeDatabases
from stage.facts import BOOK
from stage.parked import park
from stage.served_offices import ServedOffice, served_reader


@pytest.fixture
def office(office_database: OfficeDatabases, tmp_path: Path) -> Iterator[ServedOffice]:
    with served_reader(office_database("reporting"), office_database("registration"), tmp_path) as served:
        yield served


def arrivals(office: ServedOffice) -> int:
    ((found,),) = office.query("select coalesce(sum(n), 0)::int from cube.delta where measure = 'arrivals'")
    return int(found)


def test_a_replay_takes_effect_once_and_its_repeat_gets_the_same_answer(office: ServedOffice) -> None:
    parked, other = park(office, 1), park(office, 2)
    key = {"Idempotency-Key": "mine"}
    answers = [office.ask("POST", f"/parked-records/{parked}/replays", "operator", headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true", "true"]
    assert answers[0].headers["Location"] == f"/parked-records/{parked}"
    assert (answers[0].json()["settled"], answers[0].json()["settled_by"]) == ("replayed", "operator:somebody")
    assert arrivals(office) == 1
    reused = office.ask("POST", f"/parked-records/{other}/replays", "operator", headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    late = office.ask("POST", f"/parked-records/{parked}/replays", "operator")
    assert (late.status_code, late.json()["code"]) == (409, "settled_already")
    assert arrivals(office) == 1


def test_what_stays_parked_says_why(office: ServedOffice) -> None:
    broken, foreign = park(office, 1, body=b"{"), park(office, 2, "hash_mismatch")
    for parked, code in ((broken, "still_undecodable"), (foreign, "no_place")):
        answer = office.ask("POST", f"/parked-records/{parked}/replays", "operator", headers={"Accept-Language": "de"})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert "parked" not in answer.json()["detail"]
    listed = office.ask("GET", "/parked-records", "statistics").json()
    assert [(each["id"], each["reason"]) for each in listed] == [(broken, "not_json"), (foreign, "hash_mismatch")]
    assert arrivals(office) == 0


def test_a_discard_needs_a_reason_and_leaves_a_tombstone(office: ServedOffice) -> None:
    parked = park(office, 1)
    for why in ("", "  ", None):
        refused = office.ask("POST", f"/parked-records/{parked}/discards", "operator", json={"why": why})
        assert refused.status_code == 422, refused.text
    answer = office.ask("POST", f"/parked-records/{parked}/discards", "operator", json={"why": "a test"})
    assert (answer.status_code, answer.json()["settled_why"], answer.json()["size"]) == (201, "a test", 0)
    assert office.ask("GET", "/parked-records", "operator").json() == []
    everything = office.ask("GET", "/parked-records?settled=true", "operator").json()
    assert [each["settled"] for each in everything] == ["discarded"]
    payload = office.ask("GET", f"/parked-records/{parked}/payload", "operator")
    assert (payload.status_code, payload.content) == (200, b"")


def test_whoever_may_only_look_sees_nothing_of_what_it_says(
    office: ServedOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    parked = park(office, 1)
    for role in ("statistics", "privacy_officer"):
        shown = office.ask("GET", f"/parked-records/{parked}", role)
        assert shown.status_code == 200
        assert shown.json()["attributes"]["source"] == BOOK
        assert "birth_year" not in shown.text
        assert office.ask("GET", f"/parked-records/{parked}/payload", role).status_code == 403
    assert "a parked record is read" not in capsys.readouterr().out
    payload = office.ask("GET", f"/parked-records/{parked}/payload", "operator")
    assert b"birth_year" in payload.content
    told = capsys.readouterr().out
    assert "a parked record is read" in told
    assert "operator:somebody" in told
    for path in ("/parked-records/999999", "/parked-records/999999/payload"):
        assert office.ask("GET", path, "operator").status_code == 404


def test_a_long_list_has_pages(office: ServedOffice) -> None:
    ids = [park(office, number) for number in range(1, 6)]
    seen, path = [], "/parked-records?limit=2"
    while path:
        answer = office.ask("GET", path, "operator")
        seen += [each["id"] for each in answer.json()]
        link = answer.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0]
    assert seen == ids
