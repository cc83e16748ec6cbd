"""What recruitment keeps. Everything about a person is in the sealed columns and nowhere else.

`bound_to` says what the vault binds the bytes of a sealed column to, made of the columns of its row.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    false,
)

from registry.database import UtcDateTime
from registry.store import metadata

interests = Table(
    "interests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("study_id", String(64), nullable=False),
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
    Column("sealed", LargeBinary, info={"bound_to": "{study_id}:{id}"}),
    Column("retention_days", Integer, nullable=False, server_default="90"),
    Column("proven_at", UtcDateTime),
    Column("held", Boolean, nullable=False, server_default=false()),
    Column("reminders", Integer, nullable=False, server_default="0"),
    Column("assigned_to", String(32), index=True),
    Index("ix_interests_study", "study_id", "held", "created_at", "id", "status"),
    Index("ix_interests_waiting", "status", "held", "created_at", "id"),
)
"""One row an interest; `sealed` (person and screening) is NULL once withdrawn or expired.

`retention_days` are those of the consent. `proven_at`: when the person showed that the e-mail address is
theirs; as long as `held`, the study is not told before that. `reminders` counts the steps of
recruitment/reminders.py that were taken.
`assigned_to` is the account that answers it.
"""

replies = Table(
    "replies",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("interest_id", String(32), ForeignKey("interests.id"), nullable=False, index=True),
    Column("written_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False, info={"bound_to": "{interest_id}:{id}"}),
)
"""What the study wrote to the person."""

links = Table(
    "links",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("interest_id", String(32), ForeignKey("interests.id"), index=True),
    Column("holder", String(8), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("follower_id", String(32), ForeignKey("followers.id"), index=True),
    Column("mailed", Boolean, nullable=False, server_default=false()),
)
"""The secret links of an interest or of a follower; any number may work at once.

`mailed`: it left in an e-mail only, so whoever opens it reads that mailbox.
"""

messages = Table(
    "messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("interest_id", String(32), ForeignKey("interests.id"), index=True),
    Column("kind", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("sealed_recipient", LargeBinary, nullable=False, info={"bound_to": "message:{id}"}),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime),
    Column("failure", String(200)),
    Column("follower_id", String(32), ForeignKey("followers.id"), index=True),
    Column("account_id", String(32), ForeignKey("accounts.id"), index=True),
    Index("ix_messages_due", "state", "next_attempt_at"),
)
"""The outbox. A message is about an interest, or to a follower or an account.

The address is emptied once it is sent.
"""

followers = Table(
    "followers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("language", String(2), nullable=False),
    Column("sealed", LargeBinary, nullable=False, info={"bound_to": "follower:{id}"}),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("told_at", UtcDateTime),
)
"""Who wants news by e-mail: an address (sealed), confirmed or not, and when it was last sent a digest."""

follows = Table(
    "follows",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("follower_id", String(32), ForeignKey("followers.id"), nullable=False, index=True),
    Column("study_id", String(64), index=True),
    Column("sealed", LargeBinary, info={"bound_to": "follow:{id}"}),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
)
"""What a follower follows: one study, or a search (`sealed`). `revision` is how far the store was read."""

news = Table(
    "news",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("follow_id", String(32), ForeignKey("follows.id"), nullable=False, index=True),
    Column("study_id", String(64), nullable=False),
    Column("what", String(16), nullable=False),
    Column("noticed_at", UtcDateTime, nullable=False),
)
"""What happened in what somebody follows."""

retention = Table(
    "retention",
    metadata,
    Column("study_id", String(64), primary_key=True),
    Column("days", Integer, nullable=False),
)
"""The studies whose interests are kept for another time than the default."""

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(32), nullable=False),
    Column("action", String(16), nullable=False),
    Column("study_id", String(64), nullable=False),
    Column("interest_id", String(32), nullable=False),
    Column("detail", String(64), nullable=False),
    Column("chain", String(64), nullable=False),
)
"""The audit log. Triggers let nothing in it be changed or deleted; nothing in it says who a person is."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("password", String(200)),
    Column("sealed_totp", LargeBinary, info={"bound_to": "totp:{id}"}),
    Column("totp_step", BigInteger),
    Column("identity", String(64), unique=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
)
"""Who may sign in. `password` is an Argon2 hash, `identity` the SHA-256 of an OpenID issuer and subject."""

roles = Table(
    "roles",
    metadata,
    Column("account_id", String(32), ForeignKey("accounts.id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("study_id", String(64), primary_key=True, index=True),
)
"""What an account may do; `study_id` is "" for a role that is not about one study."""

invitations = Table(
    "invitations",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account_id", String(32), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
)
"""One-time links to an account; a row is deleted when its link is used."""

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account_id", String(32), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""Who is signed in. The token is in the cookie and nowhere else."""

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("of", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Index("ix_attempts_of", "of", "at"),
)
"""What is rate limited, each try a row; `of` is a hash that says neither who nor what."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)
"""Pre-screenings under way, before any consent: their key is in the browser's cookie, not here."""
