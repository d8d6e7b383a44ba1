"""Indicators: figures defined as data, the catalogue that holds them, and how their values are sums over the cube."""

from reporting.indicators.areas import Area, AreaChange, MapOfLevel, Shape
from reporting.indicators.catalogue import OTHER, Catalogue, Dimension, Frame
from reporting.indicators.catalogue_files import BadCatalogue, read_catalogue
from reporting.indicators.city import UNPLACED, AgeBand, City
from reporting.indicators.definition import RATIOS, Indicator, IndicatorKind, Margin, Part, Population, Unit
from reporting.indicators.periods import Every, Span, period_around, span_year_before, year_before
from reporting.indicators.terms import Before, Chosen, NoneOf, OneOf, Parts, Term, codes_of, is_defined_on, parts_of
from reporting.indicators.words import Words

__all__ = [
    "OTHER",
    "RATIOS",
    "UNPLACED",
    "AgeBand",
    "Area",
    "AreaChange",
    "BadCatalogue",
    "Before",
    "Catalogue",
    "Chosen",
    "City",
    "Dimension",
    "Every",
    "Frame",
    "Indicator",
    "IndicatorKind",
    "MapOfLevel",
    "Margin",
    "NoneOf",
    "OneOf",
    "Part",
    "Parts",
    "Population",
    "Shape",
    "Span",
    "Term",
    "Unit",
    "Words",
    "codes_of",
    "is_defined_on",
    "parts_of",
    "period_around",
    "read_catalogue",
    "span_year_before",
    "year_before",
]
