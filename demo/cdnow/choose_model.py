"""Chooses the health model of the CDNOW customers and writes model.yaml.

Reads purchases up to 1997-09-30 only. What is fitted: the chance that a
customer buys again, by logistic regression on the logarithms of figures that
the scoring service can measure. Its terms become curves, their ranges become
weights: the weighted mean of the curves orders customers as the regression does.

    python3 choose_model.py
"""

from __future__ import annotations

import math
import textwrap

import health
from health import auc, day

PAST_END = day("1997-09-30")

# The middle of the nine months: as many days of purchases before it as of
# outcome after it, as in the question that is asked on 1997-09-30.
FIT_DAY = day("1997-05-16")

# Fitted on the first day with outcomes until the second, tried on the second
# with outcomes until the end of the past.
FORWARD_TESTS = [("1997-04-15", "1997-06-23"), ("1997-05-01", "1997-07-01"), ("1997-05-16", "1997-07-16")]
CROSS_VALIDATED_DAYS = ["1997-04-15", "1997-05-16", "1997-06-30"]
FOLDS = 5

# Weight of the squares of the coefficients in the fit.
RIDGE = 1.0
NEWTON_STEPS = 12

# Each figure by name: how to read it and where its curve has corners. The
# corners lie from the least the figure can be to where the demo ends.
FIGURES = {
    "days_since_last": (health.days_since_last, [0, 1, 2, 4, 7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 545]),
    "purchase_days": (health.active_days, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    "recent_purchase_days": (health.recent_days, [0, 1, 2, 3, 4, 5, 6]),
    "days_as_customer": (health.days_since_first, [30, 45, 60, 90, 120, 180, 270, 365, 545]),
    "cds": (health.cds, [1, 2, 3, 5, 8, 13, 21, 34]),
    "spend": (health.spend_cents, [500, 1000, 2000, 4000, 8000, 16000, 32000, 64000]),
}

CANDIDATES = [
    ["days_since_last"],
    ["days_since_last", "purchase_days"],
    ["days_since_last", "purchase_days", "days_as_customer"],
    ["days_since_last", "purchase_days", "spend"],
    ["days_since_last", "purchase_days", "spend", "days_as_customer"],
    ["days_since_last", "purchase_days", "cds", "days_as_customer"],
    ["days_since_last", "purchase_days", "recent_purchase_days"],
    ["days_since_last", "purchase_days", "recent_purchase_days", "spend", "days_as_customer"],
    ["days_since_last", "purchase_days", "spend", "cds", "days_as_customer"],
]

# The chance to buy again, within as many days as the fit looked ahead, at
# which one band ends and the next begins.
BAND_CHANCES = {"critical_below": 0.25, "at_risk_below": 0.5, "healthy_above": 0.75}


def transformed(name, x):
    """A figure as the regression takes it: the logarithm, and purchase days
    beyond the first, as the first makes somebody a customer."""
    if name == "purchase_days":
        return math.log(x)
    return math.log1p(x / 100 if name == "spend" else x)


class Rows:
    """The customers on a day: their figures, and whether they bought until another."""

    def __init__(self, purchases, today, until):
        self.customers, self.figures, self.bought = [], [], []
        for customer, orders in purchases.items():
            known = [order for order in orders if order[0] <= today]
            if known:
                self.customers.append(int(customer))
                self.figures.append({name: reader(known, today) for name, (reader, _) in FIGURES.items()})
                self.bought.append(any(today < order[0] <= until for order in orders))

    def vectors(self, names):
        return [[1.0, *(transformed(name, row[name]) for name in names)] for row in self.figures]


def solve(matrix, right):
    """Gaussian elimination with pivots."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(rows[index][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for index in range(column + 1, size):
            factor = rows[index][column] / rows[column][column]
            rows[index] = [a - factor * b for a, b in zip(rows[index], rows[column])]
    solution = [0.0] * size
    for index in reversed(range(size)):
        known = sum(rows[index][column] * solution[column] for column in range(index + 1, size))
        solution[index] = (rows[index][size] - known) / rows[index][index]
    return solution


def fit(vectors, bought):
    """Logistic regression by Newton's method; the intercept comes first and is not penalised."""
    size = len(vectors[0])
    weights = [0.0] * size
    for _ in range(NEWTON_STEPS):
        gradient = [0.0] + [-RIDGE * weight for weight in weights[1:]]
        hessian = [[RIDGE if row == column > 0 else 0.0 for column in range(size)] for row in range(size)]
        for vector, label in zip(vectors, bought):
            chance = 1 / (1 + math.exp(-dot(weights, vector)))
            error, spread = label - chance, chance * (1 - chance)
            for row in range(size):
                gradient[row] += error * vector[row]
                for column in range(size):
                    hessian[row][column] += spread * vector[row] * vector[column]
        weights = [weight + step for weight, step in zip(weights, solve(hessian, gradient))]
    return weights


def dot(left, right):
    return sum(a * b for a, b in zip(left, right))


def forward_aucs(purchases, names):
    """AUC on later days of fits on earlier ones, which saw nothing after the later day."""
    for fit_day, test_day in FORWARD_TESTS:
        fitted = Rows(purchases, day(fit_day), day(test_day))
        tested = Rows(purchases, day(test_day), PAST_END)
        weights = fit(fitted.vectors(names), fitted.bought)
        yield auc([dot(weights, vector) for vector in tested.vectors(names)], tested.bought)


def cross_validated_aucs(purchases, names):
    """AUC on customers that the fit did not see, folds by customer."""
    for text in CROSS_VALIDATED_DAYS:
        rows = Rows(purchases, day(text), PAST_END)
        vectors, scores = rows.vectors(names), {}
        for fold in range(FOLDS):
            held_out = [customer % FOLDS == fold for customer in rows.customers]
            weights = fit(
                [vector for vector, out in zip(vectors, held_out) if not out],
                [label for label, out in zip(rows.bought, held_out) if not out],
            )
            scores |= {index: dot(weights, vectors[index]) for index, out in enumerate(held_out) if out}
        yield auc([scores[index] for index in range(len(vectors))], rows.bought)


def choose(purchases):
    """The figures with the highest mean AUC over all tests on the past."""
    print(f"{'AUC on the past':80} {'forward':>23} {'cross-validated':>23}    mean")
    best = (0.0, [])
    for names in CANDIDATES:
        forward = list(forward_aucs(purchases, names))
        crossed = list(cross_validated_aucs(purchases, names))
        mean = sum(forward + crossed) / len(forward + crossed)
        columns = "  ".join(f"{value:.4f}" for value in forward), "  ".join(f"{value:.4f}" for value in crossed)
        print(f"{' + '.join(names):80} {columns[0]:>23} {columns[1]:>23}  {mean:.4f}")
        best = max(best, (mean, names), key=lambda one: one[0])
    return best[1]


def as_curve(name, weight):
    """A term of the regression as a curve over its corners, and the range it covers."""
    terms = [(x, weight * transformed(name, x)) for x in FIGURES[name][1]]
    low, high = min(term for _, term in terms), max(term for _, term in terms)
    return [(x, round(100 * (term - low) / (high - low), 2)) for x, term in terms], low, high


def main():
    purchases = health.read_purchases(until=PAST_END)
    names = choose(purchases)
    rows = Rows(purchases, FIT_DAY, PAST_END)
    intercept, *weights = fit(rows.vectors(names), rows.bought)
    curves, ranges, floor = {}, {}, intercept
    for name, weight in zip(names, weights):
        curves[name], low, high = as_curve(name, weight)
        ranges[name] = high - low
        floor += low
    whole = sum(ranges.values())
    cuts = {
        key: min(max(round(100 * (math.log(chance / (1 - chance)) - floor) / whole), 0), 100)
        for key, chance in BAND_CHANCES.items()
    }
    health.MODEL_FILE.write_text(model_text(curves, ranges, cuts), encoding="utf-8")

    print(f"\nchosen: {' + '.join(names)}")
    print("log odds of buying again =", f"{intercept:.4f}", *(f"{w:+.4f}·{n}" for n, w in zip(names, weights)))
    print_past(purchases, cuts)


def print_past(purchases, cuts):
    """How the written model does on the days before 1997-09-30."""
    model = health.read_model()
    for text in [*CROSS_VALIDATED_DAYS, "1997-07-31"]:
        today, scores, silent = day(text), [], []
        for orders in purchases.values():
            known = [order for order in orders if order[0] <= today]
            if known:
                scores.append(health.health(model, known, today))
                silent.append(not any(order[0] > today for order in orders))
        found = auc([-score for score in scores], silent)
        print(f"\nhealth on {text}: AUC {found:.4f} for no purchase until 1997-09-30")
        health.print_bands(scores, silent, cuts)


# What is said of each figure in the model: component, id, name, input, window, aggregation, reason.
TEXTS = {
    "days_since_last": (
        "recency", "days_since_last", "Days since the last purchase", "{metric: purchases}", "lifetime",
        "days_since_last", "Who has just bought is the likeliest to buy again.",
    ),
    "purchase_days": (
        "frequency", "purchase_days", "Days with a purchase", "{metric: purchases}", "lifetime", "active_days",
        "Each day with a purchase says more than the one before it. Several orders of a day are one decision to buy.",
    ),
    "recent_purchase_days": (
        "frequency", "recent_purchase_days", "Days with a purchase in 91 days", "{metric: purchases}", "91d",
        "active_days", "What a customer did lately.",
    ),
    "days_as_customer": (
        "frequency", "days_as_customer", "Days as a customer", "{metric: purchases}", "lifetime", "days_since_first",
        "The same purchases over a longer time are a slower pace.",
    ),
    "cds": ("value", "cds", "CDs bought", "{metric: cds}", "lifetime", "sum", "How much a customer likes music."),
    "spend": ("value", "spend", "Cents spent", "{metric: spend_cents}", "lifetime", "sum", "What a customer is worth."),
}

COMPONENTS = {
    "recency": ("Recency", "How long ago the customer bought last."),
    "frequency": ("Frequency", "How often the customer buys for the time since the first purchase."),
    "value": ("Value", "How much the customer buys."),
}

DESCRIPTION = (
    "For the customers of CDNOW, who are under no contract and leave by not coming back. Written by choose_model.py "
    "from purchases until 1997-09-30 only. Curves and weights are a logistic regression on what each customer did "
    "until 1997-05-16 and whether a purchase followed until 1997-09-30. The bands are its chances of a purchase "
    "within those 137 days, critical below 1 in 4, at risk below 1 in 2, healthy above 3 in 4."
)


def model_text(curves, ranges, cuts):
    """The model as YAML, just as the scoring service would write it."""
    lines = ["name: models/cdnow", "display_name: CDNOW customers", *folded("", "description", DESCRIPTION)]
    lines += ["band_cuts:", *(f"  {key}: {cut}" for key, cut in cuts.items()), "components:"]
    for component, (display_name, rationale) in COMPONENTS.items():
        own = [name for name in curves if TEXTS[name][0] == component]
        if not own:
            continue
        weight = sum(ranges[name] for name in own)
        lines += [f"  - id: {component}", f"    display_name: {display_name}", f"    weight: {number(weight, 4)}"]
        lines += [*folded("    ", "rationale", rationale), "    measures:"]
        for name in own:
            _, identifier, display_name, source, window, aggregation, rationale = TEXTS[name]
            lines += [f"      - id: {identifier}", f"        display_name: {display_name}"]
            lines += [f"        weight: {number(ranges[name], 4)}", *folded("        ", "rationale", rationale)]
            lines += [f"        input: {source}", f"        window: {window}", f"        aggregation: {aggregation}"]
            corners = ", ".join(f"[{x}, {number(points, 2)}]" for x, points in curves[name])
            lines.append(f"        curve: [{corners}]")
    return "\n".join(lines) + "\n"


def folded(indent, key, text):
    """A text on one line, or folded when it is long."""
    if len(text) <= 100:
        return [f"{indent}{key}: {text}"]
    return [f"{indent}{key}: >-", *(f"{indent}  {line}" for line in textwrap.wrap(text, 100))]


def number(value, decimals):
    """A number without zeros at its end."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
