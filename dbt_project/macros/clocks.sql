{#- The clocks of a record (DOMAIN.md §4.4). A period of n months from a day ends with the same day n months later
    (民法典 §201–202: the first day is not counted). -#}

{#- First day of the display clock: the finding in the document, or its publication. -#}
{% macro display_start(record, rule) -%}
    (case
        when {{ rule }}.starts = 'publication' then coalesce({{ record }}.published_on, {{ record }}.decision_date)
        else {{ record }}.decision_date
    end)
{%- endmacro %}

{#- Last day on display by one rule: null = no end; the day before the start = not displayed at all. -#}
{% macro display_end(started_on, rule) -%}
    case
        when {{ rule }}.shown is false then {{ started_on }} - 1
        else ({{ started_on }} + make_interval(months => {{ rule }}.max_months))::date
    end
{%- endmacro %}

{#- An earlier decision under rules that began later: no longer than they would have it, where they say so. Null
    where they do not shorten. -#}
{% macro display_end_after_transition(started_on, decided, present) -%}
    case
        when {{ present }}.valid_from > {{ decided }}.valid_from and {{ present }}.takes_over = 'shorter'
            then greatest({{ present }}.valid_from - 1, {{ display_end(started_on, present) }})
    end
{%- endmacro %}

{#- Whether a dated row (valid_from, valid_to) holds on a day. -#}
{% macro holds_on(row, day) -%}
    ({{ row }}.valid_from <= {{ day }} and ({{ row }}.valid_to is null or {{ row }}.valid_to >= {{ day }}))
{%- endmacro %}

{#- States in which a record may still be looked up and used. All others are in no outlet. -#}
{% macro queryable_statuses() -%}
    ('in_force', 'ended', 'expired')
{%- endmacro %}

{#- States of a record that was rightly held for a time, whether or not it still may be used. -#}
{% macro held_statuses() -%}
    ('in_force', 'ended', 'expired', 'unusable')
{%- endmacro %}

{#- Why a record is displayed until when, in words for whoever is asked; reads the columns of core.credit_record. -#}
{% macro display_note() -%}
    concat(
        '依', regime_decided, '（程度：', shown_severity, '）',
        case
            when display_end_decided is null then '，信息有效期内公示'
            when display_end_decided < display_started_on then '，不公示'
            else '，公示至 ' || display_end_decided
        end,
        case
            when display_end_present is null then ''
            when display_end_decided is null or display_end_present < display_end_decided
                then '；' || present_from || ' 起适用' || regime_present || '，从短公示至 ' || display_end_present
            else '；' || present_from || ' 起适用' || regime_present || '，原期限较短，不变'
        end,
        case
            when display_until < least(display_end_decided, display_end_present)
                then '；报送单位确定公示至 ' || display_until
        end
    )
{%- endmacro %}
