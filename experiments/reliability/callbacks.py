"""A callback with a state of its own, on which the weights depend that a network ends with."""

import numpy as np

import nnframe as nn


class Average(nn.Callback):
    """Networks end with an exponential mean of the weights that they had after each epoch.

    Attributes after training: `mean` (*runs, P), and `norms` (epochs, *runs), that of the last gradient of each epoch.
    """

    def __init__(self, decay: nn.Probability = 0.9) -> None:
        self.decay = decay

    def on_begin(self, state: nn.State) -> None:
        if not state.resumed:
            self.mean, self.norms = state.model.params.copy(), np.full((0, *state.model.runs), np.nan)

    def on_epoch(self, state: nn.State) -> None:
        where = ... if state.runs is None else state.runs
        self.mean[where] = self.decay * self.mean[where] + (1 - self.decay) * state.model.params
        self.norms = np.concatenate([self.norms, np.full_like(self.mean[None, ..., 0], np.nan)])
        with np.errstate(all="ignore"):  # a run may diverge
            self.norms[-1, where] = np.sqrt((state.model.grads * state.model.grads).sum(-1))

    def on_end(self, state: nn.State, which: np.ndarray) -> None:
        runs = which if state.runs is None else state.runs[which]
        state.model.params[which] = self.mean[runs]

    def get_state(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean, "norms": self.norms}

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        self.mean, self.norms = arrays["mean"], arrays["norms"]
