# %% [markdown]
# # 三个问题 · Three questions
#
# 分析人员用 pandas 通过标准连接读取已发布的集市，只看得到本角色可读的内容。连接地址取自环境变量 `CREDIT_READER_URL`，例如
# `postgresql+psycopg://zhang:口令@127.0.0.1:15432/credit`（账号由 `credit-warehouse reader add zhang --role analyst` 建立）。
#
# An analyst's pandas over a standard connection, as a reader's login; the address is `CREDIT_READER_URL`. Every answer names the
# publication it is from.

# %%
import os

import pandas as pd
from sqlalchemy import create_engine

engine = create_engine(os.environ["CREDIT_READER_URL"])
connection = engine.connect()


def read(query: str) -> pd.DataFrame:
    """Rows of a query on the marts; names without a schema are the reader's own."""
    return pd.read_sql_query(query, connection)


publications = read("select publication_id, business_date, is_read from publication order by publication_id")
publications

# %% [markdown]
# ## 一、退回的行里，哪几类问题最值得先解决？
#
# 合规率＝合规行数 ÷ 报送行数。若某一类问题全部解决，只犯这一类错误的退回行就会合规：按部门算出合规率能提高多少个百分点。
# 犯了多类错误的行解决其中一类仍会退回，不计入。
#
# *Which rule, put right, would raise a department's compliance most? Only rows that break nothing else count.*

# %%
rows = read("""
    select department_name, sum(delivered_rows) as delivered, sum(accepted_rows) as accepted
    from department_coverage_daily group by department_name
""")
returned = read("""
    select feed.department_name, item.rejection_id, item.rules
    from feedback_item as item inner join feed on item.feed = feed.feed
""")
single = returned[returned["rules"].map(lambda rules: len(set(rules)) == 1)]
gain = (
    single.assign(rule=single["rules"].map(lambda rules: rules[0]))
    .groupby(["department_name", "rule"], as_index=False)
    .agg(rows=("rejection_id", "nunique"))
    .merge(rows, on="department_name")
)
gain["compliance"] = (100 * gain["accepted"] / gain["delivered"]).round(2)
gain["gain_points"] = (100 * gain["rows"] / gain["delivered"]).round(2)
gain.sort_values("gain_points", ascending=False).groupby("department_name").head(2)[
    ["department_name", "compliance", "rule", "rows", "delivered", "gain_points"]
].reset_index(drop=True)

# %% [markdown]
# ## 二、最近两次发布之间，公示的记录进出了多少？
#
# 一个会话设置就能读任何一次发布：`set credit.publication`。撤销、修复立即生效，被移除的记录在过去的发布中也不可见，因此这里的
# “撤下”是到期或失效。
#
# *What came and went between the last two publications, by category: one session setting reads either of them.*


# %%
def displayed(publication_id: int) -> pd.DataFrame:
    """Keys and categories of the records on display in a publication."""
    connection.exec_driver_sql(f"set credit.publication = {publication_id:d}")
    found = read("select record_key, record_category, effect from credit_record")
    connection.exec_driver_sql("reset credit.publication")
    return found


last_two = publications["publication_id"].tail(2).tolist()
before, now = displayed(last_two[0]), displayed(last_two[-1])
both = before.merge(now, on="record_key", how="outer", suffixes=("_before", ""), indicator=True)
both["record_category"] = both["record_category"].fillna(both["record_category_before"])
both["_merge"] = both["_merge"].map({"left_only": "撤下", "right_only": "新增", "both": "继续公示"})
pd.crosstab(both["record_category"], both["_merge"], margins=True, margins_name="合计")

# %% [markdown]
# ## 三、未来一个季度，每月有多少不良记录到期撤下？
#
# 到期撤下由公示期限决定，不需要任何人操作。少于三十条的计数不列出（“<30”）：小计数可能指向具体的人。
#
# *How many adverse records leave display in each of the next months, by department, counts under 30 kept back?*

# %%
night = publications.loc[publications["is_read"], "business_date"].iloc[0]
expiring = read("select department_name, displayed_until from credit_record where effect = 'adverse'")
expiring["displayed_until"] = pd.to_datetime(expiring["displayed_until"], errors="coerce")
soon = expiring[
    expiring["displayed_until"].between(pd.Timestamp(night), pd.Timestamp(night) + pd.DateOffset(months=3))
]
leaving = pd.crosstab(soon["department_name"], soon["displayed_until"].dt.strftime("%Y-%m"))
leaving.map(lambda count: count if count == 0 or count >= 30 else "<30")

# %%
connection.close()
