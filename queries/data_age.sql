-- 问题：每个数据接口的数据有多旧，是否超期？
-- Question: how old is the data of each feed, and is that too old?
-- Marts: department_coverage_daily
-- Columns: department_name, feed_label, newest_delivered_for, freshness_days, max_age_days, is_stale
select
    newest.department_name,
    newest.feed_label,
    newest.newest_delivered_for,
    newest.freshness_days,
    newest.max_age_days,
    coalesce(newest.freshness_days > newest.max_age_days, true) as is_stale
from (select distinct on (feed) * from department_coverage_daily order by feed, business_date desc) as newest
order by is_stale desc, newest.freshness_days desc nulls first, newest.department_name, newest.feed_label;
