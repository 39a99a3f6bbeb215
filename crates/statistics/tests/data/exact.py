"""Makes exact.json: what scikit-learn and lifelines say of saas_churn.csv, to all digits.

    pip install scikit-learn==1.9.1 lifelines==0.30.3 pandas==2.3.3
    python3 exact.py

reference.json has the same figures to six digits and from scikit-learn's own search, which ends at a gradient of 1e-4.
Here Newton's method goes on to 1e-12, so that another implementation can be told from a search that ended earlier.
"""

import json
import warnings
from pathlib import Path

import numpy
import pandas
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).parent
MEAN_LIMITS = (3.0, 6.5, 12.0)


def newton(inputs, outcomes):
    return LogisticRegression(C=1, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(inputs, outcomes)


def scaled(learnt_from, inputs, numbers, categories):
    """Standardised numbers, then a column for each category, in the order of the alphabet."""
    scaler = StandardScaler().fit(learnt_from[numbers])
    encoder = OneHotEncoder(sparse_output=False).fit(learnt_from[categories])
    names = [*numbers, *(f"{name}={value}" for name, values in zip(categories, encoder.categories_) for value in values)]
    return numpy.hstack([scaler.transform(inputs[numbers]), encoder.transform(inputs[categories])]), names


def main():
    table = pandas.read_csv(HERE / "saas_churn.csv")
    outcomes = table.churned.astype(int).to_numpy()
    inputs = table.drop(columns="churned")
    numbers = inputs.select_dtypes("number").columns.tolist()
    categories = [name for name in inputs if name not in numbers]

    whole, names = scaled(inputs, inputs, numbers, categories)
    model = newton(whole, outcomes)

    folds = numpy.zeros(len(table), dtype=int)
    forecasts = numpy.zeros(len(table))
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(inputs, outcomes)
    for fold, (learnt_from, tried_on) in enumerate(splits):
        folds[tried_on] = fold
        known = inputs.iloc[learnt_from]
        fitted = newton(scaled(known, known, numbers, categories)[0], outcomes[learnt_from])
        tried, _ = scaled(known, inputs.iloc[tried_on], numbers, categories)
        forecasts[tried_on] = fitted.predict_proba(tried)[:, 1]

    curve = KaplanMeierFitter().fit(table.months_active, table.churned)
    survival = curve.survival_function_.KM_estimate
    deviations = survival * numpy.sqrt(curve._cumulative_sq_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        means = {str(limit): restricted_mean_survival_time(curve, t=limit) for limit in MEAN_LIMITS}

    reliability = {
        strategy: [curve.tolist() for curve in calibration_curve(outcomes, forecasts, n_bins=10, strategy=strategy)]
        for strategy in ("uniform", "quantile")
    }

    exact = {
        "coefficients": dict(zip(names, model.coef_[0].tolist())),
        "intercept": model.intercept_[0],
        "folds": "".join(str(fold) for fold in folds),
        "auc": roc_auc_score(outcomes, forecasts),
        "brier": brier_score_loss(outcomes, forecasts),
        "log_loss": log_loss(outcomes, forecasts),
        "average_precision": average_precision_score(outcomes, forecasts),
        "reliability": reliability,
        "standard_errors": {str(int(time)): float(value) for time, value in deviations.items()},
        "restricted_means": means,
    }
    (HERE / "exact.json").write_text(json.dumps(exact, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
