"""What became of a parked record: replayed or discarded, by whom and why. What is left of it holds no bytes."""

from alembic import op

from verbund.database import migrated_office

revision = "0003"
down_revision = "0002"

_COLUMNS = """
alter table feed.parked
    add column settled text check (settled in ('replayed', 'discarded')),
    add column settled_at timestamptz,
    add column settled_by text,
    add column settled_why text,
    add column settled_key text,
    add column settled_fingerprint bytea,
    add check ((settled is null) = (settled_at is null) and (settled is null) = (settled_by is null)),
    add check (settled is null or body = ''::bytea);
create unique index parked_by_key on feed.parked (settled_by, settled_key);
create index parked_unsettled on feed.parked (ledger) where settled is null;
comment on column feed.parked.settled_key is 'keyed hash: a repeat of the request gets the same answer';
"""


def upgrade() -> None:
    office = migrated_office()
    op.execute(_COLUMNS)
    roles = [process.database_role for process in office.processes]
    writer = "reader" if "reader" in roles else "desk"
    for role in sorted({*roles} - {writer}):
        op.execute(f"grant select (settled, settled_at) on feed.parked to {office.package}_{role}")


def downgrade() -> None:
    raise NotImplementedError("positions are as lasting as what was read; restore a backup instead")
