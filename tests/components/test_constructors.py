"""Fields make the constructor, or a class writes its own: in Python, in YAML and in a plugin; what mypy sees of it is in test_code."""

import sys
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
import pytest

import nnframe as nn
from nnframe.components import plugins
from nnframe.components.component import config_of
from nnframe.components.options import options
from nnframe.components.registry import REGISTRY
from nnframe.components.walk import Problems, validate


def positional(cls):
    return [name for name, option in options(cls).items() if option.positional]


# ------------------------------------------------------------------------------------------------ fields


class Nudged(nn.Adam):
    """Adam with one option more."""

    nudge: nn.PerRun[float] = 0.5


class Blunt(nn.Adam):
    """Adam with another default, and an option after it that must be named."""

    eps: nn.PerRun[nn.Positive] = 1e-3
    _: KW_ONLY
    blunt: bool = False

    def __post_init__(self):
        if self.blunt and self.amsgrad:
            raise nn.OptionError("does not go with amsgrad", path="blunt")


def test_a_subclass_repeats_nothing():
    assert list(options(Nudged)) == [*options(nn.Adam), "nudge"]
    assert positional(Nudged) == ["lr", "nudge"]
    optimizer = Nudged(0.1, 2.0, betas=(0.8, 0.9))
    assert (optimizer.lr, optimizer.nudge, optimizer.betas, optimizer.eps) == (0.1, 2.0, (0.8, 0.9), 1e-8)
    assert repr(optimizer) == "Nudged(lr=0.1, betas=[0.8, 0.9], nudge=2.0)"
    with pytest.raises(nn.OptionError, match=r"^Nudged: takes at most 2 positional arguments, got 3; name the others: betas, eps, "):
        Nudged(0.1, 2.0, 0.9)


def test_a_default_that_is_stated_anew_keeps_its_place():
    assert list(options(Blunt)) == [*options(nn.Adam), "blunt"] and positional(Blunt) == ["lr"]
    assert Blunt().eps == 1e-3 and nn.Adam().eps == 1e-8
    assert repr(Blunt(eps=1e-8)) == "Blunt(eps=1e-08)" and repr(Blunt()) == "Blunt()"

    class Fast(nn.SGD):
        lr: nn.PerRun[nn.Positive] = 1.0

    assert positional(Fast) == ["lr"] and Fast().lr == 1.0 and Fast(0.5).lr == 0.5


def test_post_init_runs_once_all_options_are_set_and_may_refuse_some():
    assert Blunt(blunt=True).blunt
    with pytest.raises(nn.OptionError, match=r"^Blunt\.blunt: does not go with amsgrad$"):
        Blunt(blunt=True, amsgrad=True)


WRONG = [  # arguments, what comes back
    (lambda: Nudged(lr=-1), "Nudged.lr: expected a number greater than 0, got -1"),
    (lambda: Nudged(0.1, lr=0.1), "Nudged.lr: given twice"),
    (lambda: Nudged(nugde=1), "Nudged.nugde: Nudged has no option 'nugde'. Did you mean 'nudge'? Options: lr, betas, eps, weight_decay, amsgrad, nudge."),
    (lambda: Nudged(nudge="x"), "Nudged.nudge: expected a number, got 'x'"),
    (lambda: nn.Dense(), "Dense: Dense needs the option 'units'; expected an integer of at least 1"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_mistakes_are_told_in_the_words_of_a_config(make, message):
    with pytest.raises(nn.OptionError) as error:
        make()
    assert str(error.value) == message


def test_what_is_no_option():
    class Odd(nn.Layer):
        kind: ClassVar[str] = "odd"
        table: np.ndarray = nn.field(init=False)
        count: int = nn.field(default=3, init=False)
        _hidden: int = 5
        units: nn.Size = 2

    assert list(options(Odd)) == ["units", "name"]
    layer = Odd()
    assert (layer.kind, layer.count, layer._hidden, hasattr(layer, "table")) == ("odd", 3, 5, False)
    for name in ("kind", "table", "count"):
        with pytest.raises(nn.OptionError, match=rf"Odd has no option '{name}'"):
            Odd(**{name: 1})


def test_defaults_are_not_shared():
    @dataclass
    class Log:
        every: int = 1

    class Holder(nn.Callback):
        best: nn.Callback = nn.BestWeights("loss")
        table: dict[str, int] = nn.field(default_factory=dict)
        log: Log = nn.field(default_factory=Log)
        numbers_of: list[int] = nn.field(default_factory=lambda: [1, 2])

    one, other = Holder(), Holder()
    assert one.best is not other.best and one.table is not other.table and one.log is not other.log
    one.table["a"] = 1
    one.best.monitor = "val_loss"
    assert (other.table, other.best.monitor, Holder().best.monitor, Holder().table) == ({}, "loss", "loss", {})
    assert repr(one.best) == repr(other.best)

    class Tamed(nn.Optimizer):
        inner: nn.Optimizer = nn.SGD(0.1)

    first, second = Tamed(), Tamed()
    first.inner.attach(nn.Dense(1).build(2))
    assert not hasattr(second.inner, "model") and not hasattr(Tamed().inner, "model")


# ------------------------------------------------------------------------------------------------ a constructor of one's own


class Own(nn.Optimizer):
    def __init__(self, rate: nn.PerRun[nn.Positive] = 0.1, *, twice: bool = False):
        self.rate, self.twice = rate, twice

    def update(self, p, g, w):
        p -= w.rate * g * (2 if self.twice else 1)


class OwnAdam(nn.Adam):
    """What it takes is its signature alone; the rest are Adam's defaults."""

    def __init__(self, rate: nn.Positive = 0.1):
        super().__init__(lr=rate / 10, betas=(0.5, 0.9))
        self.rate = rate


class Below(OwnAdam):
    """Takes what its parent does."""


def test_the_signature_counts():
    assert list(options(Own)) == ["rate", "twice"] and positional(Own) == ["rate"]
    assert repr(Own(0.2, twice=True)) == "Own(rate=0.2, twice=True)"
    with pytest.raises(nn.OptionError, match=r"^Own\.rate: expected a number greater than 0, got 0$"):
        Own(0)
    model = nn.Dense(1).build(2, seed=[0, 1], dtype="float64")
    before = model.params.copy()
    optimizer = Own([0.1, 0.2], twice=True).attach(model)
    model.grads[...] = 1
    optimizer.step()
    np.testing.assert_allclose(before - model.params, np.full(model.params.shape, 1.0) * [[0.2], [0.4]])


@pytest.mark.parametrize("cls", [OwnAdam, Below])
def test_super_takes_the_fields_of_a_parent(cls):
    assert list(options(cls)) == ["rate"]
    optimizer, adam = cls(0.5), nn.Adam(0.05, betas=(0.5, 0.9))
    assert repr(optimizer) == f"{cls.__name__}(rate=0.5)"
    assert (optimizer.lr, optimizer.betas, optimizer.eps, optimizer.amsgrad) == (0.05, (0.5, 0.9), 1e-8, False)
    trained = []
    for one in (optimizer, adam):
        model = nn.Dense(1).build(2, dtype="float64")
        one.attach(model)
        for _ in range(3):
            model.grads[...] = model.params
            one.step()
        trained.append(model.params.tobytes())
    assert trained[0] == trained[1]


def test_what_super_is_given_is_checked_too():
    class Wrong(nn.Adam):
        def __init__(self, rate: float = 1.0):
            super().__init__(lr=-rate)

    with pytest.raises(nn.OptionError, match=r"lr: expected a number greater than 0, got -1"):
        Wrong()


def test_a_layer_with_a_constructor_of_its_own_has_a_name_as_well():
    class Bare(nn.Layer):
        def __init__(self, n: nn.Size):
            self.n = n

    assert list(options(Bare)) == ["n", "name"] and Bare(3, name="head").name == "head" and Bare(3).name is None


def test_a_child_that_adds_options_to_a_class_with_its_own_constructor_is_an_error():
    class Child(Own):
        extra: float = 1.0

    words = r"^Child\.extra: adds an option to Own, which writes its own constructor; write one here too$"
    for use in (Child, lambda: options(Child), lambda: nn.register(Child)):
        with pytest.raises(nn.OptionError, match=words):
            use()
    assert "Child" not in REGISTRY["optimizer"]


# ------------------------------------------------------------------------------------------------ plugins

FIELDS = '''
from dataclasses import KW_ONLY

import nnframe as nn


class Clipped(nn.SGD):
    """SGD whose gradients are cut off."""

    most: nn.PerRun[nn.Positive] = 1.0
    _: KW_ONLY
    steps_of: tuple[int, ...] = (1, 2)

    def update(self, p, g, w):
        super().update(p, g.clip(-w.most, w.most), w)
'''
CONSTRUCTOR = '''
from collections.abc import Sequence

import nnframe as nn


class Clipped(nn.SGD):
    """SGD whose gradients are cut off."""

    def __init__(self, lr: nn.PerRun[nn.Positive] = 1e-2, most: nn.PerRun[nn.Positive] = 1.0, *, steps_of: Sequence[int] = (1, 2)):
        super().__init__(lr)
        self.most, self.steps_of = most, steps_of

    def update(self, p, g, w):
        super().update(p, g.clip(-w.most, w.most), w)
'''
FORMS = {"fields": FIELDS, "constructor": CONSTRUCTOR}
FORMS |= {f"{name}, annotations as texts": "from __future__ import annotations\n" + text for name, text in FORMS.items()}


@pytest.fixture(params=FORMS)
def plugin(request, tmp_path, monkeypatch):
    """The class, from a file in one of the forms."""
    for slot in REGISTRY:
        monkeypatch.setitem(REGISTRY, slot, dict(REGISTRY[slot]))
    monkeypatch.setattr(plugins, "LOADED", [])
    path = tmp_path / "clipped.py"
    path.write_text(FORMS[request.param])
    plugins.load(str(path))
    yield REGISTRY["optimizer"]["Clipped"]
    sys.modules.pop("nnframe_plugin_clipped")


def test_a_plugin_in_either_form_works_in_a_config(plugin):
    problems = Problems()
    given = {"type": "Clipped", "lr": {"type": "Cosine", "start": 0.1}, "most": [0.1, 0.2], "steps_of": [3]}
    optimizer = validate(nn.Optimizer, given, "optimizer", problems)
    assert not problems and type(optimizer) is plugin
    assert optimizer.most == (0.1, 0.2) and optimizer.steps_of == (3,) and repr(optimizer.lr) == "Cosine(0.1)"
    again = validate(nn.Optimizer, config_of(optimizer), "optimizer", problems)
    assert repr(again) == repr(optimizer) and not problems

    validate(nn.Optimizer, {"type": "Clipped", "most": 0, "step_of": [1], "steps_of": ["x"]}, "optimizer", problems)
    assert {path: message.partition(",")[0].partition(".")[0] for path, message in problems} == {
        "optimizer.most": "expected a number greater than 0",
        "optimizer.steps_of.0": "expected an integer",
        "optimizer.step_of": "Clipped has no option 'step_of'",
    }


def test_a_plugin_in_either_form_trains(plugin):
    data = np.ones((4, 2)), np.full((4, 1), 9.0)
    model = nn.Dense(1).build(2, seed=[0, 1], dtype="float64")
    before = model.params.copy()
    nn.fit(model, nn.MSE(), plugin(0.1, [0.5, 2.0]), data, epochs=1, batch_size=4)
    np.testing.assert_allclose(model.params - before, np.ones((2, 3)) * [[0.05], [0.2]])
