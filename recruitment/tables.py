"""What recruitment keeps. Everything about a person is in the sealed columns and nowhere else."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from registry.database import UtcDateTime
from registry.store import metadata

interests = Table(
    "interests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("study_id", String(64), nullable=False, index=True),
    Column("mailbox", String(254), nullable=False),
    Column("mailbox_language", String(2), nullable=False),
    Column("status", String(16), nullable=False),
    Column("submission", String(64), nullable=False, unique=True),
    Column("consent_version", String(32), nullable=False),
    Column("consent_language", String(2), nullable=False),
    Column("consent_given_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("sealed", LargeBinary),
)
"""One row an interest; `sealed` (person and screening) is NULL once withdrawn or expired."""

replies = Table(
    "replies",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("interest_id", String(32), ForeignKey("interests.id"), nullable=False, index=True),
    Column("written_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""What the study wrote to the person."""

links = Table(
    "links",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("interest_id", String(32), ForeignKey("interests.id"), nullable=False, index=True),
    Column("holder", String(8), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
"""The secret links of an interest; any number may work at once."""

messages = Table(
    "messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("interest_id", String(32), ForeignKey("interests.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("sealed_recipient", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime),
    Column("failure", String(200)),
    Index("ix_messages_due", "state", "next_attempt_at"),
)
"""The outbox. The address is sealed, and emptied once the message is sent."""
