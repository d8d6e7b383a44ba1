"""The books of reporting itself. It begins with nothing to load: its desk books from the first day."""

from alembic import op

from verbund.database import migrated_office

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    office = migrated_office()
    op.execute(f"insert into desk.initial_load (office, closed_at) values ('{office.name}', now())")  # noqa: S608


def downgrade() -> None:
    raise NotImplementedError("what an office has booked is never removed; restore a backup instead")
