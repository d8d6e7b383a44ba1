"""`verbund rebuild` and `verbund compact`: a second cube is made beside the first one, and takes its place."""

from reporting.rebuild.compacting import compact
from reporting.rebuild.run import abandon, rebuild
from verbund.feeds.compaction import Compacting
from verbund.feeds.rebuild import Rebuilding

REBUILDING = Rebuilding(run=rebuild, abandon=abandon)
COMPACTING: Compacting = compact
