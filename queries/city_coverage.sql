-- 问题：今天全市建档覆盖率是多少，各人群差多少？
-- Question: what is the population and enterprise coverage today, group by group?
-- Marts: population_coverage, publication
-- Columns: population, group_name, members, filed_members, percent
-- 覆盖情况按变动日存放：某日的数字是 held_from <= 当日 且（held_until 为空或 >= 当日）的一行。
select
    coverage.population,
    coverage.group_name,
    coverage.members,
    coverage.filed_members,
    round(100 * coverage.coverage_rate, 2) as percent
from population_coverage as coverage
inner join publication as reading on reading.is_read
where
    coverage.district = '全市'
    and coverage.held_from <= reading.business_date
    and (coverage.held_until is null or coverage.held_until >= reading.business_date)
order by coverage.population, percent desc nulls last;
