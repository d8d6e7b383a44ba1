"""Faust as its handbook has it: an agent over `stream.take_events`, as many at once as it can hold."""

from typing import Any

import faust
import uvloop
from same_work import BATCH, TOPIC, Work

_WITHIN_SECONDS = 0.5


async def main() -> None:
    """Read until the process is ended."""
    work = Work()
    app = faust.App(
        work.group,
        broker=[f"kafka://{broker}" for broker in work.brokers.split(",")],
        broker_max_poll_records=BATCH,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=32 * 1024 * 1024,
        stream_buffer_maxsize=2 * BATCH,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        autodiscover=False,
    )
    topic = app.topic(TOPIC, key_serializer="raw", value_serializer="json")

    @app.agent(topic)
    async def take(stream: Any) -> None:  # faust gives its streams no such name
        async for events in stream.take_events(BATCH, within=_WITHIN_SECONDS):
            await work.take_parsed([event.value for event in events])

    app.finalize()
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    uvloop.run(main())
