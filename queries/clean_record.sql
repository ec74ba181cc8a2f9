-- 问题：一个主体连续三年有无不良记录，依据是什么？
-- Question: is a subject without an adverse record for three years, and why not?
-- Marts: no_adverse_record(), credit_record
-- Columns: subject_key, is_clean, window_from, window_to, adverse_records, reasons
-- 参数（可不设）：set query.subject = '主体键'；缺省为最近作出不良认定的主体。
select set_config('query.subject', coalesce(
    nullif(current_setting('query.subject', true), ''),
    (
        select record.subject_key::text from credit_record as record where record.subject_key is not null
        order by record.effect = 'adverse' desc, record.decision_date desc, record.subject_key limit 1
    )
), false);
select
    current_setting('query.subject')::uuid as subject_key,
    answer.is_clean,
    answer.window_from,
    answer.window_to,
    answer.adverse_records,
    array_to_string(answer.reasons, '；') as reasons
from no_adverse_record(current_setting('query.subject')::uuid) as answer;
