-- 问题：各部门被退回最多的问题是什么？
-- Question: which rules do the departments' returned rows break most?
-- Marts: feedback_item, feed
-- Columns: department_name, rule, errors, rows, open_rows
select
    feed.department_name,
    broken.rule,
    count(*) as errors,
    count(distinct item.rejection_id) as rows,
    count(distinct item.rejection_id) filter (where item.outcome = 'open') as open_rows
from feedback_item as item
inner join feed on item.feed = feed.feed
cross join lateral unnest(item.rules) as broken (rule)
group by feed.department_name, broken.rule
order by errors desc, feed.department_name, broken.rule;
