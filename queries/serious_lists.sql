-- 问题：严重失信名单每月列入多少、移出多少？
-- Question: how many enter and leave the lists of serious dishonesty each month?
-- Marts: serious_list_entry
-- Columns: month, serious_class_name, entered, exited
select
    date_trunc('month', moved.day)::date as month,
    entry.serious_class_name,
    count(*) filter (where moved.kind = 'entered') as entered,
    count(*) filter (where moved.kind = 'exited') as exited
from serious_list_entry as entry
cross join lateral (values ('entered', entry.entered_on), ('exited', entry.exited_on)) as moved (kind, day)
where entry.serious_class is not null and moved.day is not null
group by month, entry.serious_class_name
order by month desc, entry.serious_class_name;
