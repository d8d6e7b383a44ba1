"""Figures: the one outlet. Whoever sees a number has asked here, and here it is known who may see it."""

from reporting.figures.answer import Answer, Cell, Freshness, Key, Point
from reporting.figures.outlet import answer, answer_plan
from reporting.figures.plan import Plan, plan_of
from reporting.figures.question import Question
from reporting.figures.values import (
    NOT_REPORTED,
    PROTECTED,
    ZERO,
    NotReported,
    Number,
    Protected,
    Value,
    Zero,
    number_of,
    value_of,
)

__all__ = [
    "NOT_REPORTED",
    "PROTECTED",
    "ZERO",
    "Answer",
    "Cell",
    "Freshness",
    "Key",
    "NotReported",
    "Number",
    "Plan",
    "Point",
    "Protected",
    "Question",
    "Value",
    "Zero",
    "answer",
    "answer_plan",
    "number_of",
    "plan_of",
    "value_of",
]
