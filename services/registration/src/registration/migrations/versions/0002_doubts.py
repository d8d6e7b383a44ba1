"""States of residences in the office's words, and the doubts that are open."""

from alembic import op

revision = "0002"
down_revision = "0001"

_CHANGES = """
update office.residence set status = case status when 'open' then 'registered' else 'deregistered' end
where status in ('open', 'over');
alter table office.residence add column doubted_on date;
-- The list of open doubts, the oldest first.
create index residence_in_doubt on office.residence (doubted_on, number) where doubted_on is not null;
"""


def upgrade() -> None:
    op.execute(_CHANGES)


def downgrade() -> None:
    raise NotImplementedError("what an office has booked is never removed; restore a backup instead")
