"""Publishes the shapes of events: `python tests/contracts/publish.py`, then commit what it wrote.

Writes the golden file of every new event, and adds new optional fields to those there are. What would break a
published version is refused: give the event a new version instead.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from contracts.examples import example_of
from contracts.gate import announced, breaks, golden_file, read_golden, shape_of

from verbund.events.envelope import encode


def main() -> int:
    """Write all golden files; 1 where a published version would break."""
    refused = 0
    for office, model in announced():
        file, shape = golden_file(office, model), shape_of(model)
        found = list(breaks(read_golden(file)["data"], shape)) if file.exists() else []
        for problem in found:
            print(f"{model.type}: {problem}", file=sys.stderr)  # noqa: T201
        if found:
            refused = 1
            continue
        file.parent.mkdir(exist_ok=True)
        golden = {"type": model.type, "data": shape, "example": json.loads(encode(example_of(office, model)))}
        file.write_text(json.dumps(golden, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return refused


if __name__ == "__main__":
    raise SystemExit(main())
