"""Residents and residences; the vault of names and addresses; who read what there."""

from alembic import op

from verbund.database import migrated_office

revision = "0001"
down_revision = None

_TABLES = """
create schema office;

create table office.resident (
    resident_id uuid primary key,
    version integer not null,
    state jsonb not null
);

create table office.residence (
    residence_id uuid primary key,
    resident_id uuid not null,
    number bigint not null,
    status text not null,
    residence_kind text not null,
    area text not null,
    nationality text not null,
    since date not null,
    until date
);
create index residence_of_resident on office.residence (resident_id);
-- The list of the latest registrations, from the newest down.
create unique index residence_by_number on office.residence (number);

create schema vault;

create table vault.person (
    resident_id uuid primary key,
    family_name text not null,
    given_names text not null,
    birth_date date not null
);

create table vault.address (
    booking_id uuid primary key,
    residence_id uuid not null,
    street text not null,
    house_number text not null,
    postal_code text,
    city text,
    landlord text
);
create index address_of_residence on vault.address (residence_id);

create table vault.reading (
    number bigint generated always as identity primary key,
    read_at timestamptz not null default now(),
    reader text not null,
    purpose text not null,
    what text not null,
    residence_ids uuid[] not null
);
"""

_GRANTS = """
grant usage on schema office, vault to {role};
grant select, insert, update on office.resident, office.residence, vault.person, vault.address to {role};
grant insert on vault.reading to {role};
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_GRANTS.format(role=f"{migrated_office().package}_desk"))


def downgrade() -> None:
    raise NotImplementedError("what an office has booked is never removed; restore a backup instead")
