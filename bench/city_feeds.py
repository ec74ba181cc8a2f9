"""What each feed of a benchmark's city delivers: fields as DuckDB SQL over the columns :func:`bench.city.rows_query` makes.

The columns: ``n`` place in the feed, ``version`` 0 or the night that corrected the row, ``is_gone`` taken back, ``h`` a hash
of feed and place, ``no`` the place as text, ``is_org`` and ``party_name``, ``person_id``, ``person_name``, ``org_uscc``, ``org_name``,
``trade``, ``representative``, ``region`` (struct), ``filed``, ``decided``, ``ended`` (days, ``ended`` null while it stands),
``updated`` (text), ``amount`` (yuan).
"""

from __future__ import annotations

from dataclasses import dataclass

FAMILIES = ("court", "market_regulation", "social_security", "tax")
"""The four families of departments; the registers of data administration come on top."""


@dataclass(frozen=True)
class Shape:
    """``weight``: part of the city's rows that are no register's. ``org_of_row`` says which organisation row ``n`` is of,
    where the natural key holds it; otherwise organisations and persons are drawn by hash, ``org_tenths`` of ten rows being
    an organisation's."""

    weight: float
    fields: dict[str, str]
    org_tenths: int = 10
    org_of_row: str = "h // 7 % organisations"
    person_of_row: str = "h // 7 % persons"


_PARTY = {
    "party_type": "if(is_org, '法人或其他组织', '自然人')",
    "party_name": "party_name",
    "resident_id": "if(is_org, null, person_id)",
    "uscc": "if(is_org, org_uscc, null)",
}
_PERMITTED_PARTY = {
    "party_name": "party_name",
    "party_type": "if(is_org, '法人及非法人组织', '自然人')",
    "uscc": "if(is_org, org_uscc, null)",
    "legal_representative": "if(is_org, representative, null)",
    "party_id_type": "if(is_org, null, '身份证')",
    "resident_id": "if(is_org, null, person_id)",
    "authority_name": "region.name || '市场监督管理局'",
    "authority_uscc": "region.bureau",
    "source_unit": "region.name || '市场监督管理局'",
    "source_unit_uscc": "region.bureau",
    "status": "if(is_gone, '2', '1')",
    "updated_at": "updated",
}
_EXCHANGED = {
    "change_op": "case when is_gone then 'D' when version > 0 then 'U' else 'I' end",
    "updated_at": "updated",
    "change_seq": "n + 1 + version * 1000000000",
}
_EMPLOYER = {"uscc": "org_uscc", "employer_name": "org_name"}
_TAXPAYER = {
    "taxpayer_id": "org_uscc",
    "taxpayer_name": "org_name",
    "tax_authority": "'国家税务总局' || region.name || '税务局'",
    "status": "if(is_gone, '撤销', '有效')",
    "updated_at": "updated",
}
_INSURANCE = "['企业职工基本养老保险', '职工基本医疗保险', '失业保险', '工伤保险'][n % 4 + 1]"
# The four insurances of an employer and a month stand side by side, as they are declared.
_INSURED_ORG = "n // 4 % organisations"
_INSURED_MONTH = "strftime(date '2026-02-01' - to_months((n // (4 * organisations))::int), '%Y%m')"
_RATED_YEAR = "2025 - n // organisations"
_STATUS = "if(is_gone, '撤销', '有效')"

SHAPES: dict[str, Shape] = {
    "court.judgment": Shape(
        12,
        {
            **_PARTY,
            "case_no": "'(' || year(filed) || ')' || region.court || '民初' || no || '号'",
            "cause": "['民间借贷纠纷', '买卖合同纠纷', '劳动争议', '机动车交通事故责任纠纷'][h % 4 + 1]",
            "position": "['原告', '被告', '第三人'][h % 3 + 1]",
            "court_name": "region.name || '人民法院'",
            "filing_date": "filed",
            "claim_cny": "amount",
            "document_no": "'(' || year(filed) || ')' || region.court || '民初' || no || '号民事判决书'",
            "closed_on": "decided",
            "closing_method": "['判决', '调解', '准予撤诉'][h % 3 + 1]",
            "status": "if(is_gone, '撤销', '生效')",
            "updated_at": "updated",
        },
        org_tenths=3,
    ),
    "court.judgment_enforcement": Shape(
        9,
        {
            **_PARTY,
            "case_no": "'(' || year(filed) || ')' || region.court || '执' || no || '号'",
            "cause": "['民间借贷纠纷', '买卖合同纠纷', '劳动争议'][h % 3 + 1]",
            "court_name": "region.name || '人民法院'",
            "filing_date": "decided",
            "amount_cny": "amount",
            "basis_document_no": "'(' || year(filed) || ')' || region.court || '民初' || no || '号民事判决书'",
            "case_status": "case when is_gone then '撤销' when ended is null then '执行中' else '执行完毕' end",
            "closed_on": "ended",
            "closing_method": "if(ended is null, null, '执行完毕')",
            "updated_at": "updated",
        },
        org_tenths=3,
    ),
    "court.consumption_restriction": Shape(
        4,
        {
            **_PARTY,
            "order_no": "'(' || year(filed) || ')' || region.court || '执限' || no || '号'",
            "case_no": "'(' || year(filed) || ')' || region.court || '执' || no || '号'",
            "court_name": "region.name || '人民法院'",
            "filing_date": "filed",
            "issued_on": "decided",
            "lifted_on": "ended",
            "lifting_reason": "if(ended is null, null, '履行完毕')",
            "status": "case when is_gone then '撤销' when ended is null then '限制中' else '解除' end",
            "updated_at": "updated",
        },
        org_tenths=2,
    ),
    "court.dishonest_judgment_debtor": Shape(
        3,
        {
            **_PARTY,
            "record_no": "'SX' || no",
            "legal_representative": "if(is_org, representative, null)",
            "sex": "if(is_org, null, ['男', '女'][h % 2 + 1])",
            "age": "if(is_org, null, 20 + h % 60)",
            "case_no": "'(' || year(filed) || ')' || region.court || '执' || no || '号'",
            "filing_date": "filed",
            "court_name": "region.name || '人民法院'",
            "basis_document_no": "'(' || year(filed) || ')' || region.court || '民初' || no || '号民事判决书'",
            "basis_authority": "region.name || '人民法院'",
            "obligation": "'支付货款' || amount || '元'",
            "performance": "['全部未履行', '部分未履行', '全部已履行'][(h + version) % 3 + 1]",
            "grounds": "['违反财产报告制度', '违反限制消费令', '有履行能力而拒不履行'][h % 3 + 1]",
            "published_on": "decided",
            "removed_on": "ended",
            "removal_reason": "if(ended is null, null, '履行完毕')",
            "status": "case when is_gone then '撤销' when ended is null then '发布' else '屏蔽' end",
            "updated_at": "updated",
        },
        org_tenths=2,
    ),
    # Changes speak of listings by their place, odd ones of repairs, even ones of objections.
    "court.debtor_change": Shape(
        0.3,
        {
            "change_no": "'BG' || no",
            "record_no": "'SX' || lpad((n * 5)::varchar, 9, '0')",
            "party_name": "party_name",
            "resident_id": "if(is_org, null, person_id)",
            "uscc": "if(is_org, org_uscc, null)",
            "change_kind": "if(n % 2 = 0, '异议受理', '履行完毕修复')",
            "effective_on": "delivered - (h % 60)::int",
            "change_document_no": "'变更字' || no || '号'",
            "reason": "if(n % 2 = 0, '认为列入依据有误', '已履行完毕')",
            "objection_no": "if(n % 2 = 0, 'YY' || no, null)",
            "updated_at": "updated",
        },
        org_tenths=2,
    ),
    "market_regulation.administrative_licence": Shape(
        10,
        {
            **_PERMITTED_PARTY,
            "document_name": "'准予行政许可决定书'",
            "document_no": "region.mark || '市监许〔' || year(decided) || '〕' || no || '号'",
            "licence_kind": "['普通', '核准', '登记'][h % 3 + 1]",
            "content": "'准予经营第' || (h % 90 + version) || '类项目'",
            "decision_date": "decided",
            "valid_from": "decided",
            "valid_until": "decided + 1825",
        },
        org_tenths=4,
    ),
    "market_regulation.administrative_penalty": Shape(
        4,
        {
            **_PERMITTED_PARTY,
            "document_no": "region.mark || '市监罚〔' || year(decided) || '〕' || no || '号'",
            "violation_type": "['虚假宣传', '无照经营', '销售不合格产品'][h % 3 + 1]",
            "violation_facts": "'当事人经营中违反规定，第' || (h % 50) || '类'",
            "legal_basis": "'《中华人民共和国广告法》第' || (h % 70 + 1) || '条'",
            "penalty_kind": "'罚款'",
            "content": "'罚款' || amount || '元'",
            "fine_cny": "(amount / 10000)::decimal(20, 6)",
            "decision_date": "decided",
            "valid_until": "decided + 365",
            "display_until": "decided + 365",
        },
        org_tenths=5,
    ),
    "market_regulation.abnormal_operation": Shape(
        2,
        {
            "uscc": "org_uscc",
            "document_no": "region.mark || '市监异列〔' || year(decided) || '〕' || no || '号'",
            "enterprise_name": "org_name",
            "cause": "['未按规定期限公示年度报告', '通过登记的住所或经营场所无法联系'][(h + version) % 2 + 1]",
            "listed_on": "decided",
            "authority": "region.name || '市场监督管理局'",
            "removed_on": "ended",
            "removal_reason": "if(ended is null, null, '已补报年度报告')",
            "removal_authority": "if(ended is null, null, region.name || '市场监督管理局')",
            "updated_at": "updated",
        },
    ),
    "market_regulation.spot_check": Shape(
        4,
        {
            "check_no": "'CC' || no",
            "uscc": "org_uscc",
            "enterprise_name": "org_name",
            "inspection_type": "(h % 2 + 1)",
            "inspected_on": "decided",
            "authority": "region.name || '市场监督管理局'",
            "result": "['未发现问题', '发现问题已责令改正', '通过登记的住所无法联系'][(h + version) % 3 + 1]",
            "status": _STATUS,
            "updated_at": "updated",
        },
    ),
    "market_regulation.credit_commitment": Shape(
        3,
        {
            "commitment_no": "'CN' || no",
            "uscc": "org_uscc",
            "organisation_name": "org_name",
            "commitment_type": "['审批替代型', '容缺受理型', '主动公示型'][h % 3 + 1]",
            "matter": "'住所登记申报承诺'",
            "made_on": "decided",
            "authority": "region.name || '市场监督管理局'",
            "fulfilment": "['履行中', '已履行', '部分履行'][(h + version) % 3 + 1]",
            "status": _STATUS,
            "updated_at": "updated",
        },
    ),
    "social_security.employer_contribution": Shape(
        30,
        {
            **_EMPLOYER,
            **_EXCHANGED,
            "insurance_kind": _INSURANCE,
            "contribution_month": _INSURED_MONTH,
            "registration_no": "'SB' || lpad((n // 4 % organisations)::varchar, 9, '0')",
            "contribution_status": "'正常缴费'",
            "insured_from": "date '2013-07-01' + (h % 3000)::int",
            "insured_count": "h % 90 + 1",
            "due_cny": "amount",
            "paid_cny": "amount",
            "agency": "region.name || '社会保险基金管理局'",
        },
        org_of_row=_INSURED_ORG,
    ),
    "social_security.contribution_arrears": Shape(
        4,
        {
            **_EMPLOYER,
            **_EXCHANGED,
            "document_no": "region.mark || '社稽〔' || year(decided) || '〕' || no || '号'",
            "insurance_kind": _INSURANCE,
            "arrears_month": _INSURED_MONTH,
            "month_arrears_cny": "amount",
            "total_arrears_cny": "amount * 2",
            "arrears_months": "2",
            "agency": "region.name || '社会保险基金管理局'",
            "determined_on": "decided",
            "is_repaid": "if(ended is null, '否', '是')",
            "repaid_on": "ended",
        },
        org_of_row=_INSURED_ORG,
    ),
    "social_security.labour_grade": Shape(
        2,
        {
            **_EMPLOYER,
            **_EXCHANGED,
            "rating_year": _RATED_YEAR,
            "grade": "['A', 'B', 'C'][(h + version) % 3 + 1]",
            "document_no": "region.mark || '人社评〔' || no || '〕号'",
            "authority": "region.name || '人力资源和社会保障局'",
            "rated_on": "decided",
        },
        org_of_row="n % organisations",
    ),
    "social_security.wage_arrears_list": Shape(
        1,
        {
            **_PARTY,
            **_EXCHANGED,
            "document_no": "region.mark || '人社失信列〔' || year(decided) || '〕' || no || '号'",
            "list_name": "'拖欠农民工工资失信联合惩戒对象名单'",
            "legal_representative": "if(is_org, representative, null)",
            "cause": "'克扣、无故拖欠农民工工资，经责令支付仍未支付'",
            "amount_cny": "amount",
            "authority": "region.name || '人力资源和社会保障局'",
            "listed_on": "decided",
            "exit_on": "ended",
            "exit_reason": "if(ended is null, null, '已支付')",
        },
        org_tenths=6,
    ),
    "tax.credit_grade": Shape(
        5,
        {
            **_TAXPAYER,
            "rating_year": _RATED_YEAR,
            "grade": "['A', 'B', 'M', 'C', 'D'][(h + version) % 5 + 1]",
            "document_no": "region.mark || '税评〔' || no || '〕号'",
            "rated_on": "decided",
        },
        org_of_row="n % organisations",
    ),
    "tax.taxpayer_a_grade": Shape(
        2,
        {
            **_TAXPAYER,
            "rating_year": _RATED_YEAR,
            "document_no": "region.mark || '税信〔' || no || '-' || version || '〕号'",
            "rated_on": "decided",
        },
        org_of_row="n % organisations",
    ),
    "tax.tax_arrears": Shape(
        4,
        {
            **_TAXPAYER,
            "announcement_no": "region.mark || '税欠告〔' || year(decided) || '〕' || no || '号'",
            "tax_kind": "['增值税', '企业所得税', '个人所得税'][h % 3 + 1]",
            "taxpayer_type": "'企业'",
            "legal_representative": "representative",
            "place": "region.name || '演达大道' || (h % 900 + 1) || '号'",
            "arrears_balance_cny": "amount",
            "new_arrears_cny": "amount",
            "announced_on": "decided",
            "period": "year(decided) || 'Q' || quarter(decided)",
            "status": "case when is_gone then '撤销' when ended is null then '公告中' else '已缴清' end",
            "settled_on": "ended",
        },
    ),
    "data_administration.professional_register": Shape(
        2,
        {
            "register_no": "'ZY' || no",
            "person_name": "person_name",
            "resident_id": "person_id",
            "group_code": "'0' || (h % 6 + 1)",
            "licence_no": "'ZS' || no",
            "authority": "region.name || '卫生健康局'",
            "district": "region.code",
            "valid_from": "decided",
            "valid_until": "ended",
            "updated_at": "updated",
        },
        org_tenths=0,
    ),
}
"""Feeds of records and of changes, by feed."""

REGISTERS: dict[str, Shape] = {
    "data_administration.population_register": Shape(
        0,
        {
            "register_no": "'RK' || no",
            "person_name": "person_name",
            "resident_id": "person_id",
            # Who is corrected has moved.
            "district": "home[((h + version) % 5 + 1)::int].code",
            "registered_on": "filed",
            "updated_at": "updated",
        },
        org_tenths=0,
        person_of_row="n",
    ),
    "market_regulation.enterprise_registration": Shape(
        0,
        {
            "uscc": "org_uscc",
            "enterprise_name": "org_name",
            "enterprise_type": "'有限责任公司(自然人投资或控股)'",
            "legal_representative": "representative",
            "registered_capital_cny": "h % 9000 + 10 + version",
            "established_on": "filed",
            "address": "region.name || '演达大道' || (h % 900 + 1) || '号'",
            "region_code": "region.code",
            "business_scope": "trade || '销售、研发、技术服务'",
            "authority": "region.name || '市场监督管理局'",
            "registration_status": "'存续'",
            "approved_on": "decided",
            "updated_at": "updated",
        },
        org_of_row="n",
    ),
}
"""One row per person and per organisation of the city, by feed."""
