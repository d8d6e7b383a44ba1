"""Positions of a reader in the ledgers it reads, and the records it could not take."""

from alembic import op

from verbund.database import migrated_office

revision = "0001"
down_revision = None

_TABLES = """
create schema feed;

create table feed.position (
    ledger text primary key,
    number bigint not null default 0 check (number >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    recorded_at timestamptz,
    moved_at timestamptz,
    heard_at timestamptz,
    head_number bigint,
    stop_reason text,
    stopped_at timestamptz
);
comment on column feed.position.recorded_at is 'when the office booked the record at this position';
comment on column feed.position.heard_at is 'last sign of life of the office';

create table feed.parked (
    id bigint generated always as identity primary key,
    ledger text not null,
    number bigint,
    reason text not null,
    detail text not null,
    body bytea not null,
    hash bytea not null,
    parked_at timestamptz not null default now(),
    unique nulls not distinct (ledger, number, reason, hash)
);
"""


def upgrade() -> None:
    office = migrated_office()
    op.execute(_TABLES)
    roles = [process.database_role for process in office.processes]
    writer = "reader" if "reader" in roles else "desk"
    for role in sorted({*roles, writer}):
        op.execute(f"grant usage on schema feed to {office.package}_{role}")
        if role == writer:
            op.execute(f"grant select, insert, update on feed.position, feed.parked to {office.package}_{role}")
        else:
            # That something is parked everybody may know; its bytes are for the reader and its operator.
            op.execute(f"grant select on feed.position to {office.package}_{role}")
            columns = "id, ledger, number, reason, parked_at"
            op.execute(f"grant select ({columns}) on feed.parked to {office.package}_{role}")


def downgrade() -> None:
    raise NotImplementedError("positions are as lasting as what was read; restore a backup instead")
