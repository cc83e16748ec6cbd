"""Indexes from which a team's list and its counts are read without touching what is sealed."""

from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

_NOW = {
    "ix_interests_study": ["study_id", "held", "created_at", "id", "status"],
    "ix_interests_waiting": ["status", "held", "created_at", "id"],
}
_BEFORE = {
    "ix_interests_study": ["study_id", "created_at"],
    "ix_interests_waiting": ["status", "created_at"],
}


def upgrade() -> None:
    _replace(_NOW)


def downgrade() -> None:
    _replace(_BEFORE)


def _replace(indexes: dict[str, list[str]]) -> None:
    for name, columns in indexes.items():
        op.drop_index(name, "interests")
        op.create_index(name, "interests", columns)
