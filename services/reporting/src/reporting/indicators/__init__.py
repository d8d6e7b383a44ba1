"""Indicators: figures defined as data, the catalogue that holds them, and how their values are sums over the cube."""

from reporting.indicators.catalogue import OTHER, Catalogue, Frame
from reporting.indicators.catalogue_files import BadCatalogue, read_catalogue
from reporting.indicators.city import UNPLACED, AgeBand, Area, City, Level
from reporting.indicators.definition import DIMENSIONS, Indicator, IndicatorKind, Margin, Population, Unit
from reporting.indicators.periods import Every, Span, period_around, span_year_before, year_before
from reporting.indicators.terms import Chosen, NoneOf, OneOf, Term, codes_of, is_defined_on, terms_of
from reporting.indicators.words import Words

__all__ = [
    "DIMENSIONS",
    "OTHER",
    "UNPLACED",
    "AgeBand",
    "Area",
    "BadCatalogue",
    "Catalogue",
    "Chosen",
    "City",
    "Every",
    "Frame",
    "Indicator",
    "IndicatorKind",
    "Level",
    "Margin",
    "NoneOf",
    "OneOf",
    "Population",
    "Span",
    "Term",
    "Unit",
    "Words",
    "codes_of",
    "is_defined_on",
    "period_around",
    "read_catalogue",
    "span_year_before",
    "terms_of",
    "year_before",
]
