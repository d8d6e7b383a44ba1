"""The clerk's pages: the latest registrations, forms to register, move and deregister, a residence's time line."""

from registration.pages.routes import router as pages_router
from registration.pages.wording import WORDING
from registration.places import areas
from verbund.service.pages import Pages, templates_for

__all__ = ["pages_of", "pages_router"]


def pages_of(municipality: str) -> Pages:
    """The pages of the registration office of a municipality (AGS)."""
    return templates_for(
        "registration",
        city=areas(municipality)[municipality].name,
        home="/clerk",
        wording=WORDING,
    )
