"""Words the synthetic city is written with."""

from __future__ import annotations

from dataclasses import dataclass

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任"
)
GIVEN_MALE = "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆博文志建国海峰旭东立诚"
GIVEN_FEMALE = "芳娜敏静丽艳娟霞秀英兰玲玉洁琳雪梅慧莹倩婷雅欣妍瑶蕾颖菲琪嘉淑珍桂香燕红"
BRAND_FIRST = "恒瑞华盛嘉泰鼎宏金润安信德源天成博通永兴康隆达远"
BRAND_SECOND = "达丰源盛泰和昌隆兴旺通宇诚信联创科新景辉腾跃峰"
INDUSTRIES = (
    "电子科技", "建筑工程", "餐饮管理", "物流", "商贸", "装饰设计", "食品", "五金制品", "服装", "环保科技", "农业发展",
    "物业管理", "信息技术", "机械设备", "塑胶制品", "家具", "医疗器械", "汽车服务", "文化传播", "劳务派遣",
)  # fmt: skip
STREETS = (
    "演达大道",
    "麦地路",
    "河南岸路",
    "三环南路",
    "文明一路",
    "下埔路",
    "惠沙堤二路",
    "鳄湖路",
    "云山西路",
    "开城大道",
)
SCOPE_ENDS = ("销售", "研发", "技术服务", "批发零售", "咨询服务", "安装维护")


@dataclass(frozen=True)
class Region:
    """A county-level division (GB/T 2260) with what its documents look like."""

    code: str
    province: str
    city: str
    county: str
    court_mark: str
    """How its court opens a case number, e.g. 粤1302."""
    document_mark: str
    """How its offices open a document number, e.g. 惠城."""


REGIONS = (
    Region("441302", "广东省", "惠州市", "惠城区", "粤1302", "惠城"),
    Region("441303", "广东省", "惠州市", "惠阳区", "粤1303", "惠阳"),
    Region("441322", "广东省", "惠州市", "博罗县", "粤1322", "惠博"),
    Region("441323", "广东省", "惠州市", "惠东县", "粤1323", "惠东"),
    Region("441324", "广东省", "惠州市", "龙门县", "粤1324", "惠龙"),
    Region("610802", "陕西省", "榆林市", "榆阳区", "陕0802", "榆阳"),
    Region("230102", "黑龙江省", "哈尔滨市", "道里区", "黑0102", "哈里"),
)
REGION_WEIGHTS = (38, 22, 16, 14, 6, 2, 2)
HOME_REGIONS = REGIONS[:5]
