"""Any history of records, any platform, killed anywhere: in the end it holds what may be shared, exactly."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from credit_warehouse.database import connect
from credit_warehouse.errors import SourceUnavailable
from credit_warehouse.upward import building, exchanging, ledger, package
from simulator.faults import PLATFORM, Fault, FaultKind
from simulator.platform import rows_of

from .conftest import OpenOffice
from .office import PENALTY, PENALTY_2016, Office

RECORDS = "abcde"
MINOR = "未成年人"
FAULTS = [
    FaultKind.NO_RECEIPT,
    FaultKind.REJECT_ROWS,
    FaultKind.TRUNCATED_UPLOAD,
    FaultKind.DAMAGED_RECEIPT,
    FaultKind.FOREIGN_RECEIPT,
]


class Killed(BaseException):
    """The process is gone; nothing catches it."""


class Hazard:
    """Counts the steps of the exchange and ends the process, or the connection, at one of them."""

    def __init__(self) -> None:
        self.left = -1
        self.by: type[BaseException] = Killed

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.by("here")

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def hazardous(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = function(*args, **kwargs)
            self.step()
            return result

        return hazardous


def judge(contract: Any, file: Path, *_: Any) -> dict[int, str]:
    """In the place of the intake's own rules, which cost a second a file: one rule, about the remark."""
    with file.open(encoding="utf-8", newline="") as content:
        return {
            number: '[{"rule": "minor"}]'
            for number, row in enumerate(csv.DictReader(content), 1)
            if row["BZ"] == MINOR
        }


action = st.one_of(
    st.tuples(
        st.just("deliver"),
        st.sampled_from(RECORDS),
        st.sampled_from([PENALTY, PENALTY_2016]),
        st.sampled_from(["甲", "乙", MINOR]),
    ),
    st.tuples(st.just("remove"), st.sampled_from(RECORDS)),
    st.tuples(st.just("stand"), st.sampled_from(RECORDS), st.sampled_from(["in_force", "expired", "ended"])),
    st.tuples(
        st.just("tier"), st.sampled_from(RECORDS), st.sampled_from(["public", "government", "authorised"])
    ),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS)),
    st.tuples(st.just("build"), st.booleans(), st.booleans()),
    st.tuples(st.just("send"), st.integers(1, 60), st.sampled_from([Killed, SourceUnavailable])),
    st.tuples(st.just("send"), st.just(-1), st.just(Killed)),
    st.tuples(st.just("night")),
)


class City:
    """What the test knows of the records, told in plain Python."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.standing: dict[str, list[str]] = {}

    def deliver(self, record: str, feed: str, remark: str) -> None:
        self.office.deliver(record, feed, BZ=remark)
        self.standing[record] = ["in_force", "public"]

    def remove(self, record: str) -> None:
        if self.standing.pop(record, None):
            self.office.remove(record)

    def stand(self, record: str, status: str) -> None:
        if record in self.standing:
            self.standing[record][0] = status
            self.office.stand(record, *self.standing[record])

    def tier(self, record: str, tier: str) -> None:
        if record in self.standing:
            self.standing[record][1] = tier
            self.office.stand(record, *self.standing[record])

    def shareable(self) -> list[str]:
        return [
            record
            for record, (status, tier) in self.standing.items()
            if status == "in_force" and tier != "authorised" and self.office.cells[record][1]["BZ"] != MINOR
        ]


@pytest.fixture
def hazard(monkeypatch: pytest.MonkeyPatch) -> Hazard:
    found = Hazard()
    monkeypatch.setattr(building, "broken_rows", judge)
    monkeypatch.setattr(exchanging, "_POLL_SECONDS", 0)
    for module, name in (
        (package, "write"),
        (ledger, "enter"),
        (ledger, "attempted"),
        (ledger, "sent"),
        (ledger, "answer"),
        (ledger, "set_back"),
        (ledger, "give_up"),
    ):
        monkeypatch.setattr(module, name, found.around(getattr(module, name)))
    return found


@contextmanager
def survived() -> Iterator[None]:
    """The process that died is started again by whoever comes next."""
    with suppress(Killed, SourceUnavailable):
        yield


numbers = iter(range(10**6))


# Shrinking a history costs minutes; the failing one is short enough to read.
@settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(history=st.lists(action, min_size=4, max_size=22))
def test_after_the_last_exchange_the_platform_holds_the_shareable_records(
    open_office: OpenOffice, hazard: Hazard, history: list[tuple[Any, ...]]
) -> None:
    run(open_office(f"platform_{next(numbers)}"), hazard, history)


def test_long_histories(open_office: OpenOffice, hazard: Hazard) -> None:
    """Dense in what hypothesis finds rarely: removals while something is under way."""
    dice = random.Random(8)
    for _ in range(3):
        history: list[tuple[Any, ...]] = []
        for _ in range(40):
            record = dice.choice(RECORDS)
            history.append(
                dice.choice(
                    [
                        ("deliver", record, dice.choice([PENALTY, PENALTY_2016]), dice.choice("甲乙丙")),
                        ("remove", record),
                        ("stand", record, dice.choice(["in_force", "expired"])),
                        ("fault", dice.choice(FAULTS)),
                        ("build", dice.random() < 0.3, dice.random() < 0.2),
                        ("send", dice.randint(1, 50), dice.choice([Killed, SourceUnavailable])),
                        ("night",),
                    ]
                )
            )
        run(open_office(f"platform_{next(numbers)}"), hazard, history)


def run(office: Office, hazard: Hazard, history: list[tuple[Any, ...]]) -> None:
    city, settings_ = City(office), office.settings
    deliver = hazard.around(office.inbox.deliver)

    def watched(file: Path, name: str) -> None:
        """Nothing leaves that may not be shared at that moment, in the version that may."""
        lawful = office.expected(*city.shareable())
        for feed, row in rows_of(file):
            if row.pop("operation") != "delete":
                assert lawful.get(row.pop("record_key")) == {"feed": feed, **row}
        deliver(file, name)

    office.inbox.deliver = watched  # type: ignore[method-assign]
    for step, *details in history:
        hazard.left = -1
        if step == "fault":
            office.board.arm(Fault(kind=details[0], source=PLATFORM))
        elif step == "build":
            with survived():
                exchanging.prepare(settings_, removals_only=details[0], retry=details[1])
        elif step == "send":
            hazard.left, hazard.by = details
            with survived():
                exchanging.send(settings_, office.open_inbox, 0)
        elif step == "night":
            with survived():
                exchanging.prepare(settings_)
                exchanging.send(settings_, office.open_inbox, 0)
        else:
            getattr(city, step)(*details)
    hazard.left = -1
    office.board.clear()
    for unanswered in ledger.open_packages(settings_.upward_platform, "sent"):
        exchanging.abandon(settings_, unanswered.number, "回执一直未到")
    # What was refused before is refused no longer; a receipt that came damaged costs one more package.
    for _ in range(2):
        exchanging.prepare(settings_, retry=True)
        done = exchanging.send(settings_, office.open_inbox, 0)
    assert not done.waiting and not done.problems
    assert office.platform.holdings == office.expected(*city.shareable())
    assert exchanging.prepare(settings_) is None, "nothing is left to send"
    _nothing_went_twice(settings_.upward_platform)


def _nothing_went_twice(platform: str) -> None:
    """Between two rows the platform took, something changed: other content, or a call-back."""
    with connect() as connection:
        repeated = connection.execute(
            "select record_key from (select record_key, outcome, operation, digest,"
            " lag(operation) over course as before, lag(digest) over course as digest_before,"
            " lag(outcome) over course as outcome_before"
            " from ops.exchange_item join ops.exchange_package using (package_id) where platform = %s"
            " window course as (partition by record_key order by number)) as rows"
            " where outcome_before = 'accepted' and (operation = 'delete') = (before = 'delete')"
            " and digest = digest_before",
            [platform],
        ).fetchall()
    assert repeated == []
