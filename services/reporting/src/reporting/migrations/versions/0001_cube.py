"""The cube: cells, deltas and numbered batches. Every key begins with the municipality: it can be partitioned."""

from alembic import op

from verbund.database import migrated_office

revision = "0001"
down_revision = None

_TABLES = """
create schema cube;

create table cube.batch_head (
    municipality text primary key,
    generation integer not null default 1,
    number bigint not null check (number > 0),
    versions jsonb not null
);
comment on column cube.batch_head.versions is 'by office, the version of the functions that made the deltas';

create table cube.batch (
    municipality text not null,
    number bigint not null check (number > 0),
    batch uuid not null,
    taken_at timestamptz not null default clock_timestamp(),
    primary key (municipality, number),
    unique (municipality, batch)
);

create table cube.cell (
    municipality text not null,
    cell bigint not null,
    measure text not null,
    dims jsonb not null,
    primary key (municipality, cell)
);

create table cube.delta (
    municipality text not null,
    batch uuid not null,
    measure text not null,
    cell bigint not null,
    effective_on date not null,
    recorded_on date not null,
    cause text not null,
    n bigint not null,
    key bigint not null check (key between 0 and 4294967295)
);
create index delta_by_batch on cube.delta (municipality, batch);
create index delta_by_effective_on on cube.delta (municipality, measure, effective_on)
    include (cell, recorded_on, n);
"""


def upgrade() -> None:
    office = migrated_office().package
    op.execute(_TABLES)
    op.execute(f"grant usage on schema cube to {office}_reader, {office}_web")
    op.execute(f"grant select, insert on all tables in schema cube to {office}_reader")
    op.execute(f"grant update on cube.batch_head to {office}_reader")
    op.execute(f"grant select on all tables in schema cube to {office}_web")


def downgrade() -> None:
    raise NotImplementedError("the cube is rebuilt from the ledgers, never downgraded")
