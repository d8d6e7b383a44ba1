"""A cube may be empty in a later generation: after a rebuild from ledgers that hold nothing that counts."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table cube.batch_head drop constraint batch_head_number_check, add check (number >= 0)")


def downgrade() -> None:
    raise NotImplementedError("the cube is rebuilt from the ledgers, never downgraded")
