"""Figures in words: what a tile, a table or a sentence says of an answer, in the reader's language."""

from reporting.wording.deliveries import delivered_number, deliveries_in_words, findings_in_words
from reporting.wording.freshness import freshness_in_words, troubles_in_words
from reporting.wording.phrases import Phrases, is_year
from reporting.wording.remarks import Remark, remarks_of, sourced_targets, target_in_words, targets_at
from reporting.wording.tiles import Tile, last_tile_of, series_question, tile_of, tile_question, year_series

__all__ = [
    "Phrases",
    "Remark",
    "Tile",
    "delivered_number",
    "deliveries_in_words",
    "findings_in_words",
    "freshness_in_words",
    "is_year",
    "last_tile_of",
    "remarks_of",
    "series_question",
    "sourced_targets",
    "target_in_words",
    "targets_at",
    "tile_of",
    "tile_question",
    "troubles_in_words",
    "year_series",
]
