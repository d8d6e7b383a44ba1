"""Printed figures of a city, and the comparison of what reporting answers with them."""

from reporting.printed.comparing import check

__all__ = ["check"]
