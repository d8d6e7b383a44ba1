"""Events a second from a ledger in PostgreSQL to Kafka: acknowledged one by one, and the position moved.

The reference, in the same run, is kafka-python's producer alone: the same messages, with the same settings, made before
the clock starts. Both take turns. The broker is a real one on this machine; PostgreSQL and Kafka share its cores.
Run: `python bench/relay.py [--records 100000] [--profile]`.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from cProfile import Profile
from pstats import Stats
from statistics import median
from time import perf_counter

import psycopg
from projection import BOOK
from stand import report, scratch_kafka, scratch_offices
from verify import fill

from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices, get_office
from verbund.kafka.messages import Message, message_of
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import topic_of, topics_of
from verbund.relay.client.sender import Sender
from verbund.relay.line import LARGEST_CHUNK
from verbund.relay.reading import Ledgers
from verbund.relay.relay import Relay
from verbund.relay.topics import Wanted, create_topics
from verbund.service.memory import settle
from verbund.settings import DatabaseSettings

ROUNDS = 3
_POLL_SECONDS = 0.05  # asking costs the relay's own loop something
_LARGEST_SAMPLE = 100_000  # messages that the producer alone sends in a round


def rewind(cluster: Cluster) -> None:
    """Have everything sent again by the next relay."""
    with psycopg.connect(cluster.superuser("registration").conninfo()) as connection:
        connection.execute("delete from relay.position")


async def relayed(cluster: Cluster, kafka: KafkaSettings, count: int) -> float:
    """Events a second of the relay as it runs in production, from its start to its last moved position."""
    rewind(cluster)
    database = cluster.settings("registration_relay", "registration")
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as asking:
        begun = perf_counter()
        async with Relay(get_office("registration"), database, kafka):
            while True:
                row = await (await asking.execute("select number from relay.position")).fetchone()
                if row is not None and row[0] == count:
                    return count / (perf_counter() - begun)
                await asyncio.sleep(_POLL_SECONDS)


async def read_messages(database: DatabaseSettings, count: int) -> list[Message]:
    """The first records as they travel."""
    ledgers = Ledgers(database)
    found = await ledgers.read(BOOK, 0, min(count, _LARGEST_SAMPLE))
    ledgers.close()
    return [message_of(record) for record in found]


async def produced(kafka: KafkaSettings, messages: Sequence[Message]) -> float:
    """Events a second of the producer alone, in chunks as the relay sends them, all acknowledged at the end."""
    sender = await asyncio.to_thread(Sender, kafka, topic_of(BOOK), "bench")
    chunks = [messages[at : at + LARGEST_CHUNK] for at in range(0, len(messages), LARGEST_CHUNK)]
    begun = perf_counter()
    sent = await asyncio.to_thread(lambda: [sender.send(chunk) for chunk in chunks])
    outcomes = [await each.outcome() for each in sent]
    rate = len(messages) / (perf_counter() - begun)
    assert sum(outcome.acknowledged for outcome in outcomes) == len(messages)
    sender.close()
    return rate


async def measure(cluster: Cluster, kafka: KafkaSettings, wanted: argparse.Namespace) -> None:
    """Measure both in turns, and print the closing line."""
    count = wanted.records
    create_topics(kafka, Wanted(topics_of(find_offices())))
    fill(cluster, count)
    messages = await read_messages(cluster.settings("registration_relay", "registration"), count)
    settle()  # as every process of an office does
    alone, relay = [], []
    for _ in range(wanted.rounds):
        alone.append(await produced(kafka, messages))
        relay.append(await relayed(cluster, kafka, count))
    if wanted.profile:
        with Profile() as profile:
            await relayed(cluster, kafka, count)
        Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    report(
        "relay",
        {"producer_alone": median(relay) / median(alone)},
        {
            "events_per_second": median(relay),
            "producer_per_second": median(alone),
            "bytes_per_event": sum(len(message.value) for message in messages) / len(messages),
            "records": count,
        },
    )


def arguments() -> argparse.Namespace:
    """How much is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true", help="also tell where the time of the event loop goes")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments()
    with scratch_offices("registration") as running, scratch_kafka() as brokers:
        asyncio.run(measure(running, brokers.settings, chosen))
