"""A day as forms and questions take it: written `2018-12-31`, and in no other way."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_written(value: Any) -> Any:
    # pydantic by itself takes numbers and digits for seconds since 1970: a house number typed into the wrong field
    # would be booked as a day of that year.
    if isinstance(value, date) or (isinstance(value, str) and _WRITTEN.fullmatch(value)):
        return value
    raise PydanticCustomError("date_needed", "A date is needed here, such as 2018-12-31.")


Day = Annotated[date, BeforeValidator(_as_written)]
"""For a field or a parameter of a request; raises `date_needed` for whatever is not a written day."""
