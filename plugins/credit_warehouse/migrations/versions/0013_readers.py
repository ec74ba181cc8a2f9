"""Who may read what: leaders, analysts and departments instead of one role for all readers."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # The driver's own cursor: the script is several statements, and % and : in it are only characters.
    op.get_bind().connection.cursor().execute(script)
