"""What other tools write for a parameter's values is answered with ours."""

import pytest

from nnframe.config.sections import Between, Choice, parameter_of
from nnframe.config.spaces import translated
from nnframe.errors import OptionError

THEIRS = [
    # W&B
    ({"min": 1e-4, "max": 1e-1}, "{low: 0.0001, high: 0.1}, or with scale: log"),
    ({"min": 4, "max": 64}, "{low: 4, high: 64}"),
    ({"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1}, "{low: 0.0001, high: 0.1, scale: log}"),
    ({"distribution": "log_uniform", "min": -2, "max": 0}, "{low: 0.135335, high: 1.0, scale: log}"),
    ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.25}, "{low: 0, high: 1, step: 0.25}"),
    ({"distribution": "int_uniform", "min": 4, "max": 64}, "{low: 4, high: 64, integer: true}"),
    ({"distribution": "categorical", "values": [1, "a"], "probabilities": [0.5, 0.5]}, "[1, a]"),
    ({"values": [1, 2]}, "[1, 2]"),
    ({"value": 3}, "[3]"),
    # Optuna, also as Hydra has it
    ({"type": "float", "low": 1e-4, "high": 0.1, "log": True}, "{low: 0.0001, high: 0.1, scale: log}"),
    ({"type": "int", "low": 4, "high": 64, "step": 4}, "{low: 4, high: 64, integer: true, step: 4}"),
    ({"low": 1, "high": 9, "log": True}, "{low: 1, high: 9, scale: log}"),
    ({"type": "loguniform", "low": 1e-4, "high": 0.1}, "{low: 0.0001, high: 0.1, scale: log}"),
    ({"type": "categorical", "choices": ["ReLU", "Tanh"]}, "[ReLU, Tanh]"),
    ('trial.suggest_float("lr", 1e-4, 1e-1, log=True)', "{low: 0.0001, high: 0.1, scale: log}"),
    ("suggest_int('units', 4, 64)", "{low: 4, high: 64, integer: true}"),
    ("int(interval(4, 16))", "{low: 4, high: 16, integer: true}"),
    ("tag(log, interval(0.001, 1))", "{low: 0.001, high: 1, scale: log}"),
    ("choice(1, 2, 3)", "[1, 2, 3]"),
    ("0.1,0.2", "[0.1, 0.2]"),
    # Ray, Hyperopt, NumPy, SciPy
    ({"grid_search": [1, 2]}, "[1, 2]"),
    ({"uniform": [0, 1]}, "{low: 0, high: 1}"),
    ({"loguniform": {"min": 1e-3, "max": 1}}, "{low: 0.001, high: 1, scale: log}"),
    ("uniform(1e-4, 1e-1)", "{low: 0.0001, high: 0.1}"),
    ("tune.loguniform(1e-4, 1e-1)", "{low: 0.0001, high: 0.1, scale: log}"),
    ("tune.randint(4, 65)", "{low: 4, high: 64, integer: true}"),
    ("tune.grid_search([1, 2])", "[1, 2]"),
    ('hp.loguniform("lr", -2, 0)', "{low: 0.135335, high: 1.0, scale: log}"),
    ('hp.choice("a", [1, 2])', "[1, 2]"),
    ("np.logspace(-4, -1, 4)", "{low: 0.0001, high: 0.1, scale: log, count: 4}"),
    ("linspace(0, 1, 5)", "{low: 0, high: 1, count: 5}"),
    ("range(1, 10)", "{low: 1, high: 9, integer: true}"),
    ("1e-4..1e-1", "{low: 0.0001, high: 0.1}, or with scale: log"),
    ({"distribution": "normal", "mu": 0, "sigma": 1}, "{low: ..., high: ...}: numbers are drawn evenly, with scale: log on a log scale"),
    # NNI, Ax
    ({"_type": "choice", "_value": [1, 2]}, "[1, 2]"),
    ({"_type": "quniform", "_value": [1, 10, 1]}, "{low: 1, high: 10, step: 1}"),
    ({"type": "range", "bounds": [1e-3, 1], "log_scale": True}, "{low: 0.001, high: 1, scale: log}"),
]


@pytest.mark.parametrize(("value", "write"), THEIRS, ids=map(str, range(len(THEIRS))))
def test_theirs_is_answered_with_ours(value, write):
    assert translated(value) == write
    with pytest.raises(OptionError) as refused:
        parameter_of("optimizer.lr", value)
    assert refused.value.message.endswith(f"; write {write}") and refused.value.path == "parameters.optimizer.lr"


@pytest.mark.parametrize(
    "value",
    [
        {"small": 0.1, "large": 1},
        {"min": "MinPool", "max": {"type": "MaxPool"}},
        {"uniform": "Uniform", "normal": "Normal"},
        {"uniform": {"type": "Uniform", "low": -1, "high": 1}},
        {"values": "A", "choice": "B"},
        {"a": [1], "b": [2]},
    ],
)
def test_alternatives_by_name_stay_what_they_are(value):
    assert translated(value) == ""
    assert isinstance(parameter_of("model.1", value), Choice)


@pytest.mark.parametrize(
    "value", [{}, {"type": "Step", "start": 0.1, "every": 1}, "abc", "f(3)", "x" * 1000, "(" * 100, 3, None, "choice("]
)
def test_what_is_in_no_form_has_no_answer(value):
    assert translated(value) == ""


def test_ours_is_ours():
    assert isinstance(parameter_of("optimizer.lr", {"low": 1, "high": 2, "scale": "log", "count": 3}), Between)
