-- 问题：部门排名这个月升了还是降了？
-- Question: did a department's place rise or fall against the month before?
-- Marts: department_ranking_monthly
-- Columns: month, department_name, place, place_before, score, assessed_points
select
    month,
    department_name,
    place,
    lag(place) over (partition by department_code order by month) as place_before,
    score,
    assessed_points
from department_ranking_monthly
where place is not null
order by month desc, place;
