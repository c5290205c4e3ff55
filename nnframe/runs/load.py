"""What was trained, for use: a run's folder, or a sweep's, as one object that predicts and evaluates."""

import csv
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import __version__
from nnframe.components import plugins
from nnframe.config.compose import change, load
from nnframe.config.experiment import Experiment, inspected, is_sweep, located
from nnframe.config.reading import Document
from nnframe.data.dataset import Dataset
from nnframe.data.pipeline import Pipeline
from nnframe.data.source import PreparedData, regular_file
from nnframe.errors import ConfigError, FileError, NNFrameError, UsageError, listed
from nnframe.layers.activations.elementwise import Identity, Sigmoid
from nnframe.layers.activations.softmax import Softmax
from nnframe.layers.base import Layer
from nnframe.layers.containers import Sequential
from nnframe.layers.weights import load_weights
from nnframe.losses.base import Loss
from nnframe.runs.folder import read_record
from nnframe.system import npz
from nnframe.training.bootstrap import intervals
from nnframe.training.ensemble import spread
from nnframe.training.fit import evaluate
from nnframe.training.history import History

Weights = "weights.npz"


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Networks that see rows in the same way: `model` is one of them, or a stack."""

    pipeline: Pipeline
    model: Layer

    def outputs(self, raw: Dataset, **options: Any) -> np.ndarray:
        """(members, rows, *outputs) of raw rows."""
        found = self.model.predict(self.pipeline(raw), **options)
        return found if self.model.runs else found[None]
