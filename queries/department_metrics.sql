-- 问题：各部门上报、合规、及时情况如何？分子、分母各是多少？
-- Question: how well does each department report, with numerator and denominator?
-- Marts: department_metric_monthly
-- Columns: month, department_name, metric_label, numerator, denominator, percent, is_small
-- feed 为空的行是部门合计；is_known 为否的指标无从得知，不是 0。
select
    month,
    department_name,
    metric_label,
    numerator,
    denominator,
    round(100 * rate, 2) as percent,
    is_small
from department_metric_monthly
where feed is null and is_known and metric_code in ('delivered_rows', 'compliance_rate', 'timeliness_rate', 'missing_period_rate')
order by month desc, department_name, metric_label;
