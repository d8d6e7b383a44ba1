"""The in-tray: what other offices told this one, and what became of it."""

from alembic import op

from verbund.database import migrated_office

revision = "0001"
down_revision = None

_TABLES = """
create schema tray;

create table tray.event (
    arrival bigint generated always as identity primary key,
    ledger text not null,
    number bigint not null check (number > 0),
    event_id text not null,
    type text not null,
    body bytea not null,
    received_at timestamptz not null default now(),
    state text not null default 'waiting' check (state in ('waiting', 'done', 'refused', 'failed', 'ignored')),
    code text,
    settled_at timestamptz,
    unique (ledger, event_id)
);
comment on column tray.event.arrival is 'in what order it came; within a ledger that of its numbers';
comment on column tray.event.number is 'where it stands in its ledger; twice where the sender was restored';
comment on column tray.event.body is 'the event, in the terms of its newest version known here when it came';
comment on column tray.event.code is 'why it was refused or failed; stable, nothing personal';
-- What waits is a handful of rows; what is settled stays for good.
create index event_waiting on tray.event (arrival) where state = 'waiting';
create index event_waiting_by_ledger on tray.event (ledger, arrival) where state = 'waiting';
"""

# Whoever reads puts in, whoever decides settles, nobody changes what was said or takes it away.
_WRITER_GRANTS = """
grant usage on schema tray to {role};
grant insert (ledger, number, event_id, type, body), select (ledger, number, event_id) on tray.event to {role};
"""
_DESK_GRANTS = """
grant usage on schema tray to {role};
grant select, update (state, code, settled_at) on tray.event to {role};
"""


def upgrade() -> None:
    office = migrated_office()
    op.execute(_TABLES)
    roles = [process.database_role for process in office.processes]
    writer = "reader" if "reader" in roles else "desk"
    op.execute(_WRITER_GRANTS.format(role=f"{office.package}_{writer}"))
    op.execute(_DESK_GRANTS.format(role=f"{office.package}_desk"))


def downgrade() -> None:
    raise NotImplementedError("what came is as lasting as the positions; restore a backup instead")
