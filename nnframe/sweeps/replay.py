"""All trials of a sweep's folder trained again: those of the search, those with fresh seeds, and those on the test part."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nnframe.config.reading import Document
from nnframe.errors import UsageError
from nnframe.runs.folder import DATA, environment
from nnframe.runs.replay import Replayed, differences_in
from nnframe.sweeps import results
from nnframe.sweeps.again import Different, again
from nnframe.sweeps.execute import Stop
from nnframe.sweeps.prepare import PreparedSweep, prepare
from nnframe.sweeps.runner import CONFIRM, TEST, Phase, phase_of, recorded, stacks_of, to_confirm, to_test
from nnframe.system.signals import caught
from nnframe.training.checkpoint import differences

PLUGINS = "plugins"  # like the data, they may be others now: then rows are, too, or not


def replay(folder: Path, document: Document, say: Callable[[str], None], workers: int, plugin_names: Sequence[str]) -> Replayed:
    """Train what has rows in a folder of the sweep in `document`, and compare. Nothing is written.

    Raises ConfigError where that cannot be trained, FileError and UsageError where there is nothing to compare with.
    """
    prepared, told, stop = prepare(document), list[str](), Stop()
    record = recorded(folder, prepared, free=(DATA, PLUGINS))
    now = json.loads(json.dumps(prepared.identity))
    changes = [*differences(record["identity"].get(DATA), now[DATA], DATA), *differences_in(record, environment())]
    say(prepared.headline)
    with caught(stop.note):
        for place, phase in _phases(folder, prepared):
            numbers = results.noted(folder / place)
            if not numbers and not place:
                raise UsageError(f"{folder}: no trial has a row to compare with")
            told.append(f"{len(numbers):,} of {phase.trials.count:,} trials{f' of {place}/' if place else ''}")
            try:
                again(phase, folder / place, numbers, stacks_of(phase, workers)[0], stop, workers, plugin_names)
            except Different as error:
                return Replayed("", f"{place}/: {error}" if place else str(error), changes)
    return Replayed(f"{', '.join(told)}; their logs and the hashes of their weights", "", changes)


def _phases(folder: Path, prepared: PreparedSweep) -> Iterator[tuple[str, PreparedSweep]]:
    """What has tables in a folder, and in which folder inside it."""
    yield "", prepared
    phases: list[Phase] = []
    for place, following in ((CONFIRM, _confirming), (TEST, to_test)):
        if not results.complete(tables := folder / CONFIRM if phases else folder):
            return
        phases.append(phase_of(prepared, tables))
        if (found := following(phases)) is None or not (folder / place).exists():
            return
        prepared = found
        yield place, prepared


def _confirming(phases: list[Phase]) -> PreparedSweep | None:
    best = to_confirm(phases[0])
    return phases[0].prepared.confirming(best) if best else None
