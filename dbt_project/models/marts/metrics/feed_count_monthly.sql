{{ config(materialized='steady_view') }}
-- What adds up: numerator and denominator of every metric that is a sum over rows, records, periods or cases.
with coverage as (
    select
        date_trunc('month', business_date)::date as month,
        feed,
        sum(delivered_rows) as delivered_rows,
        sum(accepted_rows) as accepted_rows,
        sum(landed_rows) as landed_rows,
        sum(timed_records) as timed_records,
        sum(on_time_records) as on_time_records,
        sum(late_records) as late_records,
        sum(required_cells) as required_cells,
        sum(required_filled_cells) as required_filled_cells,
        sum(optional_cells) as optional_cells,
        sum(optional_filled_cells) as optional_filled_cells,
        sum(checked_rows) as checked_rows,
        sum(accurate_rows) as accurate_rows,
        sum(checked_rows - duplicate_rows) as unique_rows,
        sum(matchable_rows) as matchable_rows,
        sum(matched_rows) as matched_rows
    from {{ ref('department_coverage_daily') }}
    group by date_trunc('month', business_date), feed
),

-- A period belongs to the month it ends in, and is owed once it is due; what our own outage took away is not.
period as (
    select
        date_trunc('month', period_end)::date as month,
        feed,
        count(*) filter (where {{ is_owed_period('state') }}) as owed,
        count(*) filter (where state = 'missing') as missing,
        count(*) filter (where state = 'late') as late,
        count(*) filter (where state in ('reported', 'zero_report')) as in_time
    from {{ ref('reporting_period') }}
    group by date_trunc('month', period_end), feed
),

checked as (
    select * from {{ ref('spot_check_monthly') }}
),

declared as (
    select * from {{ ref('declared_production_monthly') }}
),

objection_received as (
    select
        date_trunc('month', filed_on)::date as month,
        feed,
        count(*) as received
    from {{ ref('objection') }}
    group by date_trunc('month', filed_on), feed
),

objection_decided as (
    select
        date_trunc('month', closed_on)::date as month,
        feed,
        count(*) as decided,
        count(*) filter (where not is_overdue) as in_time,
        count(*) filter (where state = '成立') as upheld
    from {{ ref('objection') }}
    where closed_on is not null
    group by date_trunc('month', closed_on), feed
),

repaired as (
    select
        date_trunc('month', decided_on)::date as month,
        feed,
        count(*) as received,
        count(*) filter (where not is_overdue) as in_time
    from {{ ref('repair') }}
    group by date_trunc('month', decided_on), feed
),

-- What became of the rows returned in the month, whenever that was.
returned as (
    select
        date_trunc('month', business_date)::date as month,
        feed,
        sum(asked_rows) as asked,
        sum(handled_rows) as handled,
        sum(corrected_rows) as corrected,
        sum(corrected_in_time_rows) as in_time,
        sum(rerejected_rows) as rerejected,
        sum(ignored_rows) as ignored
    from {{ ref('feedback_daily') }}
    group by date_trunc('month', business_date), feed
),

figure as (
    {{ metrics_of('coverage', ['month', 'feed'], [
        ('delivered_rows', 'coverage.delivered_rows', 'null'),
        ('compliance_rate', 'coverage.accepted_rows', 'coverage.delivered_rows'),
        ('landing_rate', 'coverage.landed_rows', 'coverage.delivered_rows'),
        ('timeliness_rate', 'coverage.on_time_records', 'coverage.timed_records'),
        ('late_rate', 'coverage.late_records', 'coverage.timed_records'),
        ('required_fill_rate', 'coverage.required_filled_cells', 'coverage.required_cells'),
        ('optional_fill_rate', 'coverage.optional_filled_cells', 'coverage.optional_cells'),
        ('accuracy_rate', 'coverage.accurate_rows', 'coverage.checked_rows'),
        ('uniqueness_rate', 'coverage.unique_rows', 'coverage.checked_rows'),
        ('match_rate', 'coverage.matched_rows', 'coverage.matchable_rows'),
    ]) }}
    union all
    {{ metrics_of('period', ['month', 'feed'], [
        ('owed_periods', 'period.owed', 'null'),
        ('missing_period_rate', 'period.missing', 'period.owed'),
        ('overdue_period_rate', 'period.late', 'period.owed'),
        ('period_timeliness_rate', 'period.in_time', 'period.owed'),
    ]) }}
    union all
    {{ metrics_of('checked', ['month', 'feed'], [
        ('concealment_rate', 'checked.not_found', 'checked.sampled'),
        ('misreport_rate', 'checked.fields_wrong', 'checked.fields_checked'),
    ]) }}
    union all
    {{ metrics_of('declared', ['month', 'feed'], [
        ('reporting_rate', 'declared.reported', 'declared.produced'),
    ]) }}
    union all
    {{ metrics_of('objection_received', ['month', 'feed'], [
        ('objections_received', 'objection_received.received', 'null'),
    ]) }}
    union all
    {{ metrics_of('objection_decided', ['month', 'feed'], [
        ('objection_in_time_rate', 'objection_decided.in_time', 'objection_decided.decided'),
        ('objection_upheld_rate', 'objection_decided.upheld', 'objection_decided.decided'),
    ]) }}
    union all
    {{ metrics_of('repaired', ['month', 'feed'], [
        ('repairs_received', 'repaired.received', 'null'),
        ('repair_in_time_rate', 'repaired.in_time', 'repaired.received'),
    ]) }}
    union all
    {{ metrics_of('returned', ['month', 'feed'], [
        ('feedback_rows', 'returned.asked', 'null'),
        ('feedback_handling_rate', 'returned.handled', 'returned.asked'),
        ('feedback_correction_rate', 'returned.corrected', 'returned.asked'),
        ('feedback_in_time_rate', 'returned.in_time', 'returned.asked'),
        ('feedback_rerejection_rate', 'returned.rerejected', 'returned.asked'),
        ('feedback_ignore_rate', 'returned.ignored', 'returned.asked'),
    ]) }}
)

select * from figure
where feed is not null
