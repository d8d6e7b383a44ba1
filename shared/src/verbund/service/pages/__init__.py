"""What every office's pages stand on: templates, one style sheet, two languages, offices' numbers and dates.

`templates_for("registration")` finds `registration/pages/templates/*.html`, `registration/pages/static/*` and
`registration/locales/de.po`; its templates extend `base.html` and use the macros of `forms.html` and `parts.html`.
"""

from verbund.service.pages.formats import Formats
from verbund.service.pages.rendering import Pages, assets_router, templates_for

__all__ = ["Formats", "Pages", "assets_router", "templates_for"]
