"""Figures: the one outlet. Whoever sees a number has asked here, and here it is known who may see it."""

from reporting.figures.answer import Answer, Cell, Freshness, Key, Point
from reporting.figures.causes import (
    Booked,
    Knowledge,
    amounts_by_cause,
    causes_of_indicator,
    measures_of,
    read_between,
)
from reporting.figures.combining import WHOLE, Amount, Content, days_of
from reporting.figures.evaluation import Amounts
from reporting.figures.outlet import answer, answer_plan, answer_with, cells_of, measure, plan
from reporting.figures.plan import Plan, plan_of
from reporting.figures.question import Question
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
    "Booked",
    "Cell",
    "Content",
    "Figure",
    "Freshness",
    "Key",
    "Knowledge",
    "NotReported",
    "Number",
    "Plan",
    "Point",
    "Protected",
    "Question",
    "Value",
    "Zero",
    "amounts_by_cause",
    "answer",
    "answer_plan",
    "answer_with",
    "causes_of_indicator",
    "cells_of",
    "days_of",
    "measure",
    "measures_of",
    "number_of",
    "plan",
    "plan_of",
    "read_between",
    "value_of",
]
