"""Ticks of each Stadtbezirk, at which protected figures move there, and releases for the public."""

from alembic import op

revision = "0005"
down_revision = "0004"

# A tick written before says nothing of Stadtbezirke: the first ones of those come with the indicator's next one.
_TABLES = """
alter table figures.tick
    add column audience text not null default 'coordination',
    add column district text not null default '';
alter table figures.tick
    alter column audience drop default,
    drop constraint tick_pkey,
    add primary key (municipality, indicator, audience, district, generation, number, ticked_at);
comment on column figures.tick.district is 'whose protected figures moved; empty: margins, or all that is released';
"""


def upgrade() -> None:
    op.execute(_TABLES)


def downgrade() -> None:
    raise NotImplementedError("what was shown stays known; restore a backup instead")
