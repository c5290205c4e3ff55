"""A line of a terminal is as wide as the terminal: what does not fit in whole is left out, and losses are the last to go."""

import re

import pytest

from nnframe.training.log import fitted

ENTRIES = ["loss 0.06231", "val_loss 0.0712", "accuracy 0.9876", "val_accuracy 0.9694"]


@pytest.mark.parametrize("entries", [ENTRIES, ENTRIES[:1], [], ["loss -1.235e-05", *ENTRIES[1:]]])
@pytest.mark.parametrize("name", ["gender", "n" * 100])
def test_all_that_stands_there_is_whole_and_fits(name, entries):
    before = 0
    for width in range(1, 300):
        line = fitted(width, name, "123/1000", "00:41 left", entries)
        bar = re.search(r"\{bar:(\d+)\}", line)
        assert len(line.replace(bar[0], "x" * int(bar[1])) if bar else line) <= width
        parts = line.split("  ") if line else []
        assert set(parts) <= {name, "123/1000", "00:41 left", *entries, f"|{bar and bar[0]}|"}
        numbers = [part for part in parts if part in entries]
        assert numbers == [entry for entry in entries if entry in numbers]  # in their order
        if entries and width >= len(entries[0]):
            assert entries[0] in parts
        if len(entries) > 1 and width >= len("  ".join(entries[:2])):
            assert entries[1] in parts
        assert len(numbers) >= before or set(entries[:2]) <= set(numbers)
        before = len(numbers)
    assert parts == [name, "|{bar:30}|", "123/1000", *entries, "00:41 left"]


def test_at_80_columns():
    assert (
        fitted(79, "gender", "123/1000", "00:41 left", ENTRIES)
        == "gender  123/1000  loss 0.06231  val_loss 0.0712  accuracy 0.9876  00:41 left"
    )
    assert fitted(79, "gender", "123/1000", "00:41 left", ENTRIES[:1]) == "gender  |{bar:30}|  123/1000  loss 0.06231  00:41 left"
    assert fitted(19, "gender", "123/1000", "00:41 left", ENTRIES) == "loss 0.06231"
