"""Numbers from scikit-learn, an outside witness: metrics and losses of whole data sets, plain and weighted.
To remake sklearn_reference.json beside this script: `pip install scikit-learn==1.9.1`, then `python sklearn_reference.py`.
Each case holds target, weight and, for two runs, pred, with the number that each run scores without and with the weights."""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_absolute_error, mean_squared_error, r2_score

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
