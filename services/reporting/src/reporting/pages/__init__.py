"""The coordination group's live page, a page for each indicator, and the public's pages."""

from reporting import charts
from reporting.indicators import City
from reporting.pages import acknowledging, booking, deliveries, editions, public, routes
from verbund.service.pages import Pages, templates_for

__all__ = ["end_drawing", "pages_of", "routers", "warm"]

routers = (
    routes.home,
    routes.router,
    acknowledging.router,
    booking.router,
    deliveries.router,
    editions.router,
    public.router,
)


def pages_of(city: City) -> Pages:
    """The pages of one city."""
    return templates_for("reporting", made_assets={charts.LIBRARY: charts.library}, city=city.name)


def warm(pages: Pages) -> None:
    """Make and draw once what takes long the first time. Blocks for some seconds."""
    pages.assets.get(charts.LIBRARY)
    charts.as_svg(charts.series_chart([charts.Point("", 1, "1")], 0), "de")


def end_drawing() -> None:
    """End the process that draws, if it runs."""
    charts.engine.close()
