"""What a checkpoint holds: all that it takes to go on from between two steps."""

import json
from typing import Any

import numpy as np

from nnframe.components.component import Component
from nnframe.data.augmentations.base import Augmentation
from nnframe.layers import weights
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.training.history import History
from nnframe.training.survivors import Survivors

Parts = dict[str, dict[str, Any]]  # arrays by the name of a part and their own


class Resumable(Survivors):
    """A training whose state is arrays by name."""

    history: History
    done: int  # epochs,
    step: int  # and steps of the present one
    total: Any  # over these steps: of losses, each times its batch's weight,
    total_weight: Any  # and of these weights
    seconds: float  # spent before

    def elapsed(self) -> float:
        """Seconds spent on training, before interruptions too."""
        raise NotImplementedError

    def numbers(self) -> Parts:
        """What model, loss, optimizer, metrics and callbacks hold of each run."""
        self.put_back()
        numbers = {f"{place}.{name}": array for place, part in self._with_numbers() for name, array in part.numbers().items()}
        held = {f"{i}.{name}": array for i, part in self._holders() for name, array in part.get_state().items()}
        return weights.get_state(self.whole) | {"optimizer": self.whole_optimizer.get_state(), "numbers": numbers, "held": held}

    def _with_numbers(self) -> list[tuple[Any, Component]]:
        """All that has numbers of each run, callbacks too."""
        return [*enumerate(self.whole_components), *self.component_callbacks().items()]

    def _holders(self) -> list[tuple[int, Any]]:
        """Layers and the loss, whose parts may remember something, and augmentations."""
        return [(i, part) for i, part in enumerate(self.whole_components) if isinstance(part, (Layer, Loss, Augmentation))]

    def get_state(self) -> Parts:
        """Arrays by the name of a part and their own."""
        log = {name: column[: self.done] for name, column in self.history.items()}
        training = {
            "epochs": self.done,
            "step": self.step,
            "total": self.total,
            "total_weight": self.total_weight,
            "seconds": self.elapsed(),
            "over": self.over,
            "alive": np.arange(0) if self.alive is None else self.alive,
            "trained": self.history.epochs,
            "kept": self.history.kept,
            "diverged": self.history.diverged,
            "reasons": np.frombuffer(json.dumps(self.history.reasons).encode(), np.uint8),
        }
        metrics = {f"metric {i}": metric.get_state() for i, metric in enumerate(self.metrics)}
        callbacks = {name: hook(callback, "get_state") or {} for name, callback in self.callbacks.items()}
        return self.numbers() | {"log": log, "training": training} | metrics | callbacks

    def set_state(self, parts: Parts) -> None:
        """Go back to where `get_state` was called, in a training that has just been made."""
        weights.set_state(self.whole, parts)
        self.whole_optimizer.set_state(parts["optimizer"])
        for place, component in self._with_numbers():  # as schedules, or a callback, had left them
            for name, array in component.numbers().items():
                array[...] = parts["numbers"][f"{place}.{name}"]
            component.derive()
        for i, holder in self._holders():
            holder.set_state(
                {name.removeprefix(f"{i}."): array for name, array in parts.get("held", {}).items() if name.startswith(f"{i}.")}
            )
        training, history = parts["training"], self.history
        self.done, self.step, self.over = int(training["epochs"]), int(training["step"]), bool(training["over"])
        self.total, self.total_weight, self.seconds = training["total"][()], training["total_weight"][()], float(training["seconds"])
        history.epochs[...], history.kept[...], history.diverged[...] = (training[name] for name in ("trained", "kept", "diverged"))
        history.reasons = {int(run): reason for run, reason in json.loads(bytes(training["reasons"])).items()}
        for name, column in parts.get("log", {}).items():
            history[name] = np.array(column)
        if self.alive is not None:
            self.keep(training["alive"])
        for i, metric in enumerate(self.metrics):
            metric.set_state(parts.get(f"metric {i}", {}))
        for name, callback in self.callbacks.items():
            hook(callback, "set_state", parts.get(name, {}))


def hook(callback: Any, name: str, *arguments: Any) -> Any:
    """Call a method that a callback may have or not."""
    method = getattr(callback, name, None)
    return None if method is None else method(*arguments)
