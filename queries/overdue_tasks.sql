-- 问题：规划中哪些任务逾期，逾期多少天，由谁牵头？
-- Question: which tasks of the plans are overdue, by how many days, and who leads them?
-- Marts: plan_standing, plan_task_status
-- Columns: plan_title, task, lead_units, due_on, days_overdue, status_label
select
    task.plan_title,
    task.task,
    array_to_string(task.lead_units, '、') as lead_units,
    standing.due_on,
    -standing.days_left as days_overdue,
    standing.status_label
from plan_standing as standing
inner join plan_task_status as task
    on
        standing.item_code = task.task_code
        and task.held_from <= standing.as_of
        and (task.held_until is null or task.held_until >= standing.as_of)
where standing.status in ('overdue', 'never_evidenced')
order by days_overdue desc nulls last, task.plan_title, task.ordinal;
