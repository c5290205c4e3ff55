"""What `fit` is given to train and to validate on, as rows that the runs of a stack share, or as those that each run's seed draws."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnframe.components.wording import shown
from nnframe.data.dataset import Dataset
from nnframe.data.source import PreparedData, Source
from nnframe.data.splits import Split, held_out
from nnframe.data.stacking import stack
from nnframe.errors import DataError, OptionError, ShapeError, UsageError
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.streams import Seeds, generator


def parts_of(data: Any, validation: Any, model: Layer, loss: Loss, seeds: Seeds) -> tuple[Any, Any]:
    """What is trained on and validated on: of a Source, its training and validation part; of a fraction `validation`, what the stream
    "split" of each run's seed leaves and draws. Anything else stays as it is. Raises OptionError, DataError, ShapeError or UsageError."""
    if isinstance(data, Source) and data.all_folds is not None:
        raise UsageError("cv makes several sets of rows; say which one with cv: {only: ...}, or train a config", path="fit.data")
    if isinstance(data, (Source, PreparedData)):
        if validation is not None:
            told = "the data come from a source, which has transforms for both; write validation there"
            raise OptionError(told, path="fit.validation")
        every = [data] if isinstance(data, PreparedData) else _prepared(data, seeds)
        held = [one.validation for one in every if one.validation is not None]
        return together([one.training for one in every], seeds, model, loss), together(held, seeds, model, loss) if held else None
    if isinstance(validation, (Source, PreparedData)):
        told = "expected (x, y), (x, y, weight), a Dataset or a fraction; a source of both has its own option validation"
        raise OptionError(told, path="fit.validation")
    if isinstance(validation, (bool, int)):
        raise OptionError(f"expected data, or a fraction such as 0.2, got {shown(validation)}", path="fit.validation")
    return _drawn(data, validation, seeds, model, loss) if isinstance(validation, float) else (data, validation)


def together(parts: Sequence[Dataset], seeds: Seeds, model: Layer, loss: Loss) -> Dataset:
    """Rows for each distinct seed as rows for each run. One set alone is shared by all runs."""
    if len(parts) == 1:
        return parts[0]
    each = [part.as_targets_for(model.output_shape, loss.takes_classes) for part in parts]
    return stack(each, np.asarray(seeds.index).ravel())


def _prepared(source: Source, seeds: Seeds) -> list[PreparedData]:
    """For each distinct seed, or once where these make no difference."""
    return [source.prepare(int(seed)) for seed in (seeds.distinct if source.varies else list(seeds.distinct)[:1])]


def _drawn(data: Any, fraction: float, seeds: Seeds, model: Layer, loss: Loss) -> tuple[Dataset, Dataset]:
    """What is left of the rows, and a fraction that is held out, of each class its share."""
    if not 0 < fraction < 1:
        raise OptionError(f"expected a fraction greater than 0 and less than 1, got {fraction:g}", path="fit.validation")
    if not isinstance(data, Dataset):
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ShapeError(f"expected (x, y), (x, y, weight) or a Dataset, got {type(data).__name__}", path="data")
        try:
            data = Dataset(*data)
        except DataError as error:
            raise error.within("data") from None
    if data.sets is not None or data.x.ndim != 1 + len(model.input_shape) or len(data.y) != len(data.x):
        told = f"a fraction is drawn of rows that all runs share, (rows, {', '.join(map(str, model.input_shape))})"
        raise OptionError(f"{told}, with a target each, got {data.x.shape} and {data.y.shape}", path="fit.validation")
    numbered = loss.takes_classes and not data.classes and data.y.ndim == 1 and data.y.dtype.kind in "iu" and data.y.min() >= 0
    by_class = Dataset(data.x, data.y, classes=tuple(map(str, range(int(data.y.max()) + 1)))) if numbered else data
    try:
        found = [held_out(by_class, fraction, generator(int(seed), "split"), Split()) for seed in seeds.distinct]
    except DataError as error:
        raise error.within("fit") from None
    kept, held = ([data.rows(rows[i]) for rows in found] for i in (0, 1))
    return together(kept, seeds, model, loss), together(held, seeds, model, loss)
