"""What a night looks for instead of comparing whole: the month of a reporting period, answers and objections of since."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("""
        do $$
        begin
            if to_regclass('mart_store.reporting_period') is not null then
                alter table mart_store.reporting_period add column month date;
                update mart_store.reporting_period set month = date_trunc('month', period_end);
                create index reporting_period__due_on on mart_store.reporting_period (due_on);
            end if;
            -- Compared by models that run before the mart gains the column itself.
            if to_regclass('mart_store.feed') is not null then
                alter table mart_store.feed add column clock_digest text;
            end if;
            if to_regclass('mart_store.objection') is not null then
                create index objection__due_on on mart_store.objection (due_on);
            end if;
        end
        $$;
        create index on ops.outcome ((coalesce(finished_at, started_at)));
        create index on ops.record_event ((md5(record_key::text || '|' || objection_no)::uuid)) where objection_no is not null;
        insert into ops.rebuild_request (reason)
        select '旧码下的行须按登记机关给其主体的名称核对；应报周期自首次报送之日起算'
        where exists (select from ops.publication where state = 'published');
    """)
