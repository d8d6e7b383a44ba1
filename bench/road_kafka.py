"""From a clerk's POST to the open page by way of Kafka: office, relay, a real broker, reader, reporting, page.

Everything else is as in `road.py`, so that the two tell what the way over Kafka costs.
Run: `python bench/road_kafka.py [--rates 500] [--seconds N]`.
"""

import json

from road import arguments, measure
from stand import scratch_kafka, scratch_town

from verbund.events.offices import find_offices
from verbund.kafka.topics import topics_of
from verbund.relay.topics import Wanted, create_topics

if __name__ == "__main__":
    asked = arguments(__doc__, [500])
    with scratch_town("registration", "reporting") as scratch, scratch_kafka() as kafka:
        create_topics(kafka.settings, Wanted(topics_of(find_offices())))
        told = {"FEED": "kafka", "KAFKA__BROKERS": json.dumps(kafka.bootstrap)}
        measure("road_kafka", scratch, asked, {"registration-relay": told, "reporting-reader": told})
