-- 问题：一个主体有哪些在公示的记录，依据什么，来自哪个文件哪一行？
-- Question: what is on display about one subject, on which basis, from which file and row?
-- Marts: credit_record
-- Columns: record_category, effect, title, document_no, authority_name, decision_date, displayed_until, legal_basis, landed_path, source_row
-- 参数（可不设）：set query.subject = '主体键'；缺省为公示记录最多的主体。
select set_config('query.subject', coalesce(
    nullif(current_setting('query.subject', true), ''),
    (
        select busiest.subject_key::text from credit_record as busiest where busiest.subject_key is not null
        group by busiest.subject_key order by count(*) desc, busiest.subject_key limit 1
    )
), false);
select
    record_category,
    effect,
    title,
    document_no,
    authority_name,
    decision_date,
    displayed_until,
    legal_basis,
    landed_path,
    source_row
from credit_record
where subject_key = current_setting('query.subject')::uuid
order by decision_date desc, record_category;
