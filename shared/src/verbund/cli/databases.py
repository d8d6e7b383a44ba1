"""The databases for commands: on a server elsewhere, or of the embedded default, with `verbund up` or without it."""

from collections.abc import Iterator
from contextlib import contextmanager

from verbund.cli.homes import home_in_words
from verbund.cli.output import Output
from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.leftovers import end_leftovers
from verbund.embedded.ports import PortTaken
from verbund.embedded.postgres import Cluster, ClusterFailed
from verbund.postgres import Server, ServerUnfit, server_at


@contextmanager
def databases(settings: EmbeddedSettings, output: Output) -> Iterator[Server]:
    """The PostgreSQL of VERBUND_POSTGRES_SERVER, else the one that `verbund up` runs; where it does not run, one that
    is started for this command alone."""
    home = settings.layout
    if settings.postgres_server is not None:
        yield _elsewhere(settings.postgres_server, settings, output)
        return
    running = record.find_running(home)
    if running is not None:
        yield Cluster(home.folder, running.postgres_port)
        return
    cluster = Cluster(home.folder, settings.postgres_port + settings.port_offset)
    try:
        with record.lock(home):
            end_leftovers(home, cluster)
            try:
                cluster.start()
                yield cluster
            finally:
                cluster.stop()
    except (record.AlreadyRunning, PortTaken, ClusterFailed) as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(home_in_words(home, error))


def _elsewhere(address: str, settings: EmbeddedSettings, output: Output) -> Server:
    server = server_at(address, settings.layout.secrets)
    try:
        server.check()
    except ServerUnfit as error:
        output.fail(str(error))
    return server
