"""quixstreams with a batching sink, which is written whenever it commits."""

import uvloop
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch
from same_work import BATCH, TOPIC, Work


class Cube(BatchingSink):
    """Takes batches into the cube."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work
        self._loop = uvloop.new_event_loop()

    def write(self, batch: SinkBatch) -> None:
        """One transaction."""
        self._loop.run_until_complete(self._work.take_parsed([item.value for item in batch]))


def main() -> None:
    """Read until the process is ended."""
    work = Work()
    application = Application(
        broker_address=work.brokers,
        consumer_group=work.group,
        auto_offset_reset="earliest",
        commit_every=BATCH,
        auto_create_topics=False,
        consumer_extra_config={"queued.min.messages": 4 * BATCH, "fetch.message.max.bytes": 32 * 1024 * 1024},
    )
    application.dataframe(application.topic(TOPIC, value_deserializer="json")).sink(Cube(work))
    application.run()


if __name__ == "__main__":
    main()
