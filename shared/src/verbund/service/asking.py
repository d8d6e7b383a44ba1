"""Asks the process beside it whether it is ready: the health check of a container, which has nothing else to ask with.

`python -m verbund.service.asking`; exit code 0 where it is ready. Light: it runs every few seconds.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

PATH = "/readyz"
_SECONDS = 5


def main() -> int:
    """Ask on VERBUND_PORT, and say why it is not ready."""
    url = f"http://127.0.0.1:{os.environ['VERBUND_PORT']}{PATH}"
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=_SECONDS):
            return 0
    except (URLError, OSError) as error:
        read = getattr(error, "read", None)
        sys.stderr.write(f"{read().decode() if read else error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
