"""What the command does with what was trained: predict rows, and evaluate on rows with their targets."""

import json
import sys
from pathlib import Path

from nnframe.errors import printable
from nnframe.runs import evaluate as evaluating
from nnframe.runs import predict as predicting
from nnframe.runs.load import Trained
from nnframe.sweeps.load import load


def predict(folder: Path, rows: Path, output: Path | None, skip_bad: bool, copied: list[str]) -> int:
    """Write what is predicted for the rows of a file. Returns the exit status: 1 if some rows were skipped."""
    bad = predicting.predict(_loaded(folder), rows, output, skip_bad, _say, copied)
    if bad:
        _say(f"{bad:,} row{'s' * (bad != 1)} had mistakes; their predictions are empty")
    if output is not None:
        print(output)
    return 1 if bad else 0


def evaluate(folder: Path, rows: Path | None, as_json: bool) -> int:
    """Print loss and metrics with their intervals, and the confusion matrix. Returns the exit status."""
    found = evaluating.evaluated(_loaded(folder), rows)
    if as_json:
        print(json.dumps(found.record(), indent=2))
    else:
        print(f"{found.rows:,} rows of {found.of}", str(found), sep="\n")
    return 0


def _loaded(folder: Path) -> Trained:
    """What a folder has trained. That its training has not ended well is told: some weights are numbers still."""
    found = load(folder)
    if (status := found.record.get("status")) != "finished":
        _say(f"note: {folder}: the training {'was ' * (status == 'interrupted')}{status}")
    return found


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr)
