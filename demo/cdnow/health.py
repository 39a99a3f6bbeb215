"""The purchases of CDNOW, and health as the scoring service computes it.

Shared by choose_model.py and evaluate.py. Python 3.11, standard library only.
"""

from __future__ import annotations

import datetime
import json
import math
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
PURCHASES_FILE = HERE / "CDNOW_sample.txt"
MODEL_FILE = HERE / "model.yaml"

# Health is kept in whole 1/128 points.
UNITS_PER_POINT = 128


def day(text: str) -> int:
    """The number of a day, as YYYY-MM-DD."""
    return datetime.date.fromisoformat(text).toordinal()


def read_purchases(until: int | None) -> dict[str, list[tuple[int, int, int]]]:
    """Each customer's orders up to and with a day, oldest first: day, CDs, cents.

    The customer is the sample id; several orders of one day stay apart.
    """
    customers = defaultdict(list)
    for line in PURCHASES_FILE.read_text(encoding="ascii").splitlines():
        _, customer, date, cds, dollars = line.split()
        order_day = day(f"{date[:4]}-{date[4:6]}-{date[6:]}")
        if until is None or order_day <= until:
            customers[customer].append((order_day, int(cds), round(float(dollars) * 100)))
    return {customer: sorted(orders) for customer, orders in sorted(customers.items())}


def days_since_last(orders, today):
    """`purchases`, `days_since_last`, lifetime."""
    return today - orders[-1][0]


def days_since_first(orders, today):
    """`purchases`, `days_since_first`, lifetime."""
    return today - orders[0][0]


def active_days(orders, today):
    """`purchases`, `active_days`, lifetime: several orders of a day are one day."""
    return len({order[0] for order in orders})


def recent_days(orders, today):
    """`purchases`, `active_days`, 91 days."""
    return len({order[0] for order in orders if order[0] > today - 91})


def cds(orders, today):
    """`cds`, `sum`, lifetime."""
    return sum(order[1] for order in orders)


def spend_cents(orders, today):
    """`spend_cents`, `sum`, lifetime."""
    return sum(order[2] for order in orders)


# What a measure of model.yaml reads: input, window, aggregation.
READERS = {
    ("{metric: purchases}", "lifetime", "days_since_last"): days_since_last,
    ("{metric: purchases}", "lifetime", "days_since_first"): days_since_first,
    ("{metric: purchases}", "lifetime", "active_days"): active_days,
    ("{metric: purchases}", "91d", "active_days"): recent_days,
    ("{metric: cds}", "lifetime", "sum"): cds,
    ("{metric: spend_cents}", "lifetime", "sum"): spend_cents,
}


def points_at(curve: list[tuple[float, float]], x: float) -> float:
    """The points of a curve: straight lines between corners, level beyond them."""
    if x <= curve[0][0]:
        return curve[0][1]
    for (left, low), (right, high) in zip(curve, curve[1:]):
        if x < right:
            return low + (high - low) * (x - left) / (right - left)
    return curve[-1][1]


def read_model() -> list[tuple[float, list[tuple[float, object, list]]]]:
    """The components of model.yaml: weight, and weight, reader, curve of each measure.

    Reads what choose_model.py writes, which is not all that YAML can say.
    """
    components, measure = [], {}
    for line in MODEL_FILE.read_text(encoding="utf-8").splitlines():
        key, _, value = line.strip().removeprefix("- ").partition(": ")
        if line.startswith("    weight:"):
            components.append((float(value), []))
        elif line.startswith("        ") and key in ("weight", "input", "window", "aggregation"):
            measure[key] = value
        elif line.startswith("        curve:"):
            reader = READERS[measure["input"], measure["window"], measure["aggregation"]]
            components[-1][1].append((float(measure["weight"]), reader, json.loads(value)))
            measure = {}
        elif line.startswith("        ") and key in ("comparison", "freshness_limit"):
            raise ValueError(f"{MODEL_FILE.name}: cannot read {key}")
    return components


def health(model, orders, today) -> float:
    """The score of a customer: the weighted mean, to the nearest 1/128 point."""
    all_weight = sum(weight for weight, _ in model)
    mean = 0.0
    for weight, measures in model:
        measures_weight = sum(measure_weight for measure_weight, _, _ in measures)
        for measure_weight, reader, curve in measures:
            share = weight / all_weight * measure_weight / measures_weight
            mean += share * points_at(curve, reader(orders, today))
    return math.floor(mean * UNITS_PER_POINT + 0.5) / UNITS_PER_POINT


def auc(scores: list[float], labels: list[bool]) -> float:
    """Share of pairs of one labelled and one not in which the labelled one has
    the higher score; equal scores count one half (midranks)."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    rank_sum, position = 0.0, 0
    while position < len(order):
        end = position
        while end < len(order) and scores[order[end]] == scores[order[position]]:
            end += 1
        midrank = (position + 1 + end) / 2
        rank_sum += midrank * sum(labels[index] for index in order[position:end])
        position = end
    positive = sum(labels)
    return (rank_sum - positive * (positive + 1) / 2) / (positive * (len(labels) - positive))


def print_bands(scores: list[float], silent: list[bool], cuts: dict[str, float]) -> None:
    """How many customers each band has, and how many of them bought nothing."""
    bands = {"critical": [], "at risk": [], "stable": [], "healthy": []}
    for score, label in zip(scores, silent):
        if score < cuts["critical_below"]:
            bands["critical"].append(label)
        elif score < cuts["at_risk_below"]:
            bands["at risk"].append(label)
        elif score <= cuts["healthy_above"]:
            bands["stable"].append(label)
        else:
            bands["healthy"].append(label)
    for band, labels in bands.items():
        share = f"{sum(labels) / len(labels):.0%} of them bought nothing" if labels else ""
        print(f"  {band:9} {len(labels):5} customers, {share}")
