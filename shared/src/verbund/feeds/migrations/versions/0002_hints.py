"""Where to go on reading a topic, and as of when a ledger's last beat was, for readers from Kafka."""

from alembic import op

from verbund.database import migrated_office

revision = "0002"
down_revision = "0001"

_TABLES = """
alter table feed.position add column beat_at timestamptz;
comment on column feed.position.beat_at is 'as of when the last beat that travelled said where the ledger ends';

create table feed.hint (
    topic text not null,
    partition integer not null,
    topic_id uuid not null,
    next_offset bigint not null check (next_offset >= 0),
    noted_at timestamptz not null default now(),
    primary key (topic, partition)
);
comment on table feed.hint is 'where to go on reading; it proves nothing, only feed.position does';
"""


def upgrade() -> None:
    office = migrated_office()
    op.execute(_TABLES)
    roles = [process.database_role for process in office.processes]
    writer = "reader" if "reader" in roles else "desk"
    op.execute(f"grant select, insert, update on feed.hint to {office.package}_{writer}")


def downgrade() -> None:
    raise NotImplementedError("positions are as lasting as what was read; restore a backup instead")
