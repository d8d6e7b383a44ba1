"""Canonical bytes (RFC 8785) of a JSON value without floats: the bytes that are hashed, stored and sent."""

import json

# Beyond 2^53 - 1 a number is not the same in every JSON reader (RFC 8785, appendix B; RFC 7493, 2.2).
LARGEST_INTEGER = 2**53 - 1

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def canonical_bytes(value: object) -> bytes:
    """The RFC 8785 bytes of `value`; raises `TypeError` for what an event may not hold.

    Keys have to be ASCII: for them the order by code points, which Python sorts by, is the order by UTF-16 code
    units that the RFC asks for. Integers only: two writers never agree on the digits of a float for ever.
    """
    _refuse_what_has_no_canonical_form(value)
    return _encode(value).encode("utf-8")


def _refuse_what_has_no_canonical_form(value: object) -> None:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if not (isinstance(key, str) and key.isascii()):
                raise TypeError(f"key {key!r} is not an ASCII string")
            if type(item) is not str and item is not None:  # most are: a call saved for each
                _refuse_what_has_no_canonical_form(item)
    elif kind is int:
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:  # type: ignore[operator]
            raise TypeError(f"{value} is beyond the integers that every JSON reader keeps")
    elif kind is list or kind is tuple:
        for item in value:  # type: ignore[attr-defined]
            _refuse_what_has_no_canonical_form(item)
    else:
        raise TypeError(f"{kind.__name__} cannot stand in an event (integers, strings, lists, objects only)")
