"""Interests, the study's replies, secret links and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, index=index)


def _of_interest() -> sa.Column[object]:
    return sa.Column("interest_id", sa.String(32), sa.ForeignKey("interests.id"), nullable=False, index=True)


def upgrade() -> None:
    op.create_table(
        "interests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("study_id", sa.String(64), nullable=False, index=True),
        sa.Column("mailbox", sa.String(254), nullable=False),
        sa.Column("mailbox_language", sa.String(2), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("submission", sa.String(64), nullable=False, unique=True),
        sa.Column("consent_version", sa.String(32), nullable=False),
        sa.Column("consent_language", sa.String(2), nullable=False),
        _moment("consent_given_at"),
        _moment("created_at"),
        _moment("opened_at", nullable=True),
        _moment("expires_at", index=True),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_table(
        "replies",
        sa.Column("id", sa.String(32), primary_key=True),
        _of_interest(),
        _moment("written_at"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "links",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        _of_interest(),
        sa.Column("holder", sa.String(8), nullable=False),
        _moment("expires_at"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(32), primary_key=True),
        _of_interest(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("sealed_recipient", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("created_at"),
        _moment("next_attempt_at"),
        _moment("leased_until", nullable=True),
        sa.Column("failure", sa.String(200)),
    )
    op.create_index("ix_messages_due", "messages", ["state", "next_attempt_at"])


def downgrade() -> None:
    for table in ("messages", "links", "replies", "interests"):
        op.drop_table(table)
