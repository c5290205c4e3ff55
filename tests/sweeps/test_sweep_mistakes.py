"""Sweeps that cannot be: each is refused with its own words, where it stands, and nothing is written."""

import re
from pathlib import Path

import pytest

import nnframe as nn
from nnframe import run
from nnframe.command.main import main as command
from nnframe.config.compose import load
from nnframe.sweeps import prepare

BASE = """\
data: {type: CSV, path: data/iris.csv, target: species}
model: [{type: Dense, units: 4}, ReLU, {type: Dense, units: 3}]
loss: CrossEntropy
optimizer: {type: SGD, lr: 0.1}
train: {epochs: 1, batch_size: 50}
metrics: [Accuracy]
sweep:
"""  # the section's own lines begin with number 8

MISTAKES = {
    # sweep: a line each, and what is said of them
    "{parameters: {optimizer.lrr: [1, 2]}}": "8:17: sweep.parameters.optimizer.lrr: SGD has no option 'lrr'. Did you mean 'lr'? Options: lr, momentum, dampening, weight_decay, nesterov.",
    "{parameters: {optimiser.lr: [1, 2]}}": "8:17: sweep.parameters.optimiser.lr: optimiser: unknown key 'optimiser'. Did you mean 'optimizer'? Keys: data, model, loss, optimizer, train, name, seed, ensemble, dtype, weights, metrics, callbacks, predict, log, sweep, extends.",
    "{parameters: {model.3.units: [1, 2]}}": "8:17: sweep.parameters.model.3.units: model is a list of 3; expected 0 to 2, got '3'",
    "{parameters: {optimizer.lr.start: [1, 2]}}": "8:17: sweep.parameters.optimizer.lr.start: optimizer.lr is 0.1, which has no 'start'",
    "{parameters: {optimizer.lr: []}}": "8:17: sweep.parameters.optimizer.lr: expected at least one value, got an empty list",
    "{parameters: {optimizer.lr: 0.1}}": "8:17: sweep.parameters.optimizer.lr: expected a list of values, a range such as {low: 1e-3, high: 1, scale: log}, or alternatives by name, got 0.1",
    "{parameters: {optimizer.lr: [0.1, -1, 0.2]}}": "8:37: sweep.parameters.optimizer.lr.1: expected a number greater than 0, got -1",
    "{parameters: {optimizer.lr: [0.1, 0.2, 0.1]}}": "8:17: sweep.parameters.optimizer.lr: the value 0.1 stands there twice; a setting of the same values tells nothing new",
    "{parameters: {optimizer.lr: [0.1, high]}}": "8:37: sweep.parameters.optimizer.lr.1: expected a number greater than 0, got 'high'",
    "{parameters: {optimizer.lr: {low: 1, high: 0.1, count: 2}}}": "8:32: sweep.parameters.optimizer.lr.low: expected low to be at most high, got 1 and 0.1",
    "{parameters: {optimizer.lr: {low: 0, high: 1, scale: log, count: 2}}}": "8:32: sweep.parameters.optimizer.lr.low: expected a number greater than 0 on a log scale, got 0",
    "{parameters: {optimizer.lr: {low: -1, high: 1, count: 2}}}": "8:32: sweep.parameters.optimizer.lr.low: expected a number greater than 0, got -1.0",
    "{parameters: {optimizer.momentum: {low: 0, high: 1, count: 2}}}": "8:46: sweep.parameters.optimizer.momentum.high: expected a number of at least 0 and less than 1, got 1.0",
    "{parameters: {optimizer.lr: {low: 0.1, high: 1}}}": "8:17: sweep.parameters.optimizer.lr: a grid needs to know which numbers: give step or count, or a list of values",
    "{parameters: {optimizer.lr: {low: 0.1, high: 1, count: many}}}": "8:51: sweep.parameters.optimizer.lr.count: expected an integer of at least 1, got 'many'",
    "{parameters: {optimizer.lr: {low: 0.1, high: 1, scale: lgo, count: 3}}}": "8:51: sweep.parameters.optimizer.lr.scale: expected one of 'linear', 'log', got 'lgo'. Did you mean 'log'?",
    "{parameters: {optimizer.lr: {low: 0.1, hihg: 1}}}": "8:42: sweep.parameters.optimizer.lr.hihg: unknown key 'hihg'. Did you mean 'high'? Keys: low, high, scale, integer, step, count.",
    "{parameters: {optimizer.lr: {low: 0.1, high: 1, step: 0}}}": "8:51: sweep.parameters.optimizer.lr.step: expected a number greater than 0, on a linear scale, and no count beside it",
    "{parameters: {model.0.units: {low: 1.5, high: 4, integer: true}}}": "8:33: sweep.parameters.model.0.units.low: expected whole numbers with integer: true",
    "{parameters: {optimizer.lr: {low: -1e308, high: 1e308, count: 2}}}": "8:45: sweep.parameters.optimizer.lr.high: the range from -1e+308 to 1e+308 is too wide",
    "{parameters: {optimizer.lr: {low: 1, high: 2, step: 1e-320}}}": "8:40: sweep.parameters.optimizer.lr.high: the range from 1 to 2 is too wide",
    "{parameters: {optimizer.lr: {low: 0.1, high: 1, count: 1000000000}}}": "7:1: sweep.sampler: the grid has 1,000,000,000 settings, and more than 1,000,000 are refused; draw some with sampler: Random",
    "{parameters: {optimizer.lr: {low: 0.1, high: 1, count: 1000000000}, optimizer.momentum: {low: 0, high: 0.9}}}": "7:1: sweep.sampler: the grid has 1,000,000,000 settings, and more than 1,000,000 are refused; draw some with sampler: Random",
    "{seeds: 1000, parameters: {optimizer.lr: {low: 0.1, high: 1, count: 10000}}}": "8:4: sweep.seeds: expected at most 1,000,000 trials, got 10,000,000: 10,000 settings x 1,000 seeds",
    "{seeds: 0}": "8:4: sweep.seeds: expected an integer of at least 1, got 0",
    "{seeds: []}": "8:4: sweep.seeds: expected a number of seeds or a list of them, got an empty list",
    "{seeds: [1, 2, 1]}": "8:4: sweep.seeds: the seed 1 stands there twice; a trial of the same seed tells nothing new",
    "{seeds: [1, -2]}": "8:15: sweep.seeds.1: expected an integer of at least 0 and at most 9223372036854775807, got -2",
    "{seeds: 10000000}": "8:4: sweep.seeds: expected at most 1,000,000 seeds, got 10,000,000",
    "{seeds: 3, trials: 10, sampler: Random, parameters: {optimizer.lr: [1, 2]}}": "8:14: sweep.trials: expected a multiple of the number of seeds, 3, since every setting is trained with each; got 10",
    "{sampler: Random, parameters: {optimizer.lr: [1, 2]}}": "7:1: sweep.trials: Random needs to know how many; write settings: 20, say",
    "{trials: 3, parameters: {optimizer.lr: [1, 2]}}": "8:4: sweep.trials: the grid has 2 settings, not 3; leave trials out",
    "{settings: 3, parameters: {optimizer.lr: [1, 2]}}": "8:4: sweep.settings: the grid has 2 settings, not 3; leave settings out",
    "{seeds: 2, settings: 2}": "8:14: sweep.settings: without parameters there is one setting, not 2; leave settings out",
    "{seeds: 3, settings: 5, trials: 12, sampler: Random, parameters: {optimizer.lr: [1, 2]}}": "8:14: sweep.settings: expected 4, since 12 trials with 3 seeds are so many settings, got 5; leave one of the two out",
    "{seeds: 3, settings: 400000, sampler: Random, parameters: {optimizer.lr: [1, 2]}}": "8:14: sweep.settings: expected at most 1,000,000 trials, got 1,200,000: 400,000 settings x 3 seeds",
    "{settings: 0, sampler: Random, parameters: {optimizer.lr: [1, 2]}}": "8:4: sweep.settings: expected an integer of at least 1, got 0",
    "{seeds: 2, trials: 4}": "8:14: sweep.trials: without parameters there is one setting, not 2; leave trials out",
    "{trials: 1000000000, sampler: Sobol, parameters: {optimizer.lr: [1, 2]}}": "8:4: sweep.trials: expected at most 1,000,000 trials, got 1,000,000,000",
    "{sampler: Grdi}": "8:4: sweep.sampler: unknown sampler 'Grdi'. Did you mean 'Grid'? Known: Grid, LatinHypercube, Random, Sobol.",
    "{confirm: {tops: 3}}": "8:14: sweep.confirm.tops: unknown key 'tops'. Did you mean 'top'? Keys: top, seeds.",
    "{confirm: {seeds: 0}}": "8:14: sweep.confirm.seeds: expected an integer of at least 1, got 0",
    "{confirm: {top: 3}, parameters: {optimizer.lr: [1, 2]}}": "8:14: sweep.confirm.top: expected at most 2, the number of settings, got 3",
    "{confirm: {seeds: 1000000}, parameters: {optimizer.lr: [1, 2]}}": "8:14: sweep.confirm.seeds: expected at most 1,000,000 trials, got 2,000,000",
    "{confirm: {seeds: 3}, seeds: [9223372036854775806]}": "8:14: sweep.confirm.seeds: after 9223372036854775806, the largest seed of the search, there are no 3 others",
    "{parameters: {seed: [1, 2]}}": "8:17: sweep.parameters.seed: is no parameter; write sweep.seeds instead",
    "{parameters: {name: [a, b]}}": "8:17: sweep.parameters.name: is no parameter: it changes nothing that is trained",
    "{parameters: {log.every: [1, 2]}}": "8:17: sweep.parameters.log.every: is no parameter: it changes nothing that is trained",
    "{parameters: {train.max_seconds: [1, 2]}}": "8:17: sweep.parameters.train.max_seconds: a trial shares its time with others; limit train.epochs",
    "{parameters: {model: {small: [{type: Dense, units: 3}], wrong: [{type: Dens, units: 3}]}}}": "8:68: sweep.parameters.model.wrong.0.type: unknown layer 'Dens'. Did you mean 'Dense'? Known: LAYERS.",
    "{parameters: {model: {wrong: [{type: Dense, units: 0}]}}}": "8:47: sweep.parameters.model.wrong.0.units: expected an integer of at least 1, got 0",
    "{parameters: {optimizer: [SGD, Adma]}}": "8:34: sweep.parameters.optimizer.1: unknown optimizer 'Adma'. Did you mean 'Adam'? Known: Adam, AdamW, RMSprop, SGD, SciPy.",
    "{objective: {metric: acuracy}}": "8:16: sweep.objective.metric: the log has no column 'acuracy' to rank by. Did you mean 'accuracy'? Columns: loss, accuracy.",
    "{objective: {metric: val_loss}}": "8:16: sweep.objective.metric: the log has no column 'val_loss' to rank by; there is no validation data. Did you mean 'loss'? Columns: loss, accuracy.",
    "{objective: {metric: lr}}": "8:16: sweep.objective.metric: the log has no column 'lr' to rank by. Columns: loss, accuracy.",
    "{objective: {mode: most}}": "8:16: sweep.objective.mode: expected one of 'min', 'max', got 'most'",
    "{parameters: {optimizer.lr: {min: 1e-4, max: 1e-1}}}": "8:17: sweep.parameters.optimizer.lr: expected a list of values, a range such as {low: 1e-3, high: 1, scale: log}, or alternatives by name, got a mapping of 'min', 'max'; write {low: 0.0001, high: 0.1}, or with scale: log",
    "{parameters: {model.0.units: {low: 4, high: 64, count: 5}}}": "8:17: sweep.parameters.model.0.units: expected a range of integers; write integer: true in it",
    "{parameters: {model.2.units: [2, 3]}}": "8:33: sweep.parameters.model.2.units.0: data.target: the target has 3 classes (setosa, versicolor, virginica), but the model has outputs (2,)",
    "{parameters: {optimizer.lr: [0.1], model: {small: [{type: Dense, units: 2}]}}}": "8:46: sweep.parameters.model.small: data.target: the target has 3 classes (setosa, versicolor, virginica), but the model has outputs (2,)",
    "{parameters: {data.path: [data/nothing.csv]}}": "8:29: sweep.parameters.data.path.0: there is no file PLACE/data/nothing.csv.",
    "{parameters: {data.validation: {low: 1e-4, high: 0.5, count: 2}}}": "8:17: sweep.parameters.data.validation: a validation part of 0.0001 of 150 rows leaves 150 to train on and 0 to validate on",
    "{paramters: {}}": "8:4: sweep.paramters: unknown key 'paramters'. Did you mean 'parameters'? Keys: parameters, seeds, sampler, trials, settings, objective, confirm, keep.",
}


@pytest.fixture
def config(place):
    path = place / "bad.yaml"
    path.write_text(BASE + "  {}\n")
    return path


def files():
    return sorted(Path().rglob("*"))


@pytest.mark.parametrize("section", MISTAKES)
def test_a_mistake_is_told_where_it_stands(config, capsys, section):
    config.write_text(f"{BASE}  {section}\n")
    before = files()
    assert run.main(["bad.yaml"]) == 2
    said = re.sub(r"Known: Dense, .*, \.\.\. \(`nnframe list layer` prints all \d+\)", "Known: LAYERS", capsys.readouterr().err)
    assert said == f"bad.yaml:{MISTAKES[section].replace('PLACE', str(Path.cwd()))}\n"
    assert files() == before


def test_all_mistakes_are_told_at_once(config, capsys):
    config.write_text(BASE + "  parameters: {optimizer.lr: [0, 0.1, -1], model.0.units: [0, 4], loss: [MSE, CrossEntropie]}\n")
    assert run.main(["bad.yaml"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in said[:-1]] == [
        "sweep.parameters.optimizer.lr.0",
        "sweep.parameters.optimizer.lr.2",
        "sweep.parameters.model.0.units.0",
        "sweep.parameters.loss.1",
    ]
    assert said[-1] == "4 mistakes; nothing was trained."


@pytest.mark.parametrize(
    ("section", "places"),
    [
        ("{objective: {mode: most}, parameters: {optimizer.lr: [-1], optimizer.momentum: []}}", "objective.mode parameters.optimizer.lr parameters.optimizer.momentum"),
        ("{objective: {metric: x}, seeds: 0, parameters: {optimizer.lr: [-1]}}", "objective.metric seeds parameters.optimizer.lr"),
        ("{objective: {metric: x}, sampler: Random, parameters: {optimizer.lr: [1]}}", "trials objective.metric"),
        ("{objective: {metric: x}, parameters: {model.2.units: [2]}}", "objective.metric parameters.model.2.units.0"),
        ("{parameters: {optimizer.lr: 0.1, model.0.units: [], optimizer.momentum: {min: 0, max: 1}}}", "parameters.optimizer.lr parameters.model.0.units parameters.optimizer.momentum"),
        ("{objective: 3, parameters: {optimizer.lr: [-1]}}", "objective parameters.optimizer.lr"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["run", "check", "plan"])
def test_no_mistake_of_the_section_hides_another(config, capsys, section, places, verb):
    config.write_text(f"{BASE}  {section}\n")
    assert command([verb, "bad.yaml"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in said[:-1]] == [f"sweep.{place}" for place in places.split()]


@pytest.mark.parametrize(
    "parameter", ["model.2.units: [2]", "data.validation: [1e-4]", "optimizer.lr: [-1]", "data.target: [specie]", "model.2: [{type: Dense, units: 2}]"]
)  # fmt: skip
def test_a_wrong_value_is_told_where_the_sweep_stands(config, capsys, parameter):
    config.write_text(BASE.partition("sweep:")[0])
    Path("over.yaml").write_text(f"extends: bad.yaml\nsweep:\n  parameters:\n    {parameter}\n")
    assert run.main(["over.yaml"]) == 2
    path = parameter.partition(": ")[0]
    assert re.match(rf"over.yaml:4:\d+: sweep.parameters.{re.escape(path)}", capsys.readouterr().err)


def test_a_mistake_of_the_config_itself_is_told_there(config, capsys):
    config.write_text(BASE.partition("sweep:")[0].replace("units: 3", "units: 2"))
    Path("over.yaml").write_text("extends: bad.yaml\nsweep: {parameters: {optimizer.lr: [0.1]}}\n")
    assert run.main(["over.yaml"]) == 2
    assert capsys.readouterr().err.startswith("bad.yaml:1:40: data.target: the target has 3 classes")


@pytest.mark.parametrize("place_of_it", [0, 77, 300])
@pytest.mark.parametrize(
    ("wrong", "told"), [("-1.0", "-1.0"), ("0.0", "0.0"), (".nan", "nan"), (".inf", "inf"), ("2", ""), ("high", "'high'")]
)
def test_a_wrong_one_of_many_numbers_is_told(config, capsys, wrong, told, place_of_it):
    values = [f"0.{i:03}" for i in range(1, 301)]
    values.insert(place_of_it, wrong)
    config.write_text(f"{BASE}  parameters: {{optimizer.lr: [{', '.join(values)}]}}\n")
    assert command(["plan", "bad.yaml"]) == (2 if told else 0)
    said = capsys.readouterr()
    if told:
        assert f": sweep.parameters.optimizer.lr.{place_of_it}: expected a number greater than 0, got {told}\n" in said.err
    else:
        assert said.out.startswith("bad: 301 settings x 1 seed = 301 trials")


WRONG = [f"Wrong{i}" for i in range(5000)]


@pytest.mark.parametrize(
    "values", [f"[{', '.join(WRONG)}]", f"{{{', '.join(f'n{i}: {name}' for i, name in enumerate(WRONG))}}}"], ids=["list", "names"]
)
def test_of_thousands_of_wrong_values_enough_are_looked_at(config, capsys, monkeypatch, values):
    tried, inspected = [], prepare.inspected
    monkeypatch.setattr(prepare, "inspected", lambda document: tried.append(document) or inspected(document))
    config.write_text(BASE + f"  parameters:\n    model.0: {values}\n")
    assert run.main(["bad.yaml"]) == 2
    err = capsys.readouterr().err
    assert "unknown layer 'Wrong0'" in err and "200 or more mistakes, of which 20 stand above; nothing was trained." in err
    assert len(tried) == 200 + 2  # and the config itself, with its sweep and without


def test_a_limit_of_time_is_refused(config, capsys):
    assert run.main(["bad.yaml", "train.max_seconds=3"]) == 2
    assert capsys.readouterr().err == "command line: train.max_seconds: a trial shares its time with others; limit train.epochs\n"


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1e3", "5000"])
def test_a_number_of_workers_that_cannot_be(config, capsys, workers):
    before = files()
    with pytest.raises(SystemExit) as ended:
        run.main(["bad.yaml", f"--workers={workers}"])
    assert ended.value.code == 2 and files() == before
    assert f"argument --workers: expected an integer from 1 to 1024, got '{workers}'" in capsys.readouterr().err


def test_in_python_workers_and_configs_are_checked_too(config):
    with pytest.raises(nn.OptionError, match=r"sweep.workers: expected an integer of at least 1, got 0"):
        nn.sweep("bad.yaml", workers=0)
    with pytest.raises(nn.ConfigError, match=r"command line: sweep.seeds: expected an integer of at least 1"):
        nn.sweep(load(config).data, ["sweep.seeds=0"])
    with pytest.raises(nn.ConfigError, match="has no section 'sweep'"):
        nn.sweep("configs/xor.yaml" if Path("configs").exists() else "xor.yaml")


def test_a_sweep_of_nothing_is_a_plain_run(config, capsys):
    assert run.main(["bad.yaml", "sweep=null", "--quiet"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert (folder / "weights.npz").exists() and not (folder / "trials.csv").exists()
    assert "sweep" not in load(folder / "config.yaml").data
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run.main(["--resume", str(folder), "sweep={seeds: 3}"]) == 2
    assert capsys.readouterr().err == f"{folder} holds one run, which cannot become a sweep\n"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_check_and_show_work_on_the_base(config, capsys):
    config.write_text(BASE + "  parameters: {optimizer.lr: [0.5, 0.7]}\n")
    assert command(["check", "bad.yaml"]) == 0
    said = capsys.readouterr().out
    assert "gradients: every layer's backward is the derivative of its forward" in said
    assert said.startswith("bad: 2 settings x 1 seed = 2 trials, ranked by loss (min)\n")
    assert command(["show", "bad.yaml"]) == 0
    Path("shown.yaml").write_text(said := capsys.readouterr().out)
    assert "lr: 0.1" in said and load(Path("shown.yaml")).data["sweep"]["parameters"] == {"optimizer.lr": [0.5, 0.7]}


def test_a_resume_of_a_changed_sweep_is_refused(config, capsys):
    config.write_text(BASE + "  parameters: {optimizer.lr: [0.5, 0.7]}\n")
    assert run.main(["bad.yaml", "--quiet", "--workers=1"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run.main(["--resume", str(folder), "sweep.parameters={optimizer.lr: [0.5, 0.9]}", "train.batch_size=10"]) == 2
    told = "train.batch_size: 50 before, 10 now; sweep.parameters.optimizer.lr.1: 0.7 before, 0.9 now"
    assert capsys.readouterr().err == f"{folder} is of another sweep: {told}. Take the change back, or start a sweep of its own\n"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert run.main(["--resume", str(folder), "sweep=null"]) == 2
    assert capsys.readouterr().err == f"{folder} holds a sweep, which cannot become one run\n"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_python_may_give_components(place):
    parts = {"data": nn.CSV("data/iris.csv", target="species"), "model": [nn.Dense(4), nn.Dropout(0.1), nn.Dense(3)]}
    parts |= {"loss": nn.CrossEntropy(), "optimizer": nn.SGD(0.1), "train": {"epochs": 1, "batch_size": 50}, "metrics": [nn.Accuracy()]}
    parameters = {"optimizer.lr": [0.1, 0.2], "model.0.units": [2, 4], "model.1.p": [0.1, 0.2], "optimizer": [nn.SGD(0.3), nn.Adam()]}
    found = nn.sweep(parts | {"sweep": {"parameters": parameters}})
    assert len(found["loss"]) == 16 and set(found["status"]) == {"finished"}
    text = {"type": "CSV", "path": "data/iris.csv", "target": "species"}
    model = [{"type": "Dense", "units": 4}, {"type": "Dropout", "p": 0.1}, {"type": "Dense", "units": 3}]
    plain = nn.sweep(parts | {"data": text, "model": model, "sweep": {"parameters": parameters}})
    assert plain["weights"].tolist() == found["weights"].tolist()

    class Mine(nn.Tanh):
        pass

    with pytest.raises(nn.OptionError, match=r"got Mine\(\): .* put @register above the class, so that a config can say Mine"):
        nn.sweep(parts | {"model": [nn.Dense(4), Mine(), nn.Dense(3)], "sweep": {"parameters": {"optimizer.lr": [1, 2]}}})
