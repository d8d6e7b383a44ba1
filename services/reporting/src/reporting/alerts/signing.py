"""Signatures of what is posted, as the Standard Webhooks specification has them: ready-made libraries check them."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping

_PREFIX = "whsec_"
_SHORTEST = 24  # bytes; the specification's own lower bound


class BadSecret(ValueError):
    """The secret of a webhook is none that signatures can be made with; the message says why."""


def read_key(text: str) -> bytes:
    """The key in a secret: base64, with or without `whsec_` before it; raises `BadSecret`."""
    try:
        key = b64decode(text.strip().removeprefix(_PREFIX), validate=True)
    except (NotBase64, ValueError) as error:
        raise BadSecret("the webhook's secret has to be base64 (`openssl rand -base64 32`)") from error
    if len(key) < _SHORTEST:
        raise BadSecret(f"the webhook's secret is too short: {_SHORTEST} random bytes at least, written as base64")
    return key


def signed_headers(key: bytes, message_id: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """The headers of one post; `seconds`: when it is sent (Unix time), so that an old one is not taken again."""
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    signature = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
        "content-type": "application/json",
    }
