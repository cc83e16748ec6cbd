"""Messages to accounts: a link to whoever has forgotten the password."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("messages") as batch:
        batch.add_column(sa.Column("account_id", sa.String(32)))
        batch.create_foreign_key("fk_messages_account_id", "accounts", ["account_id"], ["id"])
        batch.create_index("ix_messages_account_id", ["account_id"])


def downgrade() -> None:
    rows = sa.table("messages", sa.column("account_id"))
    op.execute(sa.delete(rows).where(rows.c.account_id.is_not(None)))
    with op.batch_alter_table("messages") as batch:
        batch.drop_index("ix_messages_account_id")
        batch.drop_constraint("fk_messages_account_id", type_="foreignkey")
        batch.drop_column("account_id")
