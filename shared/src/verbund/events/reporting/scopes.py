"""What reporting's own bookings are about: an indicator, as a whole or one value of one of its breakdowns."""

from typing import Annotated

from pydantic import Field

IndicatorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
BreakdownId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
ValueCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]{1,64}$")]
DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,3})?$")]
"""A decimal as it travels: events hold no numbers but whole ones."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of texts that stand in the office's own table: an event carries none."""
