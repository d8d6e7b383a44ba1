"""Figures: the one outlet. Whoever sees a number has asked here, and here it is known who may see it."""

from reporting.figures.answer import Answer, AreaShare, Break, Cell, Freshness, Key, Point
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
    "AreaShare",
    "Break",
    "Cell",
    "Content",
    "Figure",
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
    "answer_with",
    "cells_of",
    "days_of",
    "measure",
    "number_of",
    "plan",
    "plan_of",
    "value_of",
]
