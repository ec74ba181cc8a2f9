-- 问题：各区县各类记录有多少（少于三十的不列出）？
-- Question: how many records of each category has each district, counts under 30 kept back?
-- Marts: credit_record, subject_credit_profile
-- Columns: region_code, record_category, records, is_kept_back
-- 对外提供的分组计数都应这样处理：小计数可能指向具体的人。
select
    profile.region_code,
    record.record_category,
    case when count(*) >= 30 then count(*) end as records,
    count(*) < 30 as is_kept_back
from credit_record as record
inner join subject_credit_profile as profile on record.subject_key = profile.subject_key
group by profile.region_code, record.record_category
order by profile.region_code, record.record_category;
