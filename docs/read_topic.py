"""Reads a topic as anybody would who knows nothing of Verbund but its document, and validates every message.

pip install aiokafka jsonschema; python read_topic.py 127.0.0.1:8108 verbund.book.registration asyncapi.json
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from jsonschema import Draft202012Validator, FormatChecker


async def read(broker: str, topic: str, schemas: dict[str, Any]) -> None:
    """Everything that lies there now."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                for message in messages:
                    event = json.loads(message.value)
                    schema = schemas[event["type"]]["schema"]
                    Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)
                    print(message.key.decode(), event.get("sequence", "beat"), event["type"])


if __name__ == "__main__":
    document = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    asyncio.run(read(sys.argv[1], sys.argv[2], document["components"]["schemas"]))
