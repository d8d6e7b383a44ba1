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


async def read(broker: str, topic: str, schemas: dict[str, Any], wait_seconds: float = 5.0) -> None:
    async with AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest") as consumer:
        while found := await consumer.getmany(timeout_ms=int(wait_seconds * 1000)):
            for message in (message for messages in found.values() for message in messages):
                event = json.loads(message.value)
                validator = Draft202012Validator(schemas[event["type"]]["schema"], format_checker=FormatChecker())
                validator.validate(event)
                print(message.key.decode(), event.get("sequence", "beat"), event["type"])


if __name__ == "__main__":
    document = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    asyncio.run(read(sys.argv[1], sys.argv[2], document["components"]["schemas"]))
