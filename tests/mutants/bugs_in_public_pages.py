"""Bugs of the public's pages, and of what people book at the pages: who is told what, and who may write."""

from mutants.planting import Bug, Edit

_WORDS = "reporting/pages/public_words.py"
_RELEASED = "reporting/figures/released.py"
_HERE = "reporting/test_public_pages.py::"

BUGS = (
    Bug(
        "public page with an unreleased indicator",
        "everybody is told of what is not released",
        f"{_HERE}test_every_released_indicator_has_a_tile_and_no_other_one",
        (
            Edit(
                _RELEASED,
                "catalogue.indicators.values() if one.audiences.public is not None]",
                "catalogue.indicators.values()]",
            ),
            Edit(
                _RELEASED,
                "    if rule is None:\n        raise",
                "    if rule is None:\n        return indicator\n        raise",
            ),
        ),
    ),
    Bug(
        "public page with the eyes of the group",
        "the city's totals stand exact and live on the page for everybody",
        f"{_HERE}test_what_came_after_the_release_is_on_no_page",
        (Edit(_WORDS, "question, Audience.PUBLIC, self.at", "question, Audience.COORDINATION, self.at"),),
    ),
    Bug(
        "unreleased indicator at its address",
        "who guesses the address of an indicator reads what is not released",
        f"{_HERE}test_what_is_not_released_is_not_there",
        (
            Edit(_WORDS, "question, Audience.PUBLIC, self.at", "question, Audience.STATISTICS, self.at"),
            Edit(
                _RELEASED,
                "    if rule is None:\n        raise",
                "    if rule is None and not indicator_id:\n        raise",
            ),
            Edit(
                _RELEASED,
                '    return indicator.model_copy(update={"breakdowns": rule.breakdowns, "every": rule.every})',
                "    return indicator",
            ),
        ),
    ),
    Bug(
        "files of the public with internals",
        "the link on the public's page leads to the file of whoever is signed in",
        f"{_HERE}test_every_link_leads_to_what_everybody_may_see",
        (Edit(_WORDS, 'f"/public/figures/{released.id}', 'f"/figures/{released.id}'),),
    ),
)
