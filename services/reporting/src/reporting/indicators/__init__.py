"""Indicators: figures defined as data, the catalogue that holds them, and how their values are sums over the cube."""

from reporting.indicators.areas import Area, AreaChange, MapOfLevel, Shape
from reporting.indicators.audience_rules import Audiences, CoordinationRule, Margin, PublicRule
from reporting.indicators.catalogue import OTHER, Catalogue, Dimension, Frame
from reporting.indicators.catalogue_files import BadCatalogue, read_catalogue
from reporting.indicators.city import UNPLACED, AgeBand, City
from reporting.indicators.definition import RATIOS, Delivered, Indicator, IndicatorKind, Part, Population, Unit
from reporting.indicators.fitting import facts_of
from reporting.indicators.periods import TOO_SHORT, Every, Span, period_around, span_year_before, year_before
from reporting.indicators.rhythm import OfficeWords, Rhythm, passed
from reporting.indicators.terms import Before, Chosen, NoneOf, OneOf, Parts, Term, codes_of, is_defined_on, parts_of
from reporting.indicators.words import Words

__all__ = [
    "OTHER",
    "RATIOS",
    "TOO_SHORT",
    "UNPLACED",
    "AgeBand",
    "Area",
    "AreaChange",
    "Audiences",
    "BadCatalogue",
    "Before",
    "Catalogue",
    "Chosen",
    "City",
    "CoordinationRule",
    "Delivered",
    "Dimension",
    "Every",
    "Frame",
    "Indicator",
    "IndicatorKind",
    "MapOfLevel",
    "Margin",
    "NoneOf",
    "OfficeWords",
    "OneOf",
    "Part",
    "Parts",
    "Population",
    "PublicRule",
    "Rhythm",
    "Shape",
    "Span",
    "Term",
    "Unit",
    "Words",
    "codes_of",
    "facts_of",
    "is_defined_on",
    "parts_of",
    "passed",
    "period_around",
    "read_catalogue",
    "span_year_before",
    "year_before",
]
