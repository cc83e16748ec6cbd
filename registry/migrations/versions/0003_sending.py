"""Followers and what they follow; proof of an address, reminders, retention for each study."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEW_OF_INTERESTS = ("retention_days", "proven_at", "held", "reminders")


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, index=index)


def upgrade() -> None:
    op.create_table(
        "followers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        _moment("created_at"),
        _moment("confirmed_at", nullable=True),
        _moment("expires_at", index=True),
        _moment("told_at", nullable=True),
    )
    op.create_table(
        "follows",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("follower_id", sa.String(32), sa.ForeignKey("followers.id"), nullable=False, index=True),
        sa.Column("study_id", sa.String(64), index=True),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("revision", sa.BigInteger, nullable=False),
        _moment("created_at"),
        _moment("confirmed_at", nullable=True),
    )
    op.create_table(
        "news",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("follow_id", sa.String(32), sa.ForeignKey("follows.id"), nullable=False, index=True),
        sa.Column("study_id", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        _moment("noticed_at"),
    )
    op.create_table(
        "retention",
        sa.Column("study_id", sa.String(64), primary_key=True),
        sa.Column("days", sa.Integer, nullable=False),
    )
    op.add_column("interests", sa.Column("retention_days", sa.Integer, nullable=False, server_default="90"))
    op.add_column("interests", _moment("proven_at", nullable=True))
    op.add_column("interests", sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("interests", sa.Column("reminders", sa.Integer, nullable=False, server_default="0"))
    for table in ("links", "messages"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("interest_id", existing_type=sa.String(32), nullable=True)
            batch.add_column(sa.Column("follower_id", sa.String(32)))
            batch.create_foreign_key(f"fk_{table}_follower_id", "followers", ["follower_id"], ["id"])
            batch.create_index(f"ix_{table}_follower_id", ["follower_id"])
    op.add_column("links", sa.Column("mailed", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("links", "mailed")
    for table in ("links", "messages"):
        rows = sa.table(table, sa.column("interest_id"))
        op.execute(sa.delete(rows).where(rows.c.interest_id.is_(None)))
        with op.batch_alter_table(table) as batch:
            batch.drop_index(f"ix_{table}_follower_id")
            batch.drop_constraint(f"fk_{table}_follower_id", type_="foreignkey")
            batch.drop_column("follower_id")
            batch.alter_column("interest_id", existing_type=sa.String(32), nullable=False)
    for column in _NEW_OF_INTERESTS:
        op.drop_column("interests", column)
    for table in ("retention", "news", "follows", "followers"):
        op.drop_table(table)
