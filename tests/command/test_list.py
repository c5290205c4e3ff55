"""`nnframe list`: every component, section and option answers, with an example that is valid, in a terminal and on a page."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import nnframe as nn
from nnframe import __main__ as command
from nnframe.command.pages import PLACES, sections, slots, written
from nnframe.components import plugins
from nnframe.components.markers import per_run
from nnframe.components.options import options, sentence
from nnframe.components.registry import REGISTRY
from nnframe.config.compose import load
from nnframe.config.experiment import Experiment, checked
from nnframe.errors import ConfigError

ROOT = Path(__file__).parents[2]
COMPONENTS = [(slot, name) for slot, known in REGISTRY.items() for name, cls in known.items() if cls.__module__.startswith("nnframe.")]


def do(capsys, *arguments):
    status = command.main(["list", *map(str, arguments)])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def said(capsys, *words):
    status, out, err = do(capsys, *words)
    assert (status, err) == (0, "")
    return out


@pytest.fixture
def forgotten(monkeypatch):
    """What a plugin registers is forgotten after the test."""
    monkeypatch.setattr(plugins, "LOADED", [])
    known = {slot: dict(names) for slot, names in REGISTRY.items()}
    yield
    for slot, names in list(REGISTRY.items()):
        for name in set(names) - set(known.get(slot, ())):
            del names[name]
        if slot not in known:
            del REGISTRY[slot]


# ---------------------------------------------------------------------------------------------- examples

BASE = """
data: Moons
model: [{type: Dense, units: 2}]
loss: CrossEntropy
optimizer: SGD
train: {epochs: 2, batch_size: 8}
"""


def takes(folder, example):
    (folder / "base.yaml").write_text(BASE)
    (folder / "x.yaml").write_text(f"extends: base.yaml\n{example}")
    return checked(load(folder / "x.yaml"))


def test_every_example_of_a_component_is_a_config_that_has_it(tmp_path):
    pages = {(slot.name, page.name): page for slot in slots() for page in slot.pages}
    assert set(COMPONENTS) <= set(pages)
    for slot, name in COMPONENTS:
        page = pages[slot, name]
        assert re.search(rf"\b{name}\b", page.example), page
        experiment = takes(tmp_path, page.example)
        if slot in ("layer", "initializer"):
            nn.Sequential(*experiment.model).build(64)


def test_a_form_is_the_bare_name_where_all_have_defaults_and_else_what_is_needed(tmp_path):
    for slot in slots():
        for page in slot.pages:
            alone = written(PLACES[slot.name](page.name))
            if page.form == page.name:
                takes(tmp_path, alone)
            else:
                assert page.form.startswith(f"{{type: {page.name}, ") and "..." not in page.form
                with pytest.raises(ConfigError):
                    takes(tmp_path, alone)


def test_every_section_has_an_example_that_is_valid(tmp_path):
    found = {page.name: page for page in sections()}
    assert list(found) == [
        "config", "data", "data.cv", "data.split", "data.target", "train", "train.checkpoint", "weights", "log",
        "sweep", "sweep.objective", "sweep.confirm", "sweep.parameters",
    ]  # fmt: skip
    for name, page in found.items():
        example = page.example
        if name == "data.target":
            example = example.replace("target:", "type: CSV, path: a.csv, target:")
        for part in name.split(".") if name != "config" else ("model", "optimizer"):
            assert f"{part}:" in example
        takes(tmp_path, example)


def test_the_sections_have_all_keys_of_a_config(capsys):
    out = said(capsys, "config")
    for key in (*options(Experiment), "extends"):
        assert re.search(rf"^  {key} ", out, re.M)


# ---------------------------------------------------------------------------------------------- what is printed


def test_the_overview_has_every_component_as_a_config_writes_it(capsys):
    out = said(capsys)
    for line in (
        "layers, in model, Sequential.layers, Residual.layers:\n  Identity\n      y = x.\n",
        "  {type: Dense, units: 64}\n      Affine map y = x W + b.\n",
        "  {type: CSV, path: data.csv, target: y}\n      A CSV file in UTF-8, or another `encoding`.\n",
        "  {type: Step, start: 0.1, every: 10}\n",
        "  MSE\n      Mean squared error: l = mean (pred - target)^2 over a row's outputs.\n",
        "data sources, in data, data.validation, data.test:\n",
        "initializers, in Dense.init, Dense.bias_init:\n",
        "  train.checkpoint  seconds, epochs\n",
        "metrics, in metrics:\n",
        "  (and every loss, by its own name)\n",
    ):
        assert line in out
    for _, name in COMPONENTS:
        assert re.search(rf"^  (\{{type: )?{name}(, .*)?$", out, re.M), name
    assert not re.search(r"^  \w+\(", out, re.M), "a signature of Python's"


def test_the_first_sentence_is_whole(capsys):
    out = re.sub(r"\s+", " ", said(capsys))
    for slot, name in COMPONENTS:
        first = sentence(REGISTRY[slot][name])
        assert first.endswith(".") and first in out
    assert "f must keep the shape (He et al. 2016)." in out
    assert "each place as likely as the others (as He et al. 2015 do with 4)." in out


@pytest.mark.parametrize(
    "text, first",
    [
        ("As (He et al. 2015) say. More.", "As (He et al. 2015) say."),
        ("Some, e.g. this one, cf. that. More.", "Some, e.g. this one, cf. that."),
        ("That is, i.e. this. More. And more.", "That is, i.e. this."),
        ("Cf. the other. More.", "Cf. the other."),
        ("See Fig. 3\n    and Eq. (4). More.", "See Fig. 3 and Eq. (4)."),
        ("y = x W. More.", "y = x W."),
        ("A seal. More.", "A seal."),
        ("No stop\n\n    More.", "No stop"),
        ("v1.5 is one word. More.", "v1.5 is one word."),
        ("", ""),
        (None, ""),
    ],
)
def test_a_sentence_ends_where_it_ends(text, first):
    assert sentence(type("Some", (), {"__doc__": text})) == first


def test_a_component_answers_with_all_there_is_to_know(capsys):
    assert said(capsys, "Dense") == (
        "Dense, a layer\n"
        "\n"
        "  Affine map y = x W + b.\n"
        "\n"
        "  x (*runs, batch, ..., n), W (*runs, n, units), b (*runs, 1, units), y (*runs,\n"
        "  batch, ..., units). Further feature axes before the last are folded into the\n"
        "  rows of one product.\n"
        "\n"
        "  option     default       takes\n"
        "  units      required      an integer of at least 1\n"
        "  init       FanInUniform  an initializer\n"
        "  bias       true          true or false\n"
        "  bias_init  FanInUniform  an initializer\n"
        "  name       null          a text (up to 100 letters, digits, '-' and '_',\n"
        "                           beginning with a letter)\n"
        "\n"
        "  model: [{type: Dense, units: 64, init: FanInUniform, bias: true}]\n"
    )


def test_every_component_answers_with_every_option(capsys):
    out = said(capsys, *(name for _, name in COMPONENTS))
    answers = {found[1]: found[0] for found in re.finditer(r"^(\w+), an? .*\n(\n|  .*\n)*", out, re.M)}
    for slot, name in COMPONENTS:
        table = re.sub(r" +", " ", re.sub(r"\n {10,}", " ", answers[name].partition("\n  option ")[2]))  # what goes on in the next line
        cls = REGISTRY[slot][name]
        for key, option in options(cls).items():
            (line,) = re.findall(rf"^ {key} .*", table, re.M)
            assert ("required" in line) == (option.required or option.variadic)
            assert ("may differ per run" in line) == per_run(option.kind)
            assert ("follow a schedule" in line) == (per_run(option.kind) and cls.schedulable)


@pytest.mark.parametrize(
    "word, lines",
    [
        ("SGD", ["  lr            0.01     a number greater than 0; may differ per run or follow a", "                         schedule", "  nesterov      false    true or false"]),
        ("GlorotUniform", ["  gain    1.0      a number greater than 0; may differ per run"]),
        ("train", ["  epochs           required         an integer of at least 1", "  checkpoint       {seconds: 30.0}  a mapping of seconds, epochs"]),
        ("Sequential", ["  layers  required  a list, each item a layer"]),
        ("sweep.parameters", ["  scale    linear    one of 'linear', 'log'"]),
    ],
)  # fmt: skip
def test_options_in_words(capsys, word, lines):
    out = said(capsys, word).splitlines()
    assert [line for line in lines if line not in out] == []


@pytest.mark.parametrize(
    "words, heads",
    [
        (["dense"], ["Dense, a layer"]),
        (["BATCH_NORM"], ["BatchNorm, a layer"]),
        (["layer"], ["layers, in model"]),
        (["Layers"], ["layers, in model"]),
        (["model"], ["layers, in model"]),
        (["losses"], ["losses, in loss:"]),
        (["data source"], ["data sources, in data"]),
        (["data", "sources"], ["data sources, in data"]),
        (["data_source"], ["data sources, in data"]),
        (["metrics"], ["metrics, in metrics:"]),
        (["data"], ["data, a section of a config"]),
        (["checkpoint"], ["train.checkpoint, a section of a config"]),
        (["train.checkpoint"], ["train.checkpoint, a section of a config"]),
        (["log"], ["log, a section of a config", "Log, a transform"]),
        (["Dense", "relu", "dense"], ["Dense, a layer", "ReLU, a layer"]),
        (["lr"], ["lr, an option of Adam, AdamW, RMSprop, SGD"]),
        (["optimizer.lr"], ["lr, an option of Adam, AdamW, RMSprop, SGD"]),
        (["SGD.lr"], ["lr, an option of SGD"]),
        (["train.epochs"], ["epochs, an option of train"]),
        (["data.validation"], ["validation, an option of data"]),
        (["seed"], ["seed, an option of config, XOR"]),
        (["name"], ["name, an option of config, every layer"]),
        (["Linear"], ["'Linear' is called Dense here.", "Dense, a layer"]),
        (["StandardScaler"], ["'StandardScaler' is called Standardize here."]),
        (["dataset"], ["'dataset' is called data here."]),
        (["nn.Dense"], ["Dense, a layer"]),
        (["learning_rate"], ["'learning_rate' is called lr here.", "lr, an option of Adam, AdamW, RMSprop, SGD"]),
        (["schedules"], ["schedules, in Adam.lr, AdamW.lr, RMSprop.lr, SGD.lr and "]),
    ],
)
def test_what_a_word_finds(capsys, words, heads):
    out = said(capsys, *words)
    found = [line for line in out.splitlines() if line and line[0] != " "]
    assert [line[: len(head)] for line, head in zip(found, heads, strict=False)] == heads


@pytest.mark.parametrize(
    "words, answer",
    [
        (["layr"], "list: nothing here is called 'layr'. Did you mean 'layer'? `nnframe list` names everything.\n"),
        (["Dens"], "list: nothing here is called 'Dens'. Did you mean 'Dense'? `nnframe list` names everything.\n"),
        (["initialiser"], "list: nothing here is called 'initialiser'. Did you mean 'initializer'? `nnframe list` names everything.\n"),
        (["weight_decya"], "list: nothing here is called 'weight_decya'. Did you mean 'weight_decay'? `nnframe list` names everything.\n"),
        (
            ["activation"],
            "list: nothing here is called 'activation'. An activation is a layer of its own. `nnframe list` names everything.\n",
        ),
        (["Dense", "zzzqqq"], "list: nothing here is called 'zzzqqq'. `nnframe list` names everything.\n"),
        ([""], "list: nothing here is called ''. `nnframe list` names everything.\n"),
        (["."], "list: nothing here is called '.'. `nnframe list` names everything.\n"),
        (["--html", "Dense"], "list: --html makes a page of everything; leave 'Dense' out\n"),
        (["-o", "no/where.txt"], "cannot write no/where.txt: No such file or directory\n"),
        (["--html", "-o", "no/where.html"], "cannot write no/where.html: No such file or directory\n"),
    ],
)
def test_what_is_not_known(capsys, words, answer):
    assert do(capsys, *words) == (2, "", answer)


# ---------------------------------------------------------------------------------------------- terminals


def test_in_a_pipe_no_line_is_longer_than_80_characters(capsys):
    out = said(capsys) + said(capsys, *(page.name for page in sections()), *(name for _, name in COMPONENTS))
    assert [line for line in out.splitlines() if len(line) > 80 or line != line.rstrip()] == []


@pytest.mark.parametrize("columns, most", [(56, 56), (300, 100), (10, 40), (0, 80)])
def test_on_a_terminal_lines_are_as_long_as_it_is_wide(columns, most):
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")} | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen([sys.executable, "-m", "nnframe", "list", "CSV"], cwd=ROOT, stdout=side, stderr=side, env=environment)
    os.close(side)
    out = b""
    try:
        while got := os.read(main, 65536):
            out += got
    except OSError:  # the other end is closed
        pass
    assert child.wait() == 0
    os.close(main)
    longest = max(len(line) for line in out.decode().replace("\r", "").splitlines())
    assert most - 12 < longest <= most


# ---------------------------------------------------------------------------------------------- plugins

PLUGIN = '''
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import nnframe as nn


@dataclass(frozen=True)
class Tree:
    left: "Tree | None" = None
    depth: nn.Size = 1


class Forest(nn.Source):
    """Has options that hold themselves, and some that no config can hold."""

    nested: Tree | None = None
    odd: Any = np.zeros(2)
    thing: Any = print
    share: float = np.float64(0.5)


class Risky(nn.Layer):
    """<script>alert("x & y")</script> of `a < b`.

    A formula:

        y = x   <b>  z
    """

    mode: Literal["</td><script>", "b"] = "</td><script>"
    what: Any = "\\u2028<i>"
    size: nn.Size

    def __post_init__(self):
        if self.size < 2:
            raise RuntimeError("a constructor that minds")


class Dense2(nn.Layer):
    def __init__(self, units: nn.Size, *, scales: dict[str, float] = {}, other: nn.Layer):
        pass


class Thing(nn.Component):
    slot = 'a"<i>slot'


Tricky = nn.register(type('"><i>', (Thing,), {"holds": None, "__annotations__": {"holds": Thing | None}}))


class Log(nn.Layer):
    """Has a name that a transform and a section have."""
'''


def test_a_plugins_components_answer_too(capsys, tmp_path, forgotten):
    (tmp_path / "mine.py").write_text(PLUGIN)
    out = said(capsys, "Risky", "--plugin", tmp_path / "mine.py")
    assert out.startswith('Risky, a layer\n\n  <script>alert("x & y")</script> of `a < b`.\n\n  A formula:\n\n      y = x   <b>  z\n')
    assert re.search(r"^  size    required +an integer of at least 1$", out, re.M) and re.search(r"^  what .* anything$", out, re.M)
    assert "  model: [{type: Risky, size: " in out
    out = said(capsys, "Dense2")
    assert out.startswith(
        "Dense2, a layer\n\n  option  default   takes\n  units   required  an integer of at least 1\n  scales  {}        a mapping\n"
    )
    assert "  model: [{type: Dense2, units: 1, other: " in out
    out = said(capsys, "Forest")
    for name, default in (
        ("nested", "null"),
        ("odd", "array\\(\\[0., 0.\\]\\)"),
        ("thing", "<built-in function"),
        ("share", "np.float64\\(0.5\\)"),
    ):
        assert re.search(rf"^  {name} +{default} ", out, re.M)
    assert out.endswith("\n  data: Forest\n")
    assert "  depth   1        an integer of at least 1\n" in said(capsys, "data.nested") and said(capsys)
    out = said(capsys, "log")
    assert [line for line in out.splitlines() if line and line[0] != " "] == [
        "log, a section of a config", "Log, a transform", "Log, a layer",
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------- the page


class Page(HTMLParser):
    """Tags that are balanced, ids and links."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links = [], set(), [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [value for name, value in given.items() if name in ("href", "src")]
        self.open += [] if tag in ("meta", "br", "hr") else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_has_every_component_and_section_and_needs_nothing_else(capsys, tmp_path):
    assert do(capsys, "--html", "-o", tmp_path / "reference.html") == (0, f"{tmp_path / 'reference.html'}\n", "")
    text = (tmp_path / "reference.html").read_text()
    assert text == said(capsys, "--html")
    page = Page(text)
    assert {name for _, name in COMPONENTS} | {section.name for section in sections()} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.links and {link.removeprefix("#") for link in page.links} <= set(page.ids), "a link that leads out of the page or nowhere"
    assert not page.tags & {"script", "link", "img", "iframe"} and "url(" not in text and "@import" not in text
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text
    article = unescape(text.partition('<article id="Dense">')[2].partition("</article>")[0])
    for part in (
        "Affine map y = x W + b.",
        "<code>units</code>",
        "required",
        "an integer of at least 1",
        "model: [{type: Dense, units: 64,",
    ):
        assert part in article
    for slot, name in COMPONENTS:
        article = text.partition(f'<article id="{name}">')[2].partition("</article>")[0]
        assert [key for key in options(REGISTRY[slot][name]) if f"<code>{key}</code>" not in article] == []
        assert slot == "data source" or "all data sources" not in article


def test_what_a_plugin_says_is_text_on_the_page(capsys, tmp_path, forgotten):
    (tmp_path / "mine.py").write_text(PLUGIN)
    text = said(capsys, "--html", "--plugin", tmp_path / "mine.py")
    page = Page(text)
    assert not page.tags & {"script", "b", "i"}
    assert "&lt;script&gt;alert(&quot;x &amp; y&quot;)&lt;/script&gt; of <code>a &lt; b</code>." in text
    assert "<pre>    y = x   &lt;b&gt;  z</pre>" in text
    assert {"Risky", "log", "Log", "layer.Log"} <= set(page.ids) and len(page.ids) == len(set(page.ids))


# ---------------------------------------------------------------------------------------------- the API


def test_the_public_names_render(tmp_path):
    pytest.importorskip("pdoc", reason="pip install -e '.[dev]'")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pdoc", "nnframe", "--no-show-source", "-o", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "nnframe.html").read_text()
    assert [name for name in nn.__all__ if f'id="{name}"' not in text] == []
    assert {"Dense", "fit", "History", "sweep", "SGD"} <= set(nn.__all__)
    assert not {"errors", "layers", "np"} & set(nn.__all__)
