"""Runs that leave a stack: training goes on with the others alone, and what they get to is written back."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from nnframe.components.component import Component
from nnframe.data.augmentations.base import Augmentation
from nnframe.data.batches import Batches
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.optimizers.base import Optimizer


class Survivors:
    """The parts of a training, of all runs (`whole`) and of those that still train; they are the same until a run leaves."""

    model: Layer
    loss: Loss
    optimizer: Optimizer
    metrics: list[Metric]  # of the samples as they are trained on
    evaluating: list[Metric]  # metrics of their own for evaluations, so that one can be broken off
    callbacks: dict[str, Any]
    augment: list[Augmentation]  # what is done to each batch that is trained on
    batches: Batches
    evaluated: Batches | None  # the training data once more, where they are evaluated after an epoch
    validation: Batches | None

    def begin(self) -> None:
        """All runs train."""
        self.whole, self.whole_optimizer = self.model, self.optimizer
        self.alive = np.arange(self.model.runs[0]) if self.model.runs else None
        self.over = False  # has every run ended early?
        self.find_components()
        self.whole_components = self.components

    def find_components(self) -> None:
        """Those with numbers that may differ from run to run, and of these, and of callbacks, what follows a schedule."""
        layers = [layer for _, _, layer in layout.walk(self.model)]
        self.components: list[Component] = [*layers, self.loss, self.optimizer, *self.metrics, *self.evaluating, *self.augment]
        every = (*self.components, *self.component_callbacks().values())
        self.scheduled = [part for component in every for part in component.scheduled()]

    def component_callbacks(self) -> dict[str, Component]:
        """The callbacks that are components: others have no numbers."""
        return {name: callback for name, callback in self.callbacks.items() if isinstance(callback, Component)}

    def keep(self, keep: np.ndarray) -> None:
        """Go on with some of the runs that still train; `keep` are their numbers among these."""
        if self.alive is None or not keep.size:
            self.over = True
            return
        if keep.size == self.alive.size:
            return
        self.put_back()
        model = self.model.take(keep)
        optimizer, loss = self.optimizer.take(keep, model), deepcopy(self.loss, self.loss.taken(keep))
        self.metrics, self.evaluating, self.augment = (_taken(part, keep) for part in (self.metrics, self.evaluating, self.augment))
        self.batches = self.batches.take(keep)
        self.evaluated = self.evaluated and self.evaluated.take(keep)
        self.validation = self.validation and self.validation.take(keep)
        self.alive, self.model, self.optimizer, self.loss = self.alive[keep], model, optimizer, loss
        self.find_components()

    def settle(self, diverged: np.ndarray, logs: dict[str, np.ndarray]) -> None:
        """Give all NaNs of diverged runs the same bits: which ones arithmetic makes depends on the place in an array."""
        store = self.model._store
        remembered = [array for part in self.optimizer.tree() for array in part.state.values()]
        for name, value in logs.items():
            logs[name] = np.asarray(value)
        for array in (store.params, store.grads, store.state, *remembered, *logs.values()):
            of_run = diverged.reshape((*diverged.shape, *(1,) * (array.ndim - diverged.ndim)))
            np.copyto(array, np.nan, where=np.isnan(array) & of_run)

    def put_back(self) -> None:
        """Write what the runs that still train have got to into the whole stack."""
        if self.model is not self.whole:
            layout.put(self.whole, self.alive, self.model)
            for whole, part in zip(self.whole_components, self.components, strict=True):
                whole.put(self.alive, part)


def _taken(components: Sequence[Any], rows: Any) -> list[Any]:
    return [deepcopy(component, component.taken(rows)) for component in components]
