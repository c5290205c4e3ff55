"""Numbers from scikit-learn, an outside witness: metrics and losses of whole data sets, plain and weighted, and transforms.
To remake the two files beside this script: `pip install scikit-learn==1.9.1`, then `python sklearn_reference.py`.
Each case of sklearn_reference.json holds target, weight and, for two runs, pred, with the number that each run scores without and with the
weights; each of sklearn_transforms.json training rows, other rows, what both become, and if there is an inverse what numbers go back to."""

import json
from pathlib import Path

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_absolute_error, mean_squared_error, r2_score
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, QuantileTransformer, RobustScaler, StandardScaler

ROWS = 23


def case(score, target, preds, weight):
    """`score(target, pred, sample_weight=...)` of each of the runs' predictions."""
    return {
        "target": target.tolist(),
        "weight": weight.tolist(),
        "pred": [pred.tolist() for pred in preds],
        "value": [float(score(target, pred)) for pred in preds],
        "weighted": [float(score(target, pred, sample_weight=weight)) for pred in preds],
    }


def of_classes(target, pred, sample_weight=None):
    return accuracy_score(target, pred.argmax(-1), sample_weight=sample_weight)


def of_sides(target, pred, sample_weight=None):
    """Each output of a row is a prediction of its own, as heavy as its row."""
    weight = None if sample_weight is None else np.repeat(sample_weight, target.shape[1])
    return accuracy_score(target.ravel() >= 0.5, pred.ravel() >= 0.5, sample_weight=weight)


def of_f1(average):
    def score(target, pred, sample_weight=None):
        return f1_score(target, pred.argmax(-1), average=average, sample_weight=sample_weight, zero_division=0)

    return score


def of_f1_sides(target, pred, sample_weight=None):
    return f1_score(target[:, 0] >= 0.5, pred[:, 0] >= 0.5, sample_weight=sample_weight)


def of_logits(target, logits, sample_weight=None):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return log_loss(target, p / p.sum(-1, keepdims=True), sample_weight=sample_weight, labels=range(logits.shape[1]))


def of_binary_logits(target, logits, sample_weight=None):
    return log_loss(target[:, 0], 1 / (1 + np.exp(-logits[:, 0])), sample_weight=sample_weight, labels=[0, 1])


def plain(rows):
    """Rows as JSON has them; what is missing is null."""
    return [[None if value != value else value for value in row] for row in np.asarray(rows).tolist()]


def transform_case(transformer, training, other, back=None):
    fitted = transformer.fit(training)
    found = {"training": plain(training), "other": plain(other)}
    found |= {"training becomes": plain(fitted.transform(training)), "other becomes": plain(fitted.transform(other))}
    return found if back is None else found | {"numbers": plain(back), "go back to": plain(fitted.inverse_transform(back))}


def transforms():
    rng = np.random.default_rng(7)
    rows, other = (np.exp(rng.normal(size=(n, 4))) * [1, 100, 0.01, 1] - [0, 50, 0, 1] for n in (31, 9))
    rows[:, 3], other[:, 3] = rng.integers(0, 3, 31), rng.integers(-1, 4, 9)  # equal ones
    holes, other_holes = rows.copy(), other.copy()
    holes[rng.random(rows.shape) < 0.2], other_holes[rng.random(other.shape) < 0.2] = np.nan, np.nan
    constant, other_constant = rows.copy(), other.copy()
    constant[:, 1] = 3
    back, shares = rng.normal(size=(9, 4)), rng.uniform(size=(9, 4))
    texts = [np.array(["small", "large", "medium", "Zero"], object)[rng.integers(0, n, (12, 2))] for n in (3, 4)]
    known, unknown = texts[0], texts[1]
    sizes = [["small", "medium", "large"]] * 2

    def quantiles(count, to):
        return QuantileTransformer(n_quantiles=count, output_distribution=to, subsample=None)

    cases = {
        "Standardize": transform_case(StandardScaler(), rows, other, back),
        "Standardize missing": transform_case(StandardScaler(), holes, other_holes, back),
        "Standardize constant": transform_case(StandardScaler(), constant, other_constant, back),
        "MinMax": transform_case(MinMaxScaler(), rows, other, back),
        "MinMax -1 to 3": transform_case(MinMaxScaler((-1, 3)), rows, other, back),
        "MinMax missing": transform_case(MinMaxScaler(), holes, other_holes, back),
        "MinMax constant": transform_case(MinMaxScaler(), constant, other_constant, back),
        "Robust": transform_case(RobustScaler(), rows, other, back),
        "Robust missing": transform_case(RobustScaler(), holes, other_holes, back),
        "Robust constant": transform_case(RobustScaler(), constant, other_constant, back),
        "Quantiles": transform_case(quantiles(31, "uniform"), rows, other, shares),
        "Quantiles 7": transform_case(quantiles(7, "uniform"), rows, other, shares),
        "Quantiles missing": transform_case(quantiles(7, "uniform"), holes, other_holes, shares),
        "Quantiles normal": transform_case(quantiles(7, "normal"), rows, other, back),
        "OneHot": transform_case(OneHotEncoder(sparse_output=False), known, known[::-1]),
        "OneHot unknown": transform_case(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), known, unknown),
        "OneHot numbers": transform_case(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), rows[:, 3:], other[:, 3:]),
        "Ordinal": transform_case(OrdinalEncoder(), known, known[::-1]),
        "Ordinal order": transform_case(OrdinalEncoder(categories=sizes), known, known[::-1]),
        "Ordinal unknown": transform_case(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), known, unknown),
        "Impute mean": transform_case(SimpleImputer(), holes, other_holes),
        "Impute median": transform_case(SimpleImputer(strategy="median"), holes, other_holes),
        "Impute most_frequent": transform_case(SimpleImputer(strategy="most_frequent"), holes, other_holes),
        "Impute constant": transform_case(SimpleImputer(strategy="constant", fill_value=-2.0), holes, other_holes),
        "Impute indicator": transform_case(SimpleImputer(add_indicator=True), holes, other_holes),
    }
    Path(__file__).with_name("sklearn_transforms.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


def main():
    rng = np.random.default_rng(6)
    weight = rng.uniform(0.2, 3, size=ROWS)
    weight[[2, 11]] = 0
    classes = rng.integers(0, 4, size=ROWS)
    scores = [np.eye(4)[classes] + rng.normal(size=(ROWS, 4)) for _ in range(2)]
    binary = rng.integers(0, 2, size=(ROWS, 3)).astype(float)
    chances = [np.clip(0.5 * binary + rng.uniform(0, 0.6, size=(ROWS, 3)), 0, 1) for _ in range(2)]
    real = rng.normal(size=(ROWS, 3)) * [1, 10, 0.1] + [0, 5, -3]
    near = [real + rng.normal(size=(ROWS, 3)) * [0.5, 3, 0.2] for _ in range(2)]
    constant = real.copy()
    constant[:, 1] = 0  # any other number has a mean that is off by rounding, and scikit-learn takes that for a spread
    met, missed = constant + rng.normal(size=(ROWS, 3)), constant + rng.normal(size=(ROWS, 3))
    met[:, 1] = 0
    far = real + 1e6
    cases = {
        "Accuracy": case(of_classes, classes, scores, weight),
        "BinaryAccuracy": case(of_sides, binary, chances, weight),
        "MAE": case(mean_absolute_error, real, near, weight),
        "R2": case(r2_score, real, near, weight),
        "R2 one output": case(r2_score, real[:, :1], [pred[:, :1] for pred in near], weight),
        "R2 constant": case(r2_score, constant, [met, missed], weight),
        "R2 far from 0": case(r2_score, far, [pred + 1e6 for pred in near], weight),
        "F1": case(of_f1("macro"), classes, scores, weight),
        "F1 weighted": case(of_f1("weighted"), classes, scores, weight),
        "F1 micro": case(of_f1("micro"), classes, scores, weight),
        "F1 one output": case(of_f1_sides, binary[:, :1], [p[:, :1] for p in chances], weight),
        "MSE": case(mean_squared_error, real, near, weight),
        "CrossEntropy": case(of_logits, classes, scores, weight),
        "BinaryCrossEntropy": case(of_binary_logits, binary[:, :1], [4 * p[:, :1] - 2 for p in chances], weight),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
    transforms()
