"""The JSON Schema that editors check configs by: it says yes and no as nnframe itself does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from test_compose import experiments

from nnframe import __main__ as command
from nnframe.components.component import config_of
from nnframe.components.options import options
from nnframe.components.registry import REGISTRY
from nnframe.config.compose import load
from nnframe.config.experiment import Experiment, checked
from nnframe.config.reading import Document, parse
from nnframe.config.schema import own, schema
from nnframe.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"
GENDER = (CONFIGS / "gender.yaml").read_text()
LINE = "# yaml-language-server: $schema={}nnframe.schema.json"


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(schema())


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the example configs and data, as the current one."""
    shutil.copytree(CONFIGS, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text):
    return parse(text, "x.yaml", "", {})


def test_the_schema_is_itself_valid():
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(made)) == made


def test_every_reference_leads_somewhere_and_nothing_is_left_over():
    made = schema()
    text = json.dumps(made)
    used = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert used - set(made["$defs"]) == set()
    assert set(made["$defs"]) - used == set()


def test_every_component_is_in_it_with_all_its_options():
    made = schema()
    for slot, known in REGISTRY.items():
        choices = made["$defs"][slot.replace(" ", "_")]["anyOf"]
        names = choices[0].get("enum", [])
        key = slot.replace(" ", "_")
        assert [choice["$ref"].rpartition("/")[2] for choice in choices if "$ref" in choice] == [f"{key}.{name}" for name in known]
        for name, cls in known.items():
            part = made["$defs"][f"{key}.{name}"]
            assert list(part["properties"]) == ["type", *options(cls)] and part["additionalProperties"] is False
            needed = [option.name for option in options(cls).values() if option.required or option.variadic]
            assert sorted(part["required"]) == sorted(["type", *needed])
            assert (name in names) == (not needed), f"{name} as a bare name"
            assert part["description"]
    assert list(made["properties"]) == [*options(Experiment), "extends"]


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONFIGS)))
def test_every_example_is_valid_and_names_the_schema(validator, path):
    assert path.read_text().splitlines()[0] == LINE.format("../" * (len(path.relative_to(CONFIGS).parts) - 1))
    validator.validate(read(path.read_text()))
    validator.validate(config_of(checked(load(path))))


WRITES = "python -m nnframe schema --no-plugins -o configs/nnframe.schema.json"


def test_the_file_that_the_examples_name_is_current():
    written = (CONFIGS / "nnframe.schema.json").read_text()
    assert written == json.dumps(schema(own()), indent=1) + "\n", f"configs/nnframe.schema.json is out of date; mend it with: {WRITES}"


def test_the_file_that_the_examples_name_is_in_a_clone():
    if not (CONFIGS.parent / ".git").exists():
        pytest.skip("needs a clone")
    git = ["git", "-C", str(CONFIGS.parent)]
    assert subprocess.run([*git, "ls-files", "--error-unmatch", "configs/nnframe.schema.json"], capture_output=True).returncode == 0
    assert subprocess.run([*git, "check-ignore", "--no-index", "-q", "configs/nnframe.schema.json"]).returncode == 1


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the strategy, by Hypothesis
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=experiments())
def test_what_nnframe_takes_the_schema_takes(validator, config):
    validator.validate(config)
    validator.validate(config_of(checked(Document(config))))


@pytest.mark.parametrize(
    "text",
    [
        "extends: gender.yaml",
        "{extends: gender.yaml, seed: 3}",
        "{extends: gender.yaml, train: {epochs: 5}}",
        "{extends: gender.yaml, optimizer: {lr: 0.2}}",
        "{extends: gender.yaml, optimizer: {type: Adam}}",
        "{extends: gender.yaml, data: {validation: 0.25}}",
        "{extends: gender.yaml, data: {target: {column: gender}}}",
        "{extends: gender.yaml, predict: {Bob: {weight: 150, height: 70}}}",
    ],
)
def test_a_config_that_extends_another_may_leave_out_what_that_one_says(place, validator, text):
    (place / "x.yaml").write_text(text)
    checked(load(Path("x.yaml")))
    validator.validate(read(text))


WRONG = [
    ("name: gender", "name: 7"),
    ("name: gender", "nmae: gender"),
    ("name: gender", "name: a/b"),
    ("name: gender", "name: ../gender"),
    ("name: gender", "name: my gender"),
    ("name: gender", "name: ''"),
    ("name: gender", "name: .hidden"),
    ("name: gender", "name: gender."),
    ("name: gender", f"name: {'g' * 101}"),
    ("name: gender", "name: Con.txt"),
    (GENDER[GENDER.index("model:") : GENDER.index("loss:")], "model: []\n"),
    ("- Sigmoid ", "- {type: Residual, layers: []} "),
    ("- Sigmoid ", "- {type: Sequential} "),
    ("- Sigmoid ", "- Residual "),
    ("name: gender", "name: null"),
    ("seed: 0", "seed: -1"),
    ("seed: 0", "seed: 0.5"),
    ("seed: 0", "seed: '0'"),
    ("seed: 0", "seed: true"),
    ("seed: 0", "seed: 9223372036854775808"),
    ("dtype: float64", "dtype: float16"),
    ("dtype: float64", "dtype: 64"),
    ("type: CSV", "type: TSV"),
    ("type: CSV\n", "type: null\n"),
    ("  type: CSV\n", ""),
    ("  path: data/gender.csv", "  path: 3"),
    ("  path: data/gender.csv", "  file: data/gender.csv"),
    ("inputs: [weight, height]", "inputs: weight"),
    ("inputs: [weight, height]", "inputs: [1, 2]"),
    ("inputs: [weight, height]", "inputs: [weight, height]\n  validation: 1"),
    ("inputs: [weight, height]", "inputs: [weight, height]\n  validation: 20"),
    ("inputs: [weight, height]", "inputs: [weight, height]\n  validation: '0.25'"),
    ("inputs: [weight, height]", "inputs: [weight, height]\n  delimiter: 3"),
    ("column: gender", "name: gender"),
    ("classes: [M, F]", "classes: M"),
    ("classes: [M, F]", "classes: [true, false]"),
    ("[{type: Shift, by: [-135, -66]}]", "[{type: Shift, by: mean}]"),
    ("[{type: Shift, by: [-135, -66]}]", "[Shift]"),
    ("[{type: Shift, by: [-135, -66]}]", "Standardize"),
    ("[{type: Shift, by: [-135, -66]}]", "[{type: Standardize, mean: 1}]"),
    ("units: 2", "units: 0"),
    ("units: 2", "units: 2.5"),
    ("units: 2", "units: [2]"),
    ("units: 2", "unit: 2"),
    ("units: 2", "units: 2, activation: ReLU"),
    ("units: 2", "units: 2, bias: 1"),
    ("type: Dense, units: 2", "units: 2"),
    ("type: Dense, units: 2", "type: Linear, units: 2"),
    ("units: 2, init: Normal", "units: 2, init: normal"),
    ("units: 2, init: Normal", "units: 2, init: Constant"),
    ("units: 2, init: Normal", "units: 2, init: {type: Normal, std: -1}"),
    ("units: 2, init: Normal", "units: 2, init: {type: Normal, std: {type: Cosine, start: 1}}"),
    ("units: 2, init: Normal", "units: 2, init: {type: Sigmoid}"),
    ("- Sigmoid ", "- sigmoid "),
    ("- Sigmoid ", "- Dense "),
    ("- Sigmoid ", "- [Sigmoid] "),
    ("- Sigmoid ", "- {type: Dropout, p: 1} "),
    ("- Sigmoid ", "- {type: Dropout, p: -0.1} "),
    ("- Sigmoid ", "- {type: Dropout, p: {type: Cosine}} "),
    ("- Sigmoid ", "- {type: Residual, layers: [{type: Dense}]} "),
    ("loss: MSE", "loss: mse"),
    ("loss: MSE", "loss: [MSE]"),
    ("loss: MSE", "loss: {type: MSE, reduction: sum}"),
    ("loss: MSE", ""),
    ("lr: 0.1}", "lr: 0}"),
    ("lr: 0.1}", "lr: '0.1'}"),
    ("lr: 0.1}", "lr: [0.1, 0.2]}"),
    ("lr: 0.1}", "lr: Cosine}"),
    ("lr: 0.1}", "lr: {type: Cosin, start: 1}}"),
    ("lr: 0.1}", "lr: {type: Step, start: 1}}"),
    ("lr: 0.1}", "momentum: 1}"),
    ("{type: SGD, lr: 0.1}", "{type: Adam, betas: [0.9]}"),
    ("{type: SGD, lr: 0.1}", "{type: Adam, betas: [0.9, 1]}"),
    ("{type: SGD, lr: 0.1}", "{type: Adam, amsgrad: 'yes'}"),
    ("epochs: 1000", "epochs: 0"),
    ("epochs: 1000", "epoch: 1000"),
    ("batch_size: 1", "batch_size: full"),
    ("evaluate_train: true", "evaluate_train: 1"),
    ("evaluate_train: true", "blas_threads: all"),
    ("evaluate_train: true", "blas_threads: 0"),
    ("evaluate_train: true", "eval_batch_size: 0"),
    ("metrics: [BinaryAccuracy]", "metrics: BinaryAccuracy"),
    ("metrics: [BinaryAccuracy]", "metrics: [{type: BinaryAccuracy, threshold: 2}]"),
    ("weight: 128", "weight: [128]"),
    ("{Emily: {weight: 128, height: 63},", "{Emily: [128, 63],"),
    ("every: 100", "every: 0"),
    ("every: 100", "evry: 100"),
    ("every: 100}", "every: 100}\nextends: [a.yaml]"),
]


def test_there_are_enough_wrong_ones():
    assert len(WRONG) >= 30


@pytest.mark.parametrize("written, instead", WRONG, ids=[instead[:50] or f"no {written}" for written, instead in WRONG])
def test_what_the_schema_refuses_nnframe_refuses(place, validator, written, instead):
    assert written in GENDER
    (place / "x.yaml").write_text(GENDER.replace(written, instead, 1))
    data = read((place / "x.yaml").read_text())
    assert not validator.is_valid(data)
    with pytest.raises(ConfigError):
        checked(load(Path("x.yaml")))


@pytest.mark.parametrize(
    "written, instead",
    [
        ("loss: MSE", "loss: {type: MSE}"),
        ("- Sigmoid ", "- {type: Sigmoid} "),
        ("init: Normal", "init: {type: Normal}"),
        ("{type: SGD, lr: 0.1}", "SGD"),
        ("[{type: Shift, by: [-135, -66]}]", "[Standardize]"),
        ("[{type: Shift, by: [-135, -66]}]", "[{type: Shift, by: 3}]"),
        ("{column: gender, classes: [M, F]}", "gender"),
        ("{column: gender, classes: [M, F]}", "[gender, name]"),
        ("lr: 0.1}", "lr: {type: Cosine, start: 0.1, stop: 0}}"),
        ("lr: 0.1}", "lr: {type: Step, start: 0.1, every: 10, factor: 0.5}}"),
        ("inputs: [weight, height]", "inputs: [weight, height]\n  validation: 0.25"),
        ("inputs: [weight, height]", "inputs: [weight, height]\n  validation: {type: CSV, path: v.csv, target: gender}"),
        ("evaluate_train: true", "blas_threads: auto"),
        ("evaluate_train: true", "blas_threads: 2"),
        ("- Sigmoid ", "- {type: Residual, layers: [{type: Dense, units: 2}, Tanh]} "),
    ],
)  # fmt: skip
def test_bare_names_and_other_forms_are_valid_for_both(place, validator, written, instead):
    assert written in GENDER
    (place / "x.yaml").write_text(GENDER.replace(written, instead, 1))
    validator.validate(read((place / "x.yaml").read_text()))
    checked(load(Path("x.yaml")))


# ---------------------------------------------------------------------------------------------- the verb

PLUGIN = '''
import nnframe as nn


class Scaled(nn.Layer):
    """y = x by a number."""

    def __init__(self, by: nn.PerRun[nn.Positive], *, often: nn.Size = 1):
        self.by = by
'''


def test_the_verb_prints_it_or_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == schema()
    for option in ("-o", "--output"):
        assert command.main(["schema", option, "nnframe.schema.json"]) == 0
        assert capsys.readouterr().out == "nnframe.schema.json\n"
        assert (tmp_path / "nnframe.schema.json").read_text() == printed


def test_a_schema_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["schema", "-o", "no/where.json"]) == 2
    assert capsys.readouterr().err == "cannot write no/where.json: No such file or directory\n"


def test_a_plugins_components_are_in_it(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    made = subprocess.run(
        [sys.executable, "-m", "nnframe", "schema", "--plugin", "mine.py", "-o", "mine.json"], cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(CONFIGS.parent), "PATH": ""},
    )  # fmt: skip
    assert (made.returncode, made.stdout, made.stderr) == (0, "mine.json\n", "")
    validator = jsonschema.Draft202012Validator(json.loads((tmp_path / "mine.json").read_text()))
    validator.check_schema(validator.schema)
    for layer, valid in (
        ("{type: Scaled, by: 2}", True),
        ("{type: Scaled, by: 0}", False),
        ("Scaled", False),
        ("{type: Scaled, by: 2, oftn: 3}", False),
    ):
        assert validator.is_valid(read(GENDER.replace("- Sigmoid ", f"- {layer} ", 1))) == valid


def test_without_plugins_it_is_the_same_whatever_is_installed(tmp_path):
    """The command that the message above names writes the package's own components, and says so if more are asked for."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "mine-1.0.dist-info").mkdir()
    (tmp_path / "mine-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (tmp_path / "mine-1.0.dist-info" / "entry_points.txt").write_text("[nnframe.plugins]\nmine = mine\n")

    def printed(*options):
        environment = {"PYTHONPATH": f"{CONFIGS.parent}:{tmp_path}", "PATH": ""}
        return subprocess.run(
            [sys.executable, *WRITES.split()[1:5], *options], cwd=tmp_path, capture_output=True, text=True, env=environment
        )

    made = printed()
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == (CONFIGS / "nnframe.schema.json").read_text() and "Scaled" not in made.stdout
    refused = printed("--plugin", "mine.py")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "schema: --plugin and --no-plugins contradict each other; leave one of them out\n"
