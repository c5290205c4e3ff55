"""What else the command does with configs: check one before training, show it in full, list components, write the schema."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components import plugins
from nnframe.components.registry import REGISTRY
from nnframe.components.wording import ordinary, shown
from nnframe.config.build import Job, build
from nnframe.config.compose import load
from nnframe.config.experiment import is_sweep
from nnframe.config.reading import dump
from nnframe.config.schema import own, schema
from nnframe.errors import FileError, GradientError, OptionError, UsageError
from nnframe.gradcheck import check_gradients
from nnframe.runs.advice import advice, constant_inputs, start

ROWS = 16  # of the data, to check gradients on


def check(config: Path, overrides: list[str]) -> int:
    """Build without training; print layers, memory, the loss at the start; check every gradient. Of a sweep, its first trial.

    Returns the exit status.
    """
    document = load(config, overrides)
    if not is_sweep(document):
        job = build(document, test=True)
    else:
        from nnframe.sweeps.prepare import prepare

        prepared = prepare(document)
        print(prepared.headline)
        job = prepared.first
    data, model = job.data.training, job.model
    held = {"validate": job.data.validation, "test": job.data.test}
    parts = [f"{len(data.x)} rows", *(f"{len(part.x)} to {verb} on" for verb, part in held.items() if part is not None)]
    print(f"{job.experiment.name}: {', '.join(parts)}", *(f"note: {note}" for note in data.notes), sep="\n")
    print(model)
    print(f"memory: {_memory(job)} for parameters, gradients, optimizer and one batch")
    found, _, expected = start(job)
    print(f"loss at the start: {ordinary(found)}" + (f" (expected {expected})" if expected else ""))
    wrong = list(_gradients(job))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    constant = [f"data: the input {name!r} has the same value in all rows of the training part" for name in constant_inputs(job)]
    for line in (*advice(job), *constant):
        print(f"warning: {line}")
    if wrong:
        return 2
    print("gradients: every layer's backward is the derivative of its forward")
    return 0


def _memory(job: Job) -> str:
    model, optimizer = job.model, job.training.optimizer
    numbers = 2 * model.params.size + sum(array.size for array in optimizer.state.values()) + model.state.size
    widths = sum(int(np.prod(layer.output_shape)) for layer in model.layers)
    size = (numbers + 4 * widths * job.experiment.train.batch_size) * model.dtype.itemsize / 1024
    for unit in ("KiB", "MiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"


def _gradients(job: Job) -> Iterator[str]:
    """Each kind of layer by itself on what reaches it from the data, then the whole model with its loss."""
    x = job.model.cast(job.data.training.x[:ROWS])
    checked: set[tuple[str, Any]] = set()  # one of many layers that are alike is enough
    for i, layer in enumerate(job.model.layers):
        try:
            if (kind := (repr(layer), layer.input_shape)) not in checked:
                check_gradients(layer, x, tolerance=1e-6)
            checked.add(kind)
        except GradientError as error:
            yield f"model.{i}: {type(layer).__name__}: {error.message}"
            return  # what follows is wrong too
        x = np.array(layer.forward(x))
    loss = job.experiment.loss
    data = job.data.training.as_targets_for(job.model.output_shape, loss.takes_classes)
    weight = None if data.weight is None else data.weight[:ROWS]
    try:
        check_gradients(job.model, data.x[:ROWS], loss=loss, target=data.y[:ROWS], weight=weight, tolerance=1e-6)
    except GradientError as error:
        yield f"loss: with {loss!r} at its end: {error.message}"


def show(config: Path, overrides: list[str]) -> int:
    """Print the complete config, as a run's folder would hold it."""
    document = load(config, overrides)
    if is_sweep(document):
        from nnframe.sweeps.prepare import prepare

        print(dump(prepare(document).resolved), end="")
    else:
        print(dump(build(document).resolved), end="")
    return 0


def show_list(words: list[str], output: Path | None, html: bool) -> int:
    """Print what is known of some words, or of everything; or make a page for a browser of everything."""
    plugins.load_installed()
    if not html:
        from nnframe.command.listing import answer

        return put(answer(words), output)
    if words:
        raise OptionError(f"--html makes a page of everything; leave {shown(words[0])} out", path="list")
    from nnframe.command.reference import reference

    return put(reference(), output)


def write_schema(output: Path | None, no_plugins: bool) -> int:
    """Print the JSON Schema of configs, or write it to a file."""
    if no_plugins and plugins.LOADED:
        raise UsageError("schema: --plugin and --no-plugins contradict each other; leave one of them out")
    if not no_plugins:
        plugins.load_installed()
    return put(json.dumps(schema(own() if no_plugins else REGISTRY), indent=1) + "\n", output)


def put(text: str, path: Path | None) -> int:
    """Print a text, or write it to a file and print its name."""
    if path is None:
        print(text, end="")
        return 0
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from None
    print(path)
    return 0
