"""Figures: the one outlet. Whoever sees a number has asked here, and here it is known who may see it."""

from reporting.figures.answer import (
    Answer,
    AreaShare,
    Break,
    Cell,
    DefinitionChange,
    Delivery,
    Freshness,
    Key,
    Mark,
    Note,
    Point,
    Target,
)
from reporting.figures.causes import (
    Booked,
    Knowledge,
    amounts_by_cause,
    causes_of_indicator,
    measures_of,
    read_between,
)
from reporting.figures.combining import WHOLE, Amount, Content, Label, days_of
from reporting.figures.evaluation import Amounts
from reporting.figures.in_parts import AnswerInParts, answer_in_parts
from reporting.figures.outlet import answer, answer_plan, answer_with, cells_of, measure, plan
from reporting.figures.plan import Plan, plan_of
from reporting.figures.question import Question
from reporting.figures.released import ReleasedIndicator, as_released, list_released
from reporting.figures.remarks import Remarks, read_remarks
from reporting.figures.scopes import check_decimals, check_scope, is_exact_to
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
    "AnswerInParts",
    "AreaShare",
    "Booked",
    "Break",
    "Cell",
    "Content",
    "DefinitionChange",
    "Delivery",
    "Figure",
    "Freshness",
    "Key",
    "Knowledge",
    "Label",
    "Mark",
    "NotReported",
    "Note",
    "Number",
    "Plan",
    "Point",
    "Protected",
    "Question",
    "ReleasedIndicator",
    "Remarks",
    "Target",
    "Value",
    "Zero",
    "amounts_by_cause",
    "answer",
    "answer_in_parts",
    "answer_plan",
    "answer_with",
    "as_released",
    "causes_of_indicator",
    "cells_of",
    "check_decimals",
    "check_scope",
    "days_of",
    "is_exact_to",
    "list_released",
    "measure",
    "measures_of",
    "number_of",
    "plan",
    "plan_of",
    "read_between",
    "read_remarks",
    "value_of",
]
