"""The audit log that only grows; accounts, roles, sessions; who answers an interest."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END
"""
_POSTGRESQL = (
    """
    CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$
    """,
    """
    CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()
    """,
)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_account(*, primary_key: bool = False) -> sa.Column[object]:
    account = sa.ForeignKey("accounts.id")
    return sa.Column("account_id", sa.String(32), account, nullable=False, primary_key=primary_key)


def upgrade() -> None:
    _audit()
    _accounts()
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("of", sa.String(64), nullable=False),
        _moment("at"),
    )
    op.create_index("ix_attempts_of", "attempts", ["of", "at"])
    op.create_index("ix_attempts_at", "attempts", ["at"])
    op.add_column("interests", sa.Column("assigned_to", sa.String(32)))
    op.create_index("ix_interests_assigned_to", "interests", ["assigned_to"])
    op.drop_index("ix_interests_study_id", "interests")
    op.create_index("ix_interests_study", "interests", ["study_id", "created_at"])
    op.create_index("ix_interests_waiting", "interests", ["status", "created_at"])
    op.execute("UPDATE interests SET status = 'contacted' WHERE status = 'answered'")


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        _moment("at"),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("study_id", sa.String(64), nullable=False),
        sa.Column("interest_id", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(64), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    triggers = [_SQLITE.format(verb=verb) for verb in ("update", "delete")] if sqlite else _POSTGRESQL
    for trigger in triggers:
        op.execute(trigger)


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        _moment("created_at"),
        _moment("disabled_at", nullable=True),
        sa.Column("password", sa.String(200)),
        sa.Column("sealed_totp", sa.LargeBinary),
        sa.Column("totp_step", sa.BigInteger),
        sa.Column("identity", sa.String(64), unique=True),
        sa.Column("failures", sa.Integer, nullable=False),
        _moment("locked_until", nullable=True),
    )
    op.create_table(
        "roles",
        _of_account(primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
        sa.Column("study_id", sa.String(64), primary_key=True),
    )
    op.create_index("ix_roles_study_id", "roles", ["study_id"])
    for table, moments in (("invitations", ("expires_at",)), ("sessions", ("started_at", "seen_at"))):
        op.create_table(
            table,
            sa.Column("token_sha256", sa.String(64), primary_key=True),
            _of_account(),
            *(_moment(name) for name in moments),
        )
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])


def downgrade() -> None:
    later = "('contacted', 'screened', 'included', 'not_suitable')"
    op.execute(f"UPDATE interests SET status = 'answered' WHERE status IN {later}")  # noqa: S608 - our words
    for name in ("assigned_to", "study", "waiting"):
        op.drop_index(f"ix_interests_{name}", "interests")
    op.drop_column("interests", "assigned_to")
    op.create_index("ix_interests_study_id", "interests", ["study_id"])
    for table in ("attempts", "sessions", "invitations", "roles", "accounts", "audit"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_only_grows()")
