"""What a file of areas needs: exactly one breakdown, by areas of one level."""

from reporting.figures import Answer
from reporting.indicators import Catalogue
from verbund.errors import RuleBroken


def area_breakdown_of(answer: Answer, catalogue: Catalogue) -> str:
    """The level of the areas that an answer is broken down by; raises `RuleBroken` (`areas_alone`) where it is not."""
    levels = [catalogue.level_of(name) for name in answer.by]
    if len(levels) != 1 or levels[0] is None:
        raise RuleBroken(
            "areas_alone", "This file shows areas of one level, and nothing else: break down by them.", pointer="/by"
        )
    return levels[0]
