{#- The district of a deciding body: the city's district whose name stands in its name, the longest one; every other
    body, and one that is not told, is the city's own (市本级). One row per row of `authorities`. -#}
{% macro districts_of(authorities) -%}
    select distinct on (authority.authority_name)
        authority.authority_name,
        coalesce(district.district_code, 'city') as district_code
    from {{ authorities }} as authority
    left join {{ source('ops', 'office_district') }} as district on strpos(authority.authority_name, district.district_name) > 0
    order by authority.authority_name asc, length(district.district_name) desc nulls last, district.district_code asc
{%- endmacro %}
