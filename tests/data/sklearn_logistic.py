"""The optimum of an unpenalized logistic regression, by scikit-learn. Writes sklearn_logistic.json; needs scikit-learn, not nnframe."""

import json
from pathlib import Path

import numpy as np
from sklearn import __version__
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(7)
x = rng.normal(size=(60, 3)).round(3)
y = (x @ [1.0, -2.0, 0.5] + 0.3 + 2 * rng.normal(size=60) > 0).astype(int)
weight = rng.integers(1, 4, 60)
fitted = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(x, y, weight)
found = {"scikit-learn": __version__, "x": x.tolist(), "y": y.tolist(), "weight": weight.tolist()}
found |= {"W": fitted.coef_[0].tolist(), "b": fitted.intercept_[0].item()}
Path(__file__).with_suffix(".json").write_text(json.dumps(found) + "\n")
