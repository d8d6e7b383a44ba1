"""Entry of alembic into these migrations."""

from verbund.database import run_migrations

run_migrations()
