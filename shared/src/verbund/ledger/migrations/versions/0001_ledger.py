"""Ledger, heads, beats, the desk's answers, and one view of the ledgers for each reader."""

from alembic import op

from verbund.database import migrated_office

revision = "0001"
down_revision = None

_TABLES = """
create schema ledger;

create table ledger.head (
    ledger text primary key,
    number bigint not null check (number >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    time timestamptz not null
);

create table ledger.record (
    ledger text not null,
    number bigint not null check (number > 0),
    previous bytea not null check (octet_length(previous) = 32),
    hash bytea not null check (octet_length(hash) = 32),
    body bytea not null,
    primary key (ledger, number)
);
-- Bodies are small and read whole: never out of line, never compressed twice.
alter table ledger.record alter column body set storage main;

create table ledger.beat (office text primary key, at timestamptz not null);

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'a ledger is never changed: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation', hint = 'Book a correction instead.';
end $$;
create trigger never_changed before update or delete or truncate on ledger.record
    for each statement execute function ledger.refuse_change();
create trigger never_removed before delete or truncate on ledger.head
    for each statement execute function ledger.refuse_change();
-- Also in a session that replays (session_replication_role), which a superuser may open.
alter table ledger.record enable always trigger never_changed;
alter table ledger.head enable always trigger never_removed;

create schema desk;

create table desk.answer (
    principal text not null,
    route text not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    location text,
    etag text,
    receipt jsonb not null,
    answered_at timestamptz not null default now(),
    primary key (principal, route, key)
);
create index answer_by_age on desk.answer (answered_at);

create table desk.initial_load (office text primary key, closed_at timestamptz not null);
"""

_DESK_GRANTS = """
grant usage on schema ledger, desk to {role};
grant select, insert on ledger.record to {role};
grant select, insert, update on ledger.head, ledger.beat to {role};
grant select, insert, delete on desk.answer to {role};
grant select, insert on desk.initial_load to {role};
"""

_READER_VIEWS = """
create schema {schema};
create view {schema}.record with (security_barrier) as
    select ledger, number, previous, hash, body from ledger.record where ledger like '{pattern}';
create view {schema}.head with (security_barrier) as
    select head.ledger, head.number, head.hash, head.time, beat.at as beat_at
    from ledger.head left join ledger.beat on beat.office = split_part(head.ledger, '/', 3)
    where head.ledger like '{pattern}';
grant usage on schema {schema} to {role};
grant select on {schema}.record, {schema}.head to {role};
"""


def upgrade() -> None:
    office = migrated_office()
    op.execute(_TABLES)
    op.execute(_DESK_GRANTS.format(role=f"{office.package}_desk"))
    for reader in office.readers:
        name = reader.replace("-", "_")
        # Reporting reads the books, an office reads the trays addressed to it: nobody reads both.
        pattern = "%/book" if reader == "reporting" else f"%/to/{reader}"
        op.execute(_READER_VIEWS.format(schema=f"feed_{name}", pattern=pattern, role=f"{office.package}_feed_{name}"))


def downgrade() -> None:
    raise NotImplementedError("a ledger is never removed; restore a backup instead")
