"""A second cube beside the first one, for a rebuild: both have one shape, and change places by their names."""

from alembic import op

from verbund.database import migrated_office

revision = "0003"
down_revision = "0002"

_TABLES = """
create schema cube_next;
comment on schema cube_next is 'what a rebuild makes; it changes places with the schema cube';
create table cube_next.batch_head (like cube.batch_head including all);
create table cube_next.batch (like cube.batch including all);
create table cube_next.cell (like cube.cell including all);
-- Indexes by their names: those that PostgreSQL would give them are others than those of the first cube.
create table cube_next.delta (like cube.delta including all excluding indexes);
create index delta_by_batch on cube_next.delta (municipality, batch);
create index delta_by_effective_on on cube_next.delta (municipality, measure, effective_on)
    include (cell, recorded_on, n);

create schema rebuild;
comment on schema rebuild is 'how far a rebuild is: for the owner alone, and empty while there is none';

create table rebuild.build (
    is_the_only_one boolean primary key default true check (is_the_only_one),
    epoch uuid not null default gen_random_uuid(),
    source text not null,
    versions jsonb not null,
    begun_at timestamptz not null default now()
);
comment on column rebuild.build.epoch is 'who builds: whoever did before has another one, and adds nothing';

create table rebuild.slice (
    ledger text not null,
    first bigint not null check (first > 0),
    last bigint not null check (last >= first),
    previous bytea not null check (octet_length(previous) = 32),
    hash bytea not null check (octet_length(hash) = 32),
    recorded_at timestamptz,
    municipality text not null,
    batch uuid,
    primary key (ledger, first)
);
comment on column rebuild.slice.batch is 'null where these records add nothing';

create table rebuild.parked (
    ledger text not null,
    number bigint not null,
    reason text not null,
    detail text not null,
    body bytea not null,
    hash bytea not null,
    primary key (ledger, number)
);

create table rebuild.done (
    swapped_at timestamptz primary key default clock_timestamp(),
    begun_at timestamptz not null,
    source text not null,
    records bigint not null,
    accepted jsonb not null
);
comment on column rebuild.done.accepted is 'by municipality, office and measure what differed and was accepted';
"""


def upgrade() -> None:
    office = migrated_office().package
    op.execute(_TABLES)
    op.execute(f"grant usage on schema cube_next to {office}_reader, {office}_web")
    op.execute(f"grant select, insert on all tables in schema cube_next to {office}_reader")
    op.execute(f"grant update on cube_next.batch_head to {office}_reader")
    op.execute(f"grant select on all tables in schema cube_next to {office}_web")


def downgrade() -> None:
    raise NotImplementedError("the cube is rebuilt from the ledgers, never downgraded")
