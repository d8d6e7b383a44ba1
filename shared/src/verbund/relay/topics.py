"""Topics as they have to be, held against those that are there; made where they are missing, never removed.

`create_topics` is for whoever sets up a cluster, `check_topics` for whoever only looks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic, sleep

from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import Right, Topic
from verbund.relay.client.admin import Administration, Described, Rule

PARTITIONS = 6
"""A ledger stays in one partition; as many readers as there are partitions can share a topic."""
_SETTLE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LOOKING = ("describe", "describe_configs")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there has to be."""

    topics: Sequence[Topic]
    rights: Sequence[Right] = ()
    """Empty for a cluster that asks nobody who he is."""
    partitions: int = PARTITIONS
    replication: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it has to be."""

    name: str
    """Of the topic, or of the consumer group."""
    what: str
    wanted: str
    found: str
    mends_itself: bool = True
    """Whether `create_topics` changes it; otherwise a person has to decide."""


def create_topics(kafka: KafkaSettings, wanted: Wanted) -> list[Difference]:
    """Make what is missing, and set what differs where that harms nobody; returns what still differs.

    The number of partitions and copies stays: with other partitions a ledger would go on in another one, and its order
    would be lost. Nobody's rights are taken away. Raises `CannotSend`. Repeatable.
    """
    with Administration(kafka) as administration:
        found = administration.describe([topic.name for topic in wanted.topics])
        missing = [topic for topic in wanted.topics if found[topic.name] is None]
        if missing:
            administration.create(missing, wanted.partitions, wanted.replication)
        for topic in wanted.topics:
            described = found[topic.name]
            if described is not None and any(_differing(topic, described)):
                administration.configure(topic.name, topic.config)
        if wanted.rights:
            lacking = _lacking(wanted.rights, administration.rules(_resources(wanted.rights)))
            if lacking:
                administration.grant(lacking)
        return _settled(administration, wanted)


def _settled(administration: Administration, wanted: Wanted) -> list[Difference]:
    """What still differs once the brokers have heard of what was changed, which they tell each other one by one."""
    deadline = monotonic() + _SETTLE_SECONDS
    while True:
        differences = _differences(administration, wanted)
        if monotonic() > deadline or not any(difference.mends_itself for difference in differences):
            return differences
        sleep(_POLL_SECONDS)


def check_topics(kafka: KafkaSettings, wanted: Wanted) -> list[Difference]:
    """What differs; changes nothing. Raises `CannotSend`."""
    with Administration(kafka) as administration:
        return _differences(administration, wanted)


def _differences(administration: Administration, wanted: Wanted) -> list[Difference]:
    found = administration.describe([topic.name for topic in wanted.topics])
    differences = [each for topic in wanted.topics for each in _of_topic(topic, found[topic.name], wanted)]
    if wanted.rights:
        differences += _of_rights(wanted.rights, administration.rules(_resources(wanted.rights)))
    return differences


def _of_topic(topic: Topic, found: Described | None, wanted: Wanted) -> Iterator[Difference]:
    if found is None:
        yield Difference(topic.name, "topic", "there", "missing")
        return
    if found.partitions != wanted.partitions:
        yield Difference(topic.name, "partitions", str(wanted.partitions), str(found.partitions), mends_itself=False)
    if found.replication < wanted.replication:
        yield Difference(topic.name, "replication", str(wanted.replication), str(found.replication), mends_itself=False)
    for name in _differing(topic, found):
        yield Difference(topic.name, name, topic.config[name], found.config.get(name, "–"))


def _differing(topic: Topic, found: Described) -> Iterator[str]:
    return (name for name, value in topic.config.items() if found.config.get(name) != value)


def _resources(rights: Sequence[Right]) -> list[tuple[str, str]]:
    return sorted({(right.resource, right.name) for right in rights})


def _lacking(rights: Sequence[Right], rules: Sequence[Rule]) -> list[Right]:
    granted = {rule.right for rule in rules if not rule.denies}
    return [right for right in rights if right not in granted]


def _of_rights(rights: Sequence[Right], rules: Sequence[Rule]) -> Iterator[Difference]:
    for right in _lacking(rights, rules):
        yield Difference(right.name, f"{right.principal} may {right.operation}", "yes", "no")
    ours = {"*", *(right.principal for right in rights)}
    for rule in rules:
        right = rule.right
        what = f"{right.principal} may {right.operation} ({rule.pattern})"
        if rule.denies and right.principal in ours:
            yield Difference(right.name, what, "not denied", "denied", mends_itself=False)
        elif not rule.denies and right not in rights and right.operation not in _LOOKING:
            yield Difference(right.name, what, "no", "yes", mends_itself=False)
