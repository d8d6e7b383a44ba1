"""Bad requests about editions at the reporting office's doors: each with its exact answer, which repeats nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import OfficeDatabases, Templates
from stage.editions import QUESTIONS, edition_form
from stage.refusals import CANARY, Sent, check_problem, get, post
from stage.served_offices import ServedOffice, served_office

NOWHERE = "00000000-0000-4000-8000-000000000000"
POPULATION = QUESTIONS[0]
REPLACED = {"reason": "replaced"}


def freeze(*roles: str, headers: dict[str, Any] | None = None, **changes: Any) -> Sent:
    return post("/editions", edition_form(**changes), *(roles or ("statistics",)), **(headers or {}))


def asking(**changes: Any) -> Sent:
    """A freezing whose second question has these things changed."""
    return freeze(questions=[POPULATION, {**POPULATION, **changes}])


def withdraw(edition: str, form: Any = REPLACED, *roles: str, **headers: Any) -> Sent:
    return post(f"/editions/{edition}/withdrawals", form, *(roles or ("statistics",)), **headers)


def restate(edition: str, query: str, *roles: str, kind: str = "") -> Sent:
    return get(f"/editions/{edition}/restatement{kind}?{query}", *(roles or ("statistics",)))


# What is sent, and: status, code, findings (code of the finding @ place in the request).
REFUSED: dict[str, tuple[Sent, int, str, str]] = {
    # Freezing: the form
    "nothing at all": (post("/editions", {}, "statistics"), 422, "invalid", (
        "missing@/title missing@/frozen_for missing@/audience missing@/questions")),
    "a list": (post("/editions", [], "statistics"), 422, "invalid", "object_needed@"),
    "a title of blanks": (freeze(title={"de": "  ", "en": "Figures"}), 422, "invalid", "too_short@/title/de"),
    "a title in one language": (freeze(title={"de": CANARY}), 422, "invalid", "missing@/title/en"),
    "a title without end": (
        freeze(title={"de": CANARY * 20, "en": "Figures"}), 422, "invalid", "too_long@/title/de"),
    "for nobody": (freeze(frozen_for=...), 422, "invalid", "missing@/frozen_for"),
    "for the public": (freeze(audience="public"), 422, "invalid", "not_offered@/audience"),
    "for a name": (freeze(audience=CANARY), 422, "invalid", "not_offered@/audience"),
    "a wider audience": (freeze("chair"), 403, "wider_audience", "wider_audience@/audience"),
    "an unknown field": (freeze(ethnicity="1"), 422, "invalid", "unknown_field@/ethnicity"),
    "no question": (freeze(questions=[]), 422, "invalid", "too_few@/questions"),
    "more questions than an edition holds": (
        freeze(questions=[POPULATION] * 201), 422, "invalid", "too_many@/questions"),
    # Freezing: the questions
    "an unknown indicator": (
        asking(indicator="happiness"), 422, "no_such_indicator", "no_such_indicator@/questions/1/indicator"),
    "an indicator in capitals": (
        asking(indicator="POPULATION"), 422, "invalid", "wrong_form@/questions/1/indicator"),
    "an unknown version": (asking(version=99), 422, "no_such_version", "no_such_version@/questions/1/version"),
    "an unknown breakdown": (asking(by=["ethnicity"]), 422, "no_such_breakdown", "no_such_breakdown@/questions/1/by"),
    "a breakdown that is a name": (asking(by=[CANARY]), 422, "no_such_breakdown", "no_such_breakdown@/questions/1/by"),
    "a breakdown twice": (asking(by=["sex", "sex"]), 422, "twice_the_same", "twice_the_same@/questions/1/by"),
    "an unknown area": (
        asking(filters={"area": ["4711"]}), 422, "no_such_value", "no_such_value@/questions/1/filters/area"),
    "a day that does not exist": (asking(as_of=["2018-02-30"]), 422, "invalid", "date_needed@/questions/1/as_of/0"),
    "a day before all figures": (asking(as_of=["1800-01-01"]), 422, "no_such_day", "no_such_day@/questions/1/as_of"),
    "days and a period": (
        asking(**{"from": "2018-01-01", "to": "2018-12-31"}), 422, "days_and_period",
        "days_and_period@/questions/1/as_of"),
    "half a period": (
        asking(as_of=[], **{"from": "2018-01-01"}), 422, "half_a_period", "half_a_period@/questions/1/to"),
    "a period reversed": (
        asking(as_of=[], **{"from": "2018-12-31", "to": "2018-01-01"}), 422, "from_after_to",
        "from_after_to@/questions/1/from"),
    "an unknown length of periods": (asking(period="decade"), 422, "invalid", "not_offered@/questions/1/period"),
    "what the group may not see": (
        freeze(audience="coordination", questions=[{"indicator": "population", "by": ["nationality", "age_band", "sex"],
                                                    "as_of": ["2018-05-17"]}]),
        403, "only_period_ends", "only_period_ends@/questions/0"),
    "fields of action beside questions": (
        freeze(fields_of_action=["work"]), 422, "only_with_all", "only_with_all@/fields_of_action"),
    "a day beside questions": (freeze(as_of="2018-12-31"), 422, "only_with_all", "only_with_all@/as_of"),
    "an unknown field of action": (
        freeze(questions="all", fields_of_action=["work", "leisure"]), 422, "no_such_field_of_action",
        "no_such_field_of_action@/fields_of_action/1"),
    "every question there is": (freeze(questions="every"), 422, "invalid", "not_offered@/questions"),
    "without a key": (freeze(headers={"Idempotency_Key": None}), 400, "idempotency_key_missing", ""),
    "by whoever reads": (freeze("coordination"), 403, "not_permitted", ""),
    # Withdrawing
    "withdrawing nothing": (withdraw(NOWHERE), 404, "no_such_edition", ""),
    "withdrawing a name": (withdraw(CANARY), 404, "not_found", ""),
    "withdrawing what one may not see": (withdraw("{exact}", REPLACED, "chair"), 404, "no_such_edition", ""),
    "withdrawing without a reason": (withdraw("{exact}", {}), 422, "invalid", "missing@/reason"),
    "withdrawing for a reason of one's own": (
        withdraw("{exact}", {"reason": CANARY}), 422, "invalid", "not_offered@/reason"),
    "withdrawing in too many words": (
        withdraw("{exact}", {**REPLACED, "words": CANARY * 20}), 422, "invalid", "too_long@/words"),
    "withdrawing twice": (withdraw("{withdrawn}"), 409, "edition_withdrawn", "edition_withdrawn@"),
    "withdrawing another state": (withdraw("{exact}", If_Match='"7"'), 412, "stale", ""),
    "withdrawing by whoever reads": (withdraw("{shared}", REPLACED, "coordination"), 403, "not_permitted", ""),
    # Restating
    "restating nothing": (restate(NOWHERE, "against=now"), 404, "no_such_edition", ""),
    "restating against nothing": (restate("{exact}", f"against={NOWHERE}"), 404, "no_such_edition", ""),
    "restating against nobody knows what": (restate("{exact}", ""), 422, "invalid", "missing@query:against"),
    "restating against a name": (restate("{exact}", f"against={CANARY}"), 422, "invalid", "wrong_form@query:against"),
    "restating against itself": (
        restate("{exact}", "against={exact}"), 422, "edition_not_later", "edition_not_later@query:against"),
    "restating against an earlier one": (
        restate("{later}", "against={exact}"), 422, "edition_not_later", "edition_not_later@query:against"),
    "restating against another audience": (
        restate("{exact}", "against={shared}"), 422, "other_audience", "other_audience@query:against"),
    "restating what one may not see": (restate("{exact}", "against=now", "chair"), 404, "no_such_edition", ""),
    "restating against what one may not see": (
        restate("{shared}", "against={later}", "chair"), 404, "no_such_edition", ""),
    "a table of a bad restatement": (
        restate("{exact}", "against={exact}", kind=".csv"), 422, "edition_not_later",
        "edition_not_later@query:against"),
    # Reading
    "an edition that is a name": (get(f"/editions/{CANARY}", "statistics"), 404, "not_found", ""),
    "an edition that is not there": (get(f"/editions/{NOWHERE}", "statistics"), 404, "no_such_edition", ""),
    "the archive of nothing": (get(f"/editions/{NOWHERE}.zip", "statistics"), 404, "no_such_edition", ""),
    "a question beyond the last": (get("/editions/{exact}/figures/99", "statistics"), 404, "no_such_question", ""),
    "question nought": (get("/editions/{exact}/figures/0", "statistics"), 404, "not_found", ""),
    "an unknown kind of file": (get("/editions/{exact}/figures/1.ods", "statistics"), 404, "not_found", ""),
    "a cursor that is a name": (
        get(f"/editions?cursor={CANARY}", "statistics"), 400, "cursor_invalid", ""),
    "a page of nothing": (get("/editions?limit=0", "statistics"), 422, "invalid", "too_small@query:limit"),
    "a page without end": (get("/editions?limit=99999", "statistics"), 422, "invalid", "too_large@query:limit"),
    "editions of a clerk": (get("/editions", "clerk"), 403, "not_permitted", ""),
    "removing an edition": (Sent("DELETE", "/editions/{exact}", ("statistics",)), 405, "method_not_allowed", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOffice]:
    """One exact edition, one for the group, another exact one, and a withdrawn one."""
    databases = OfficeDatabases(templates)
    with served_office(databases("reporting"), tmp_path_factory.mktemp("office")) as office:
        for name, audience in (
            ("exact", "statistics"), ("shared", "coordination"), ("later", "statistics"), ("withdrawn", "statistics"),
        ):  # fmt: skip
            answer = freeze(audience=audience, questions=[POPULATION]).to(office)
            assert answer.status_code == 201, answer.text
            office.places[name] = answer.json()["edition_id"]
        assert withdraw("{withdrawn}").to(office).status_code == 201
        yield office
    databases.drop_all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_about_an_edition_is_refused_exactly_and_books_nothing(office: ServedOffice, name: str) -> None:
    sent, status, code, at = REFUSED[name]
    before = booked(office)
    check_problem(sent.to(office), status, code, at)
    assert booked(office) == before


def booked(office: ServedOffice) -> list[tuple[object, ...]]:
    """What any freezing or withdrawal would change."""
    return office.query(
        "select (select count(*) from ledger.record), (select count(*) from editions.draft), "
        "(select count(*) from editions.edition), (select count(*) from desk.answer)"
    )
