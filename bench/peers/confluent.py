"""A loop over confluent-kafka's `consume`: librdkafka fetches in threads of its own, beside the interpreter."""

import uvloop
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from same_work import BATCH, TOPIC, Work


async def main() -> None:
    """Read until the process is ended."""
    work = Work()
    consumer = Consumer(
        {
            "bootstrap.servers": work.brokers,
            "group.id": work.group,
            "enable.auto.commit": False,
            "queued.min.messages": 4 * BATCH,
            "queued.max.messages.kbytes": 256 * 1024,
            "fetch.message.max.bytes": 32 * 1024 * 1024,
            "fetch.max.bytes": 64 * 1024 * 1024,
        }
    )
    consumer.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
    while True:
        messages = consumer.consume(BATCH, timeout=0.5)
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
        if messages:
            await work.take([message.value() for message in messages])


if __name__ == "__main__":
    uvloop.run(main())
