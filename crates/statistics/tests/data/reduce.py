"""Makes online_retail.csv and reference.json out of the files that they are taken from.

    python3 reduce.py ../shared/data/onlineretail/invoices.csv ../shared/data/reference.json

Needs Python 3.11 and nothing else.
"""

import csv
import json
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
TRANSACTIONS = ("customers", "inactive", "cal_end", "hold_end", "past_train_split", "auc", "brier", "auc_boot95")


def reduce_invoices(source):
    """What each customer spent on each day, without cancelled invoices."""
    spent = defaultdict(Decimal)
    with open(source, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["cancelled"] == "0":
                spent[row["CustomerID"], row["InvoiceDate"][:10]] += Decimal(row["amount"])
    with open(HERE / "online_retail.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("customer", "day", "amount"))
        writer.writerows((*key, amount) for key, amount in sorted(spent.items()))


def reduce_reference(source):
    """The figures that the tests compare with, as they are."""
    whole = json.loads(Path(source).read_text(encoding="utf-8"))
    churn = whole["churn"]["saas_churn"]
    kept = {
        "notes": {key: whole["notes"][key] for key in ("label_tx", "logreg_tx", "logreg_trained_only_on_past", "churn_cv", "km")},
        "versions": {key: whole["versions"][key] for key in ("sklearn", "lifelines", "pandas", "python")},
        "transactions": {
            name: {key: figures[key] for key in (*TRANSACTIONS, "auc_diff_logreg_past_minus_recency_boot95")}
            for name, figures in whole["transactions"].items()
        },
        "churn": {"saas_churn": {key: churn[key] for key in ("rows", "single_signal_auc", "with_months_active", "kaplan_meier")}},
    }
    (HERE / "reference.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    reduce_invoices(sys.argv[1])
    reduce_reference(sys.argv[2])
