"""`verbund rebuild` for the cube: a second one is built beside the first one, compared with it, and takes its place."""

from reporting.rebuild.run import abandon, rebuild
from verbund.feeds.rebuild import Rebuilding

REBUILDING = Rebuilding(run=rebuild, abandon=abandon)
