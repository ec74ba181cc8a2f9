"""Every metric from the truth of a year, in pandas and plain loops: nothing here knows the SQL."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pandas as pd
from chinese_calendar import is_workday

from credit_warehouse.catalogue import load_catalogue

from .city import CONTRACTS
from .metric_year import FEEDS, REGISTER, City, Delivery, Truth, Version

Figure = tuple[float | None, float | None]
Figures = dict[tuple[str, date, str | None], Figure]
"""(metric, month, feed or none for the scope as a whole) → numerator and denominator."""
ONE = timedelta(days=1)
OWED = ("reported", "zero_report", "late", "missing")


def workdays(after: date, until: date) -> int:
    """Working days after one day up to another; negative the other way round."""
    if until < after:
        return -workdays(until, after)
    return sum(is_workday(after + ONE * n) for n in range(1, (until - after).days + 1))


def month_of(day: date) -> date:
    return day.replace(day=1)


def rank(values: Iterable[float], share: float) -> float:
    """Nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


class Reference:
    """The metrics of one city as of a night."""

    def __init__(self, city: City, truth: Truth, as_of: date) -> None:
        self.city, self.truth, self.as_of = city, truth, as_of
        self.accepted = [one for one in truth.deliveries if not one.refused]
        self.arrivals = self._arrivals()
        self.nights = self._nights()
        self.periods = pd.DataFrame(
            [period for feed in FEEDS for period in self._periods(feed)],
            columns=["feed", "period_end", "due_on", "reported_on", "state"],
        )

    def _arrivals(self) -> pd.DataFrame:
        """New records: with whom they came, how long it took, and where by their newest version."""
        versions: dict[str, list[tuple[Delivery, int, Version]]] = defaultdict(list)
        for one in self.accepted:
            for number, version in enumerate(one.rows):
                versions[version.record].append((one, number, version))
        rows = []
        for known in versions.values():
            first, _, version = min(known, key=lambda v: (v[0].dated, v[2].updated_at, v[0].batch_id, v[1]))
            _, _, newest = max(known, key=lambda v: (v[2].updated_at, v[0].dated, v[0].batch_id, v[1]))
            delay = workdays(version.decided_on, first.dated)
            rows.append(
                {
                    "feed": first.feed,
                    "night": first.night,
                    "delay": delay,
                    "timed": not first.initial,
                    "on_time": not first.initial
                    and delay <= CONTRACTS[first.feed].item.latest.report.sla_workdays,
                    "district": self.city.district(newest.authority),
                    "decided": month_of(newest.decided_on),
                    "withdrawn": newest.withdrawn,
                }
            )
        return pd.DataFrame(rows)

    def _misnamed(self, one: Delivery) -> int:
        known: dict[str, set[str]] = defaultdict(set)
        for other in self.accepted:
            if other.feed == REGISTER and other.night <= one.night:
                for row in other.rows:
                    known[str(row.subject)].add(row.name)
        return sum(bool(names := known.get(str(row.subject))) and row.name not in names for row in one.rows)

    def _matched(self, one: Delivery) -> tuple[int, int]:
        known = {
            row.subject
            for other in self.accepted
            if other.feed == REGISTER and other.night <= one.night
            for row in other.rows
        }
        named = [row.subject for row in one.rows if row.subject]
        return len(named), sum(subject in known for subject in named)

    def _nights(self) -> pd.DataFrame:
        """One row per feed and night that something came or was answered."""
        keys = {(one.feed, one.night) for one in self.truth.deliveries} | set(self.truth.answers)
        rows = []
        for feed, night in sorted(keys):
            came = [one for one in self.truth.deliveries if (one.feed, one.night) == (feed, night)]
            taken = [one for one in came if not one.refused]
            zero = 0 if came or self.truth.answers.get((feed, night)) in ("succeeded", "unchanged") else None
            profiles = [one.profile for one in came if one.profile]
            empty = sum(one.delivered for one in came) == 0 and zero == 0
            matched = [self._matched(one) for one in taken]
            new = self.arrivals[(self.arrivals.feed == feed) & (self.arrivals.night == night)]
            dated = [one.dated for one in self.accepted if one.feed == feed and one.night <= night]
            row: dict[str, Any] = {
                "feed": feed,
                "night": night,
                "delivered": sum(one.delivered for one in came) if came else zero,
                "accepted": sum(len(one.rows) for one in taken) if came else zero,
                "landed": sum(len(one.rows) for one in taken) if taken else (0 if came else zero),
                "matchable": sum(pair[0] for pair in matched) if came else zero,
                "matched": sum(pair[1] for pair in matched) if came else zero,
                "timed": int(new.timed.sum()) if came else zero,
                "on_time": int(new.on_time.sum()) if came else zero,
                "age": (night - max(dated)).days if dated else None,
            }
            for count in ("duplicate_rows", "required_cells", "required_filled_cells", "optional_cells",
                          "optional_filled_cells", "checked_rows", "contradicted_rows"):  # fmt: skip
                row[count] = (
                    sum(profile[count] for profile in profiles) if profiles else (0 if empty else None)
                )
            # Our own names are compared for every accepted row of the night.
            if row["checked_rows"] is not None:
                row["accurate"] = row["checked_rows"] - row["contradicted_rows"]
                row["accurate"] -= sum(self._misnamed(one) for one in taken) if profiles else 0
            rows.append(row)
        frame = pd.DataFrame(rows)
        return frame.astype({c: "Float64" for c in frame.columns if c not in ("feed", "night")})

    def _periods(self, feed: str) -> Iterable[tuple[Any, ...]]:
        item = CONTRACTS[feed].item.latest
        kind = self.city.tax_period if feed.startswith("tax.") else item.report.period
        begun = min((one.dated for one in self.accepted if one.feed == feed), default=None)
        if begun is None:
            return
        scopes = ("*", feed, CONTRACTS[feed].source)
        shut = {
            start + ONE * n
            for scope, start, end in self.truth.outages
            if scope in scopes
            for n in range((end - start).days + 1)
        }
        told: dict[date, bool] = {}
        for one in self.accepted:
            if one.feed == feed:
                told[one.dated] = told.get(one.dated, True) and one.delivered == 0
        for (of, night), state in self.truth.answers.items():
            if of == feed and state == "unchanged":
                told.setdefault(night, True)
        ends = list(period_ends(kind, begun, self.as_of))
        for number, (start, end) in enumerate(ends):
            due, left, lost = end, item.report.sla_workdays, is_workday(end) and end in shut
            while left > 0:
                due += ONE
                if is_workday(due):
                    lost = lost or due in shut
                    left -= due not in shut
            following = ends[number + 1][1] if number + 1 < len(ends) else date.max
            came = min((day for day in told if day >= end), default=None)
            if came and came > due and came >= following:
                came = None
            zeros = [on for of, day, on in self.truth.zero_reports if of == feed and start <= day <= end]
            reported = min([day for day in (came, *zeros) if day], default=None)
            if reported and reported <= due:
                state = "zero_report" if told.get(reported, True) else "reported"
            elif due >= self.as_of:
                state = "not_due"
            elif reported:
                state = "late"
            else:
                state = "excused" if lost else "missing"
            yield feed, end, due, reported, state

    def feed_figures(self) -> Figures:
        """Of every feed alone."""
        return {
            (metric, month, feed): figure
            for feed in FEEDS
            for (metric, month, _), figure in self.figures([feed]).items()
        }

    def figures(self, feeds: list[str]) -> Figures:
        """Of these feeds taken together."""
        found: Figures = {}
        found |= self._of_nights(feeds)
        found |= self._of_delays(self.arrivals[self.arrivals.feed.isin(feeds)])
        found |= self._of_periods(feeds)
        found |= self._of_entries(feeds)
        found |= self._of_cases(feeds)
        found |= self._of_returned(feeds)
        return found

    def _of_nights(self, feeds: list[str]) -> Figures:
        mine = self.nights[self.nights.feed.isin(feeds)]
        pairs = {
            "delivered_rows": ("delivered", None),
            "compliance_rate": ("accepted", "delivered"),
            "landing_rate": ("landed", "delivered"),
            "timeliness_rate": ("on_time", "timed"),
            "required_fill_rate": ("required_filled_cells", "required_cells"),
            "optional_fill_rate": ("optional_filled_cells", "optional_cells"),
            "accuracy_rate": ("accurate", "checked_rows"),
            "match_rate": ("matched", "matchable"),
        }
        found: Figures = {}
        for month, nights in mine.groupby(mine.night.map(month_of)):
            total = nights.drop(columns=["feed", "night"]).sum(min_count=1)
            value = {name: None if pd.isna(one) else float(one) for name, one in total.items()}
            for metric, (above, below) in pairs.items():
                found[metric, month, None] = (value[above], value[below] if below else None)
            if value["timed"] is not None:
                found["late_rate", month, None] = (value["timed"] - value["on_time"], value["timed"])
            if value["checked_rows"] is not None:
                unique = value["checked_rows"] - value["duplicate_rows"]
                found["uniqueness_rate", month, None] = (unique, value["checked_rows"])
            last = nights.sort_values("night").groupby("feed").age.last(skipna=False)
            ages = last.dropna()
            found["freshness_days", month, None] = (ages.max() if len(ages) else None, len(ages))
        return found

    def _of_delays(self, arrivals: pd.DataFrame) -> Figures:
        timed = arrivals[arrivals.timed]
        found: Figures = {}
        for month, delays in timed.groupby(timed.night.map(month_of)).delay:
            found["delay_p50", month, None] = (rank(delays, 0.5), len(delays))
            found["delay_p90", month, None] = (rank(delays, 0.9), len(delays))
            found["delay_max", month, None] = (delays.max(), len(delays))
        return found

    def _of_periods(self, feeds: list[str]) -> Figures:
        mine = self.periods[self.periods.feed.isin(feeds)]
        found: Figures = {}
        for month, periods in mine.groupby(mine.period_end.map(month_of)):
            owed = int(periods.state.isin(OWED).sum())
            found["owed_periods", month, None] = (owed, None)
            found["missing_period_rate", month, None] = (int((periods.state == "missing").sum()), owed)
            found["overdue_period_rate", month, None] = (int((periods.state == "late").sum()), owed)
            found["period_timeliness_rate", month, None] = (
                int(periods.state.isin(("reported", "zero_report")).sum()), owed
            )  # fmt: skip
            last = periods[periods.state.isin(OWED)].sort_values("period_end").groupby("feed").state.last()
            if len(last):
                covered = last.ne("missing")
                owner = covered.groupby(lambda feed: CONTRACTS[feed].terms.department.code).max()
                found["item_coverage_rate", month, None] = (int(covered.sum()), len(covered))
                found["department_coverage_rate", month, None] = (int(owner.sum()), len(owner))
        return found

    def _of_entries(self, feeds: list[str]) -> Figures:
        found: Figures = {}
        checks = pd.DataFrame(self.truth.spot_checks)
        checks = checks[checks.feed.isin(feeds)]
        for month, some in checks.groupby(checks.sampled_on.map(month_of)):
            found["concealment_rate", month, None] = (int((~some.found).sum()), len(some))
            found["misreport_rate", month, None] = (
                int(some.fields_wrong.sum()),
                int(some.fields_checked.sum()),
            )
        totals: dict[date, list[int]] = defaultdict(lambda: [0, 0])
        for said in self.truth.declared:
            if said["feed"] in feeds:
                here = self.arrivals[(self.arrivals.feed == said["feed"]) & ~self.arrivals.withdrawn]
                received = int((here.decided == said["month"]).sum())
                totals[said["month"]][0] += min(received, said["produced"])
                totals[said["month"]][1] += said["produced"]
        return found | {("reporting_rate", month, None): (n, d) for month, (n, d) in totals.items()}

    def _of_cases(self, feeds: list[str]) -> Figures:
        limits = {
            procedure: next(
                one.amount for one in load_catalogue().deadlines
                if (one.procedure, one.step, one.region) == (procedure, step, "*")
            )
            for procedure, step in (("objection", "decide"), ("repair", "sync"))
        }  # fmt: skip
        groups: dict[tuple[str, date], list[Any]] = defaultdict(list)
        for case in self.truth.objections:
            if case["feed"] in feeds:
                groups["filed", month_of(case["filed"])].append(case)
                if case["closed"]:
                    groups["closed", month_of(case["closed"])].append(case)
        for feed, decided, done in self.truth.repairs:
            if feed in feeds:
                groups["repair", month_of(decided)].append((decided, done))
        found: Figures = {}
        for (kind, month), cases in groups.items():
            count = len(cases)
            if kind == "filed":
                found["objections_received", month, None] = (count, None)
            elif kind == "closed":
                in_time = sum((one["closed"] - one["filed"]).days <= limits["objection"] for one in cases)
                found["objection_in_time_rate", month, None] = (in_time, count)
                found["objection_upheld_rate", month, None] = (sum(one["upheld"] for one in cases), count)
                taken = [workdays(one["filed"], one["closed"]) for one in cases]
                found["objection_p50", month, None] = (rank(taken, 0.5), count)
            else:
                taken = [workdays(decided, done) for decided, done in cases]
                in_time = sum(
                    done <= decided or workdays(decided, done - ONE) < limits["repair"]
                    for decided, done in cases
                )
                found["repairs_received", month, None] = (count, None)
                found["repair_in_time_rate", month, None] = (in_time, count)
                found["repair_p50", month, None] = (rank(taken, 0.5), count)
        return found

    def _of_returned(self, feeds: list[str]) -> Figures:
        limit = next(one.amount for one in load_catalogue().deadlines if one.procedure == "feedback")
        rows = pd.DataFrame(
            [
                (one.night, outcome, closed_on)
                for one in self.truth.deliveries
                if one.feed in feeds
                for outcome, closed_on in one.returned
            ],
            columns=["night", "outcome", "closed_on"],
        )
        found: Figures = {}
        for month, cohort in rows.groupby(rows.night.map(month_of)):
            asked = int((cohort.outcome != "duplicate").sum())
            outcomes = cohort.outcome.value_counts().to_dict()
            corrected = cohort[cohort.outcome == "corrected"]
            in_time = sum(
                done <= night or workdays(night, done - ONE) < limit
                for night, done in zip(corrected.night, corrected.closed_on, strict=True)
            )
            counts = {name: outcomes.get(name, 0) for name in ("corrected", "rerejected", "ignored")}
            found["feedback_rows", month, None] = (asked, None)
            found["feedback_handling_rate", month, None] = (sum(counts.values()), asked)
            found["feedback_correction_rate", month, None] = (counts["corrected"], asked)
            found["feedback_in_time_rate", month, None] = (in_time, asked)
            found["feedback_rerejection_rate", month, None] = (counts["rerejected"], asked)
            found["feedback_ignore_rate", month, None] = (counts["ignored"], asked)
        corrected = rows[rows.outcome == "corrected"]
        for month, done in corrected.groupby(corrected.closed_on.map(month_of)):
            taken = [workdays(night, on) for night, on in zip(done.night, done.closed_on, strict=True)]
            found["feedback_p50", month, None] = (rank(taken, 0.5), len(taken))
        return found

    def district_figures(self) -> dict[tuple[str, date, str], Figure]:
        """By the district of the deciding body."""
        rows: dict[tuple[date, str], list[float]] = defaultdict(lambda: [0, 0])
        for one in self.truth.deliveries:
            month = month_of(one.night)
            if one.refused:
                rows[month, "unknown"][0] += one.delivered
                continue
            for row in one.rows:
                rows[month, self.city.district(row.authority)][0] += 1
                rows[month, self.city.district(row.authority)][1] += 1
            for authority in one.rejected:
                rows[month, self.city.district(authority or "")][0] += 1
        # A record is its newest version's district's, which may have delivered nothing that month.
        for one in self.arrivals.itertuples():
            rows[month_of(one.night), one.district]
        found: dict[tuple[str, date, str], Figure] = {}
        for (month, district), (delivered, accepted) in rows.items():
            if district != "unknown" or delivered:
                found["delivered_rows", month, district] = (delivered, None)
                found["compliance_rate", month, district] = (accepted, delivered)
        for district, arrivals in self.arrivals.groupby("district"):
            for (metric, month, _), figure in self._of_delays(arrivals).items():
                found[metric, month, district] = figure
            for month, some in arrivals.groupby(arrivals.night.map(month_of)):
                on_time, timed = int(some.on_time.sum()), int(some.timed.sum())
                found["timeliness_rate", month, district] = (on_time, timed)
                found["late_rate", month, district] = (timed - on_time, timed)
        for metric, month, district in list(found):
            if metric == "delivered_rows":
                for share in ("timeliness_rate", "late_rate"):
                    found.setdefault((share, month, district), (0, 0))
        return found


def period_ends(kind: str, begun: date, as_of: date) -> Iterable[tuple[date, date]]:
    """First and last day of every period that ended since ``begun``; a working day takes the days off before it along."""
    last: Callable[[date], bool] = {
        "daily": is_workday,
        "weekly": lambda day: day.isoweekday() == 7,
        "monthly": lambda day: (day + ONE).day == 1,
        "quarterly": lambda day: (day + ONE).day == 1 and day.month % 3 == 0,
        "half_yearly": lambda day: (day + ONE).day == 1 and day.month % 6 == 0,
        "yearly": lambda day: (day.month, day.day) == (12, 31),
    }[kind]
    day, start = begun, begun
    if kind != "daily":
        while not last(start - ONE):
            start -= ONE
    while day <= as_of:
        if last(day):
            yield start, day
            start = day + ONE
        day += ONE
