"""Live views: open pages hold the city's exact sums and are told what changes, as it is booked."""

from reporting.live.hub import Hub
from reporting.live.route import router
from reporting.live.streams import OnStopSignal
from reporting.live.waking import Waker

__all__ = ["Hub", "OnStopSignal", "Waker", "router"]
