-- 问题：哪些部门的哪些数据迟报？迟了多少条，九成多少个工作日内报到？
-- Question: which feeds of which departments come late, how many records, and how long do nine in ten take?
-- Marts: department_metric_monthly
-- Columns: month, department_name, feed_label, late_records, timed_records, percent, p90_workdays, is_small
-- 首次报送的存量不计时，所以不要用 credit_record.is_on_time 自行计算。指标由视图现算，一次读出两个比自连接快二十倍。
select
    month,
    department_name,
    feed_label,
    max(numerator) filter (where metric_code = 'late_rate') as late_records,
    max(denominator) filter (where metric_code = 'late_rate') as timed_records,
    round(100 * max(rate) filter (where metric_code = 'late_rate'), 2) as percent,
    max(numerator) filter (where metric_code = 'delay_p90') as p90_workdays,
    bool_or(is_small) filter (where metric_code = 'late_rate') as is_small
from department_metric_monthly
where feed is not null and metric_code in ('late_rate', 'delay_p90')
group by month, department_name, feed, feed_label
having max(numerator) filter (where metric_code = 'late_rate') > 0
order by month desc, percent desc, department_name, feed_label;
