"""Says how well model.yaml finds the customers who bought nothing.

Scores each customer at the end of 1997-09-30 and looks at purchases until
1998-06-30, which choose_model.py never reads. Run it to judge a model that is
settled, not to choose one.

    python3 evaluate.py
"""

from __future__ import annotations

import random
import re

import health
from health import auc, day

TODAY = day("1997-09-30")
OUTCOME_END = day("1998-06-30")
RESAMPLES = 1000


def main():
    model = health.read_model()
    scores, recency, silent = [], [], []
    for orders in health.read_purchases(until=OUTCOME_END).values():
        known = [order for order in orders if order[0] <= TODAY]
        scores.append(health.health(model, known, TODAY))
        recency.append(health.days_since_last(known, TODAY))
        silent.append(not any(order[0] > TODAY for order in orders))

    found = auc([-score for score in scores], silent)
    print(f"customers {len(silent)}, of whom {sum(silent)} bought nothing in the 39 weeks after 1997-09-30")
    print(f"AUC of health        {found:.6f}")
    print(f"AUC of recency alone {auc(recency, silent):.6f}")

    generator, own, differences = random.Random(0), [], []
    for _ in range(RESAMPLES):
        sample = generator.choices(range(len(silent)), k=len(silent))
        labels = [silent[index] for index in sample]
        own.append(auc([-scores[index] for index in sample], labels))
        differences.append(own[-1] - auc([recency[index] for index in sample], labels))
    print("95 % interval of health {:.4f} to {:.4f}, of health less recency {:+.4f} to {:+.4f}".format(
        *interval(own), *interval(differences)
    ))

    text = health.MODEL_FILE.read_text(encoding="utf-8")
    cuts = {key: float(cut) for key, cut in re.findall(r"^  (\w+_(?:below|above)): (\S+)$", text, re.MULTILINE)}
    health.print_bands(scores, silent, cuts)


def interval(values):
    """From the 2.5th to the 97.5th percentile."""
    ordered = sorted(values)
    return ordered[len(ordered) * 25 // 1000], ordered[len(ordered) * 975 // 1000 - 1]


if __name__ == "__main__":
    main()
