"""Every component of the table in a fit: in a stack it does what it does alone, and after an interruption what it does without one."""

import numpy as np
import pytest
from cases import CASES, OWN, RUNS, VECTOR, WHOLE, Case, classes, distributions, every, indices, numbers, probabilities, yes_and_no
from interruption import Leave, broken_off

import nnframe as nn

LOSS_FOR = {
    numbers: nn.MSE,
    yes_and_no: nn.BinaryCrossEntropy,
    probabilities: nn.BinaryCrossEntropy,
    classes: nn.CrossEntropy,
    distributions: nn.CrossEntropy,
}
SLOTS = ("layer", "loss", "metric", "optimizer", "schedule", "initializer", "callback", "augmentation")  # those that take part in training
every_case = every(*(case for slot in SLOTS for case in CASES[slot] + OWN.get(slot, []) if case not in WHOLE))


def model_with(case, component):
    """A model with the component in its place, if it has one there, and the shape of its inputs."""
    slot = component.slot
    if slot == "layer":
        shape = case.shapes[0]
        return nn.Sequential(*([] if case.inputs is indices else [nn.Dense(shape[-1])]), component), shape
    outputs = (*case.shapes[0][:-1], 3) if slot == "augmentation" else case.shapes[0]
    dense = nn.Dense(4, init=component) if slot == "initializer" else nn.Dense(4)
    return nn.Sequential(dense, nn.BatchNorm(), nn.Dropout(0.3), nn.Dense(outputs[-1])), (*outputs[:-1], *VECTOR)


def trained(case, rows, *, leaves=None, dtype="float32", **options):
    """All that a fit leaves behind with the component as some runs of the table have it, by name, runs first. `leaves`: the epoch after
    which run 1 ends."""
    rng, component = np.random.default_rng(0), case.of(rows)
    slot = component.slot
    model, shape = model_with(case, component)
    model.build(shape, seed=rows, dtype=dtype)
    inputs, targets = (case.inputs, numbers) if slot == "layer" else (numbers, case.targets)
    data = inputs(rng, (6,), shape), targets(rng, (6,), model.output_shape)
    loss = component if slot == "loss" else LOSS_FOR[targets]()
    optimizer = component if slot == "optimizer" else nn.SGD(component if slot == "schedule" else 0.1, momentum=0.5)
    augment = [component] * (slot == "augmentation")
    metrics, callbacks = [component] * (slot == "metric"), [component] * (slot == "callback")
    given = {"epochs": 4, "batch_size": 4, "validation": data, "metrics": metrics, "augment": augment} | options
    history = nn.fit(model, loss, optimizer, data, callbacks=[*callbacks, *([Leave(rows, leaves)] if leaves else [])], **given)
    arrays = {
        "params": model.params,
        "grads": model.grads,
        "state": model.state,
        "epochs": history.epochs,
        "output": model.predict(data[0]),
    }
    arrays |= {f"optimizer {name}": array for name, array in optimizer.state.items()}
    arrays |= {f"callback {name}": array for callback in callbacks for name, array in callback.get_state().items()}
    arrays |= {f"log {name}": np.moveaxis(column, 0, -1) for name, column in history.items()}
    return {name: np.array(array) for name, array in arrays.items()}


def bytes_of(arrays, run=...):
    return {name: (array[run].shape, array.dtype, array[run].tobytes()) for name, array in arrays.items()}


@every_case
@pytest.mark.parametrize("leaves", [None, 2], ids=["all stay", "one leaves"])
def test_a_stack_does_what_its_runs_do_alone(case, leaves):
    stack = trained(case, range(RUNS), leaves=leaves)
    for run in range(RUNS):
        alone = bytes_of(trained(case, run, leaves=leaves))
        found = bytes_of(stack, run)
        assert {name: found[name] for name in alone} == alone


@every_case
@pytest.mark.parametrize("rows", [2, range(RUNS)], ids=["alone", "stack"])
def test_what_was_broken_off_goes_on_to_the_same_bytes(case, rows, tmp_path):
    options = {"leaves": 2 if rows != 2 else None, "dtype": "float64"}
    expected = bytes_of(trained(case, rows, **options))
    for step in (3, 6):  # in the middle of an epoch; and at the end of one, once a run has left
        place = tmp_path / str(step)
        broken_off(lambda place=place: trained(case, rows, checkpoint=place, **options), step)
        assert bytes_of(trained(case, rows, checkpoint=place, **options)) == expected


def test_the_comparison_notices_a_component_that_forgets(tmp_path):
    class Forgets(nn.SGD):
        """Its momentum is in no checkpoint."""

        def setup(self):
            self.v = np.zeros_like(self.params)

        def update(self, p, g, w):
            self.v *= 0.9
            self.v += g
            p -= 0.1 * self.v

    case = Case(Forgets())
    broken_off(lambda: trained(case, 0, checkpoint=tmp_path), 3)
    assert bytes_of(trained(case, 0, checkpoint=tmp_path)) != bytes_of(trained(case, 0))
