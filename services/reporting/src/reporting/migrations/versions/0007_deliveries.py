"""Deliveries: every sheet that was ever delivered, with when it was known; rows are added and never changed."""

from alembic import op

from verbund.database import migrated_office

revision = "0007"
down_revision = "0006"

_TABLES = """
create schema deliveries;

create table deliveries.sheet (
    municipality text not null,
    indicator text not null,
    number bigint not null check (number > 0),
    from_on date,
    to_on date not null,
    happened text not null check (happened in ('delivered', 'revised', 'kept', 'finalised', 'withdrawn')),
    body text not null,
    definition_version integer not null,
    state text not null check (state in ('provisional', 'final')),
    precision text not null check (precision in ('exact', 'rounded', 'estimated')),
    restated boolean not null,
    source text,
    reason text,
    kept_from_on date,
    kept_to_on date,
    findings jsonb not null,
    recorded_at timestamptz not null,
    recorded_on date not null,
    primary key (municipality, indicator, number)
);
comment on column deliveries.sheet.number is 'of the event in the book of reporting';
comment on column deliveries.sheet.recorded_on is 'the day of recorded_at in Europe/Berlin';

create table deliveries.figure (
    municipality text not null,
    indicator text not null,
    number bigint not null,
    place integer not null,
    breakdown jsonb not null,
    value numeric,
    primary key (municipality, indicator, number, place),
    foreign key (municipality, indicator, number) references deliveries.sheet
);
comment on column deliveries.figure.value is 'null: not available, and that is known';
"""


def upgrade() -> None:
    office = migrated_office().package
    op.execute(_TABLES)
    op.execute(f"grant usage on schema deliveries to {office}_desk, {office}_web")
    op.execute(f"grant select, insert on all tables in schema deliveries to {office}_desk")
    op.execute(f"grant select on all tables in schema deliveries to {office}_web")


def downgrade() -> None:
    raise NotImplementedError("what was delivered stays known; restore a backup instead")
