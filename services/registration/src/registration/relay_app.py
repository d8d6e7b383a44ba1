"""The relay of the registration office as a process: sends what the office booked to Kafka."""

from fastapi import FastAPI

from registration.office import OFFICE
from verbund.relay.relay import Relay
from verbund.relay.settings import RelaySettings
from verbund.service.build import Probe, build_service


def create(settings: RelaySettings | None = None) -> FastAPI:
    """The application; its settings come from the environment where none are given."""
    settings = settings or RelaySettings()
    relay = Relay(OFFICE, settings.database, settings.kafka)
    probes = [Probe("relay", relay.trouble)]
    return build_service(OFFICE, OFFICE.processes[1], settings, routers=[], parts=[relay], probes=probes)
