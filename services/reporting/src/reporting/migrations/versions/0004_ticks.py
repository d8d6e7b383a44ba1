"""Ticks: the batches at which figures finer than the city's totals move for the coordination group."""

from alembic import op

from verbund.database import migrated_office

revision = "0004"
down_revision = "0003"

# Not in the schema `cube`: that one changes places with another one when it is rebuilt or compacted.
_TABLES = """
create schema figures;

create table figures.tick (
    municipality text not null,
    indicator text not null,
    generation integer not null,
    number bigint not null check (number >= 0),
    ticked_at timestamptz not null,
    primary key (municipality, indicator, generation, number)
);
comment on column figures.tick.number is 'of the last batch that is shown, in that generation';
"""


def upgrade() -> None:
    office = migrated_office().package
    op.execute(_TABLES)
    op.execute(f"grant usage on schema figures to {office}_reader, {office}_web")
    op.execute(f"grant select, insert on figures.tick to {office}_reader")
    op.execute(f"grant select on figures.tick to {office}_web")


def downgrade() -> None:
    raise NotImplementedError("what was shown stays known; restore a backup instead")
