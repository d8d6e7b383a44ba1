"""Ours with a batch of one: a transaction for each event, with everything that ours checks."""

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from same_work import TOPIC, Work

from verbund.feeds.kafka.intake import Intake


async def main() -> None:
    """Read until the process is ended."""
    work = Work()
    intake = Intake(work.reader)
    partition = TopicPartition(TOPIC, 0)
    async with AIOKafkaConsumer(bootstrap_servers=work.brokers, enable_auto_commit=False) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        await intake.assign([(TOPIC, 0)], {})
        async for message in consumer:
            await intake.take({(TOPIC, 0): [message]})


if __name__ == "__main__":
    uvloop.run(main())
