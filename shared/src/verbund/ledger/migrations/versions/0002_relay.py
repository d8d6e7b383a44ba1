"""How far the relay has sent each ledger to Kafka, and which relay of the office is the one that sends."""

from alembic import op

from verbund.database import migrated_office

revision = "0002"
down_revision = "0001"

_TABLES = """
create schema relay;

create table relay.lease (
    office text primary key,
    epoch bigint not null check (epoch > 0),
    holder text not null,
    alive_at timestamptz not null
);
comment on column relay.lease.epoch is 'one more whenever a relay takes over; who has an older one moves nothing';

create table relay.position (
    ledger text primary key,
    number bigint not null check (number >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    epoch bigint not null,
    moved_at timestamptz,
    stop_reason text,
    stopped_at timestamptz,
    check ((stop_reason is null) = (stopped_at is null))
);
comment on column relay.position.number is 'every record up to this one was acknowledged by Kafka';
"""

# The ledger is read, and nothing but the relay's own two tables is written.
_GRANTS = """
grant usage on schema ledger, relay to {role};
grant select on ledger.record, ledger.head, ledger.beat to {role};
grant select, insert, update on relay.lease, relay.position to {role};
"""


def upgrade() -> None:
    office = migrated_office()
    op.execute(_TABLES)
    if any(process.database_role == "relay" for process in office.processes):
        op.execute(_GRANTS.format(role=f"{office.package}_relay"))


def downgrade() -> None:
    raise NotImplementedError("without positions everything is sent again; restore a backup instead")
