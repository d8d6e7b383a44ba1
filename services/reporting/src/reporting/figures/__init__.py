"""Figures: the one outlet. Whoever sees a number has asked here, and here it is known who may see it."""

from reporting.figures.answer import Answer, Cell, Delivery, Freshness, Key, Mark, Point
from reporting.figures.combining import WHOLE, Amount, Content, Label, days_of
from reporting.figures.evaluation import Amounts
from reporting.figures.outlet import answer, answer_plan, answer_with, cells_of, measure, plan
from reporting.figures.plan import Plan, plan_of
from reporting.figures.question import Question
from reporting.figures.released import ReleasedIndicator, as_released, list_released
from reporting.figures.values import (
    NOT_REPORTED,
    PROTECTED,
    ZERO,
    Figure,
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
    "WHOLE",
    "ZERO",
    "Amount",
    "Amounts",
    "Answer",
    "Cell",
    "Content",
    "Delivery",
    "Figure",
    "Freshness",
    "Key",
    "Label",
    "Mark",
    "NotReported",
    "Number",
    "Plan",
    "Point",
    "Protected",
    "Question",
    "ReleasedIndicator",
    "Value",
    "Zero",
    "answer",
    "answer_plan",
    "answer_with",
    "as_released",
    "cells_of",
    "days_of",
    "list_released",
    "measure",
    "number_of",
    "plan",
    "plan_of",
    "value_of",
]
