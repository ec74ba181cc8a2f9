"""Counts too small to be shown: the threshold, as a parameter with its source."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("""
        insert into ops.metric_parameter (name, value, unit, source, valid_from) values (
            'suppressed_count', 5, '条',
            '本办约定：小于 5 的计数不展示（统计披露控制的通行下限），可由信用办改定', '2000-01-01'
        )
    """)
