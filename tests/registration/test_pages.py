"""The clerk's pages, used as a browser without scripts uses them."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path

import httpx
import pytest
from conftest import OfficeDatabases
from stage.registration_office import RegistrationOffice, open_office

from registration.pages.choices import area_choices, nationality_choices
from verbund.service.words import messages_of, untranslated

PLATFORM = ("verbund", "verbund.service.pages")
TYPED = {
    "family_name": "Muster",
    "given_names": "Maria",
    "birth_date": "1987-05-14",
    "sex": "f",
    "nationality": "Romania (154)",
    "moved_in_on": "2018-11-05",
    "residence_kind": "main",
    "arrival_kind": "abroad",
    "previous_state": "Romania",
    "previous_municipality": "",
    "area": "Nordmarkt (05)",
    "street": "Musterstraße",
    "house_number": "12a",
    "postal_code": "44145",
    "landlord_confirmation": "present",
    "landlord": "",
}


class Browser:
    """A clerk's browser: a session cookie, forms posted as they stand on the page."""

    def __init__(self, office: RegistrationOffice, language: str) -> None:
        self._office = office
        self._headers = {
            "Accept": "text/html",
            "Accept-Language": language,
            "Cookie": f"verbund_session_registration={office.kit.token('clerk', subject='somebody')}",
            "Sec-Fetch-Site": "same-origin",
        }

    async def open(self, path: str) -> httpx.Response:
        return await self._office.client.get(path, headers=self._headers)

    async def send(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        return await self._office.client.post(path, headers=self._headers, data=dict(fields))

    async def blank(self, path: str) -> dict[str, str]:
        """The hidden fields of a form as it is opened."""
        page = (await self.open(path)).text
        return {"idempotency_key": hidden(page, "idempotency_key")}


@pytest.fixture
async def office(office_database: OfficeDatabases, tmp_path: Path) -> AsyncIterator[RegistrationOffice]:
    async with open_office(office_database("registration"), tmp_path) as opened:
        yield opened


@pytest.fixture
def browser(office: RegistrationOffice) -> Browser:
    return Browser(office, "en")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"no field {name}"
    return found[1]


def text_of(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.partition("<main")[2])))


async def test_a_clerk_registers_a_residence_and_is_told_its_number(
    office: RegistrationOffice, browser: Browser
) -> None:
    answer = await browser.send("/clerk/register", {**TYPED, **await browser.blank("/clerk/register")})
    assert answer.status_code == 303, text_of(answer.text)
    shown = await browser.open(answer.headers["location"])
    assert shown.status_code == 200
    words = text_of(shown.text)
    assert "The residence is registered." in words
    assert "Booking no. 2" in words
    assert "Muster, Maria" in words
    assert "Register the next one" in words
    assert len(office.events()) == 2


async def test_what_was_typed_is_never_lost_and_each_error_has_its_place(
    office: RegistrationOffice, browser: Browser
) -> None:
    typed = {**TYPED, "nationality": "Ruritania", "moved_in_on": "31.02.2018", "street": "", "area": "Nordmarkt"}
    answer = await browser.send("/clerk/register", {**typed, **await browser.blank("/clerk/register")})
    assert answer.status_code == 422
    page = answer.text
    assert 'value="Ruritania"' in page
    assert 'value="31.02.2018"' in page
    assert 'value="Musterstraße"' not in page
    summary = page.partition('class="summary__list"')[2].partition("</ul>")[0]
    assert re.findall(r'href="#(\w+)"', summary) == ["nationality", "moved_in_on", "street"]
    for name in ("nationality", "moved_in_on", "street"):
        assert f'id="{name}-error"' in page
    assert len(office.events()) == 1


async def test_a_rule_of_the_office_is_told_at_its_field(browser: Browser) -> None:
    typed = {**TYPED, "arrival_kind": "other_municipality", "previous_state": "", "previous_municipality": "05913000"}
    answer = await browser.send("/clerk/register", {**typed, **await browser.blank("/clerk/register")})
    assert answer.status_code == 422
    assert "This is our own municipality. Book a move instead." in answer.text
    assert 'id="previous_municipality-error"' in answer.text


async def test_a_choice_that_was_not_made_is_asked_for(browser: Browser) -> None:
    typed = {name: value for name, value in TYPED.items() if name not in ("sex", "arrival_kind")}
    answer = await browser.send("/clerk/register", {**typed, **await browser.blank("/clerk/register")})
    assert 'href="#sex"' in answer.text
    assert 'href="#arrival_kind"' in answer.text


async def test_a_double_click_and_a_reload_book_once(office: RegistrationOffice, browser: Browser) -> None:
    fields = {**TYPED, **await browser.blank("/clerk/register")}
    answers = await asyncio.gather(*(browser.send("/clerk/register", fields) for _ in range(3)))
    answers.append(await browser.send("/clerk/register", fields))
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {
        (303, answers[0].headers["location"])
    }
    assert len(office.events()) == 2


async def test_a_clerk_books_a_move_and_a_deregistration(office: RegistrationOffice, browser: Browser) -> None:
    residence_id = (await office.register())["residence_id"]
    home = f"/clerk/residences/{residence_id}"
    address = {"area": "Hafen", "street": "Musterweg", "house_number": "1", "landlord_confirmation": "missing"}
    move = {**address, "moved_on": "01.12.2018", **await browser.blank(f"{home}/move")}
    moved = await browser.send(f"{home}/move", move)
    assert moved.status_code == 303, text_of(moved.text)
    gone = await browser.send(
        f"{home}/deregister",
        {"deregistered_on": "2019-01-01", "reason": "abroad", **await browser.blank(f"{home}/deregister")},
    )
    assert gone.status_code == 303, text_of(gone.text)
    words = text_of((await browser.open(home)).text)
    assert "Hafen" in words
    assert "Musterweg 1" in words
    assert "deregistered" in words
    assert "moved abroad" in words


async def test_the_list_shows_the_latest_first_and_leads_to_the_next_page(
    office: RegistrationOffice, browser: Browser
) -> None:
    for name in ("Erste", "Zweite", "Dritte"):
        await office.register(family_name=name)
    page = (await browser.open("/clerk?limit=2")).text
    assert re.findall(r">(\w+), Maria<", page) == ["Dritte", "Zweite"]
    following = re.search(r'href="([^"]*)" rel="next"', page)
    assert following is not None
    page = (await browser.open(unescape(following[1]))).text
    assert re.findall(r">(\w+), Maria<", page) == ["Erste"]
    whats = office.query("select what, cardinality(residence_ids) from vault.reading order by number")
    assert whats == [("list of residences", 2), ("list of residences", 1)]


async def test_the_pages_speak_german_first(office: RegistrationOffice) -> None:
    browser = Browser(office, "fr")
    page = (await browser.open("/clerk/register")).text
    assert '<html lang="de">' in page
    assert "Wohnung anmelden" in page
    assert "Rumänien (154)" in unescape(page)
    english = (await browser.open("/clerk/register?lang=en")).text
    assert "Register a residence" in english


async def test_the_first_page_after_signing_in_is_the_list(browser: Browser) -> None:
    answer = await browser.open("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/clerk")
    assert "Nothing is registered yet." in (await browser.open("/clerk")).text


def test_every_message_of_the_office_is_translated() -> None:
    assert untranslated("registration", also=PLATFORM) == []
    assert "Register a residence" in messages_of("registration")


@pytest.mark.parametrize(
    ("typed", "code"),
    [("05", "05"), ("Nordmarkt", "05"), ("nordmarkt", "05"), ("Nordmarkt (05)", "05"), ("Nord", None), ("(99)", None)],
)
def test_an_area_may_be_typed_as_code_name_or_both(typed: str, code: str | None) -> None:
    assert area_choices("05913000", "de").find(typed) == code


def test_every_entry_of_a_list_is_found_as_it_is_offered() -> None:
    for choices in (
        area_choices("05913000", "de"),
        nationality_choices("de"),
        nationality_choices("en"),
    ):
        assert [choices.find(shown) for shown, _ in choices.options] == sorted(
            choices.words, key=lambda code: choices.words[code].casefold()
        )


STEPS = {
    "nationality": ({"changed_on": "2018-12-01", "nationality": "Germany"}, "The change of nationality is booked."),
    "kind": ({"changed_on": "2018-12-01", "residence_kind": "secondary"}, "The change of the kind of residence is"),
    "doubt": ({"doubted_on": "2018-12-03", "doubt_reason": "returned_mail"}, "The doubt is booked"),
    "confirm": ({"confirmed_on": "2018-12-20"}, "The address is confirmed."),
}


async def test_each_step_about_a_residence_has_its_form(office: RegistrationOffice, browser: Browser) -> None:
    home = f"/clerk/residences/{(await office.register())['residence_id']}"
    for step, (typed, said) in STEPS.items():
        assert f'href="{home}/{step}"' in (await browser.open(home)).text
        answer = await browser.send(f"{home}/{step}", {**typed, **await browser.blank(f"{home}/{step}")})
        assert answer.status_code == 303, text_of(answer.text)
        assert said in text_of((await browser.open(answer.headers["location"])).text)
    assert f'href="{home}/confirm"' not in (await browser.open(home)).text
    assert (await browser.open(f"{home}/unheard-of")).status_code == 404


async def test_open_doubts_are_listed_with_the_day_from_which_they_can_end_ex_officio(
    office: RegistrationOffice, browser: Browser
) -> None:
    assert "No address is in doubt." in text_of((await browser.open("/clerk/doubts")).text)
    later, earlier = await office.register(), await office.register(family_name="Erste")
    for receipt, on in ((later, "2018-12-03"), (earlier, "2018-11-20")):
        doubt = {"doubted_on": on, "doubt_reason": "notice_of_landlord"}
        booked = await office.post(f"/residences/{receipt['residence_id']}/doubts", doubt)
        assert booked.status_code == 201, booked.text
    words = text_of((await browser.open("/clerk/doubts")).text)
    assert words.index("Erste") < words.index("Muster")
    assert "20.11.2018 18.12.2018 (possible now)" in words
    first = (await browser.open("/clerk/doubts?limit=1")).text
    onward = re.search(r'href="(/clerk/doubts\?cursor=[^"]+)"', first)
    assert onward is not None
    assert "Muster" in text_of((await browser.open(unescape(onward[1]))).text)


async def test_a_deregistration_ex_officio_is_refused_at_its_field_while_the_inquiry_runs(
    office: RegistrationOffice, browser: Browser
) -> None:
    place = f"/clerk/residences/{(await office.register())['residence_id']}/deregister"
    answer = await browser.send(
        place, {"deregistered_on": "2018-12-31", "reason": "ex_officio", **await browser.blank(place)}
    )
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert "need a doubt" in answer.text
