"""How numbers, dates and times are written on a page: German `9.039` and `6,2 %`, English `9,039` and `6.2%`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal, format_percent

TIME_ZONE = ZoneInfo("Europe/Berlin")
NOTHING = "–"
"""Stands for a true zero, in exact tables only."""
ZERO = "0"
"""Stands for zero, true or not, in protected tables."""
PROTECTED = "."
NOT_REPORTED = "..."
_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NO-BREAK SPACE}"  # between sign and number: the two never part at the end of a line


@dataclass(frozen=True, slots=True)
class Formats:
    """Writing of one language; dates are written alike in both, as the offices do."""

    language: str

    def number(self, value: int | Decimal) -> str:
        """With as many decimals as it has, also where they are zero: it was rounded to them."""
        places = max(-int(value.as_tuple().exponent), 0) if isinstance(value, Decimal) else 0
        pattern = "#,##0." + "0" * places if places else "#,##0"
        return format_decimal(value, pattern, self.language).replace("-", _MINUS)

    def count(self, value: int) -> str:
        """A count in an exact table: nothing is printed as a dash."""
        return self.number(value) if value else NOTHING

    def signed(self, value: int | Decimal) -> str:
        """A change: always with its sign, `±` where nothing changed."""
        sign = "+" if value > 0 else _MINUS if value < 0 else "±"
        return f"{sign}{_THIN}{self.number(value).lstrip(_MINUS)}"

    def percent(self, share: Decimal | float) -> str:
        """A share (0.062) with one digit after the point: the printed reports know no more."""
        return format_percent(
            share, "#,##0.0\N{NO-BREAK SPACE}%" if self.language == "de" else "#,##0.0%", self.language
        ).replace("-", _MINUS)

    def signed_percent(self, share: Decimal | float) -> str:
        sign = "+" if share > 0 else _MINUS if share < 0 else "±"
        return f"{sign}{_THIN}{self.percent(share).lstrip(_MINUS)}"

    def date(self, day: date) -> str:
        return f"{day:%d.%m.%Y}"

    def time(self, moment: datetime) -> str:
        """Hour and minute of an aware moment, on the offices' clock."""
        return f"{moment.astimezone(TIME_ZONE):%H:%M}"

    def moment(self, moment: datetime) -> str:
        return f"{moment.astimezone(TIME_ZONE):%d.%m.%Y, %H:%M}"


def since(moment: datetime, now: datetime | None = None) -> timedelta:
    """Time passed since an aware moment; never negative, so that two clocks a little apart do not show."""
    return max((now or datetime.now(UTC)) - moment, timedelta(0))
