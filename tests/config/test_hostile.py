"""Configs that mean harm: each is refused at once, in few words, and nothing is run, written, fetched or filled by it.

Modelled on published holes: Keras (CVE-2024-3660, 2025-1550, 2025-8747, 2025-9905, 2025-9906, 2025-12058, 2025-12060), Hydra's
`_target_` (CVE-2025-23304 and its kin), jsonargparse's `class_path`, skops (CVE-2025-54412, 54413, 54886), PyYAML (CVE-2017-18342,
2019-20477, 2020-1747, 2020-14343), SnakeYAML (CVE-2022-1471), the billion laughs, zip bombs, and pickles in NumPy's files.
"""

import json
import os
import pickle
import re
import socket
import struct
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nnframe.errors import printable

WORKER = Path(__file__).parents[1] / "data/hostile_worker.py"
SECONDS, MEMORY, OUTPUT, LINE = 1.0, 200e6, 4096, 1000  # of the CPU, bytes, and what a refusal may say

CSV = "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
CANARY = "from pathlib import Path\nPath('pwned').touch()\n\n\nclass Layer:\n    def __init__(self, *args, **options):\n        Path('pwned').touch()\n"
PLAIN = {
    "data": "{type: CSV, path: data.csv, target: y}",
    "model": "[{type: Dense, units: 1}]",
    "loss": "MSE",
    "optimizer": "{type: SGD, lr: 0.1}",
    "train": "{epochs: 1, batch_size: 2}",
}


def config(first="", /, **sections):
    """A config that would train, but for the sections that are given."""
    return first + "".join(f"{key}: {value}\n" for key, value in (PLAIN | sections).items() if value is not None)


@dataclass(frozen=True)
class Case:
    """A config's text, or the file in its place; words of the answer; overrides; files beside it, by how they are made;
    what it may read outside the folder, because its author names it and could read it anyway."""

    text: str | bytes
    words: str = "hostile.yaml"
    overrides: tuple[str, ...] = ()
    files: dict[str, bytes | str | Callable[[Path], object]] = field(default_factory=dict)
    reads: tuple[str, ...] = ()


def top(key_and_value, words=None):
    """A line more at the top."""
    return Case(f"{key_and_value}\n{config()}", words if words is not None else f"unknown key '{key_and_value.partition(':')[0]}'")


def model(layer, words="hostile.yaml:2:"):
    return Case(config(model=layer), words)


def over(*overrides, words="command line: "):
    return Case(config(), words, overrides)


TABLE: dict[str, Case] = {}


def add(**cases):
    for name, case in cases.items():
        add_named(name.replace("_", "-"), case)


def add_named(name, case):
    assert name not in TABLE, name
    TABLE[name] = case


# ---------------------------------------------------------------------------------------------- what ran code elsewhere

add(
    keras_lambda=model("""[{type: Lambda, function: "lambda x: __import__('os').system('touch pwned')"}]""", "unknown layer 'Lambda'"),
    keras_lambda_marshalled=model(
        "[{type: Lambda, config: {function: ['4wEAAAAAAAAAAAAAAAEAAAADAAAA8wQAAAA=', null, null], module: builtins, output_shape_type: raw}}]",
        "unknown layer 'Lambda'",
    ),
    keras_class_dunder_lambda=model("[{class_name: __lambda__, config: {value: 4wEAAAA=}}]", "model.0: expected a 'type'"),
    keras_module_class_name=model(
        "[{module: builtins, class_name: exec, config: {source: 'import canary'}, registered_name: null}]", "model.0: expected a 'type'"
    ),
    keras_module_function=model(
        "[{module: os, class_name: function, config: system, registered_name: system}]", "model.0: expected a 'type'"
    ),
    keras_module_beside_type=model(
        "[{type: Dense, units: 1, module: canary, class_name: Layer, registered_name: canary>Layer}]", "Dense has no option 'module'"
    ),
    keras_config_beside_type=model("[{type: Dense, config: {units: 1, module: canary}}]", "Dense has no option 'config'"),
    keras_registered_name=model("[{type: canary>Layer}]", "unknown layer 'canary>Layer'"),
    keras_get_file=model(
        "[{class_name: function, module: keras.utils, config: get_file, args: ['x', 'http://127.0.0.1:1/x']}]", "model.0: expected a 'type'"
    ),
    keras_string_lookup=model("[{type: StringLookup, vocabulary: /etc/passwd}]", "unknown layer 'StringLookup'"),
    keras_string_lookup_url=model("[{type: StringLookup, vocabulary: 'http://127.0.0.1:1/'}]", "unknown layer 'StringLookup'"),
    keras_tfsm_layer=model("[{type: TFSMLayer, filepath: .}]", "unknown layer 'TFSMLayer'"),
    keras_torch_module_wrapper=model(
        "[{type: TorchModuleWrapper, module: gASVHAAAAAAAAACMBXBvc2l4}]", "unknown layer 'TorchModuleWrapper'"
    ),
    keras_custom_objects=top("custom_objects: {Dense: os.system}"),
    keras_compile_config=top("compile_config: {loss: {module: os, class_name: system}}"),
    keras_loss_function=Case(config(loss="{class_name: function, config: {module: os, name: system}}"), "loss: expected a 'type'"),
    keras_backend=top("backend: canary"),
    hydra_target_layer=model("[{_target_: os.system, _args_: [touch pwned]}]", "model.0: expected a 'type'"),
    hydra_target_beside_type=model("[{type: Dense, units: 1, _target_: canary.Layer}]", "Dense has no option '_target_'"),
    hydra_target_optimizer=Case(config(optimizer="{_target_: subprocess.run, args: [id]}"), "optimizer: expected a 'type'"),
    hydra_target_data=Case(config(data="{_target_: builtins.open, file: pwned, mode: w}"), "data: expected a 'type'"),
    hydra_target_loss=Case(config(loss="{_target_: builtins.eval, _args_: ['1']}"), "loss: expected a 'type'"),
    hydra_target_train=Case(config(train="{epochs: 1, batch_size: 1, _target_: canary.Layer}"), "train._target_: unknown key"),
    hydra_target_top=top("_target_: os.system"),
    hydra_target_nested=Case(config(optimizer="{type: SGD, lr: {_target_: builtins.exec, _args_: ['import canary']}}"), "optimizer.lr"),
    hydra_partial=model("[{_partial_: true, _recursive_: true, _convert_: all, _target_: canary.Layer}]", "model.0: expected a 'type'"),
    hydra_get_method=Case(config(metrics="[{_target_: hydra.utils.get_method, path: os.system}]"), "metrics.0: expected a 'type'"),
    hydra_run_dir=top("hydra: {run: {dir: /tmp/pwned}, callbacks: {x: {_target_: canary.Layer}}}"),
    hydra_defaults=top("defaults: [/etc/passwd, override hydra/launcher: canary]"),
    hydra_searchpath=top("searchpath: ['pkg://canary', 'file:///etc']"),
    lightning_class_path=Case(config(optimizer="{class_path: subprocess.Popen, init_args: {args: [id]}}"), "optimizer: expected a 'type'"),
    lightning_class_path_layer=model("[{class_path: canary.Layer, init_args: {}, dict_kwargs: {}}]", "model.0: expected a 'type'"),
    lightning_class_path_text=Case(config(data="canary.Layer"), "unknown data source 'canary.Layer'"),
    lightning_trainer=top("trainer: {callbacks: [{class_path: canary.Layer}], logger: {class_path: canary.Layer}}"),
    lightning_lr_class_path=Case(config(optimizer="{type: SGD, lr: {class_path: canary.Layer}}"), "optimizer.lr"),
    skops_function_node=model(
        "[{__class__: system, __module__: os, __loader__: FunctionNode, content: {function: system, module_path: os}}]",
        "model.0: expected a 'type'",
    ),
    skops_operator_func=Case(
        config(loss="{__class__: call, __module__: operator, __loader__: OperatorFuncNode, attrs: [canary]}"), "loss: expected a 'type'"
    ),
    skops_method_node=Case(
        config(metrics="[{__loader__: MethodNode, content: {obj: {__module__: builtins, __class__: eval}, func: __call__}}]"),
        "metrics.0: expected a 'type'",
    ),
    skops_protocol=top("protocol: 2"),
    json_pickle=model("[{py/object: canary.Layer, py/reduce: [{py/function: os.system}, {py/tuple: [id]}]}]", "model.0: expected a 'type'"),
    json_pickle_beside_type=model("[{type: ReLU, py/object: canary.Layer}]", "ReLU has no option 'py/object'"),
    mlflow_loader_module=top("loader_module: canary"),
    ray_runtime_env=top("runtime_env: {pip: [canary], setup_hook: canary.Layer}"),
    spacy_at_layers=model("[{'@layers': canary.Layer.v1}]", "model.0: expected a 'type'"),
    proto_pollution=top("__proto__: {type: Dense}"),
)

for tag, value in {
    "python/object/apply:os.system": "[touch pwned]",
    "python/object/apply:subprocess.check_output": "[[touch, pwned]]",
    "python/object/apply:builtins.eval": "[\"__import__('canary')\"]",
    "python/object/new:os.system": "[touch pwned]",
    "python/object/new:canary.Layer": "[1]",
    "python/object/new:type": "{args: ['z', !!python/tuple [], {extend: !!python/name:exec }], listitems: 'import canary'}",
    "python/object/new:tuple": "[!!python/object/new:map [!!python/name:eval , ['__import__(\"canary\")']]]",
    "python/object/new:str": "{state: !!python/tuple ['import canary', !!python/object/new:staticmethod {args: [0]}]}",
    "python/object:canary.Layer": "{a: 1}",
    "python/name:os.system": "''",
    "python/name:canary.Layer": "x",
    "python/module:canary": "''",
    "python/tuple": "[1]",
    "python/complex": "1+2j",
    "python/bytes": "aGk=",
    "python/unicode": "x",
    "python/dict": "{a: 1}",
    "python/none": "''",
    "python/object/apply:str": "[a]",  # the end of it is the name of a harmless tag
    "python/object/apply:x:seq": "[a]",
    "python/object/new:x:map": "{type: MSE}",
    "python/name:x:str": "MSE",
    "binary": "aGk=",
    "set": "{a, b}",
    "omap": "[a: 1]",
    "pairs": "[a: 1]",
    "timestamp": "2024-01-01",
    "int": "'3'",
    "float": "'.inf'",
    "bool": "'yes'",
    "null": "''",
    "merge": "'<<'",
    "value": "'='",
    "java/util/ArrayList": "[1]",
    "javax.script.ScriptEngineManager": "[!!java.net.URLClassLoader [[!!java.net.URL ['http://127.0.0.1:1/']]]]",
    "js/function": "'function () { }'",
    "ruby/object:Gem::Installer": "{i: x}",
    "perl/code": "'system q(id)'",
}.items():
    add_named(f"yaml-tag-{tag}", Case(config(loss=f"!!{tag} {value}"), "is refused: a config is plain data"))

REFUSED = "is refused: a config is plain data"
DIRECTIVES = "hostile.yaml:1:1: YAML directives (%) are not supported; remove the line"
add(
    yaml_tag_verbatim=Case(config(loss="!<tag:yaml.org,2002:python/object/apply:os.system> [touch pwned]"), REFUSED),
    yaml_tag_redirected=Case(f"%TAG ! tag:yaml.org,2002:python/\n---\n{config(loss='!object/apply:os.system [touch pwned]')}", DIRECTIVES),
    yaml_tag_named_handle=Case(f"%TAG !p! tag:yaml.org,2002:python/\n---\n{config(loss='!p!name:os.system x')}", DIRECTIVES),
    yaml_tag_unknown_handle=Case(config(loss="!p!name:os.system x"), "is not YAML"),
    yaml_tag_on_a_key=Case(config() + "!!python/object/apply:os.system seed: 0\n", REFUSED),
    yaml_tag_on_an_option=model("[{type: Dense, !!python/name:os.system units: 1}]", REFUSED),
    yaml_tag_on_the_config=Case(f"!!python/object:canary.Layer\n{config()}", REFUSED),
    yaml_tag_set_config=Case(f"--- !!set\n{config()}", REFUSED),
    yaml_tag_local=Case(config(loss="!canary.Layer {}"), REFUSED),
    yaml_tag_env=Case(config(name="!ENV ${HOME}"), REFUSED),
    yaml_tag_include=Case(config(loss="!include /etc/passwd"), REFUSED),
    yaml_tag_vault=Case(config(loss="!vault x"), REFUSED),
    yaml_tag_join=Case(config(loss="!join [a, b]"), REFUSED),
    yaml_tag_escaped=Case(config(loss="!%1b%5b31m%0aFORGED x"), REFUSED),
    yaml_tag_of_100000_characters=Case(config(loss=f"!{'t' * 100_000} x"), REFUSED),
    yaml_tag_in_merge=Case(config(loss="{<<: !!python/object:canary.Layer {a: 1}}"), "merge keys (<<) are not supported"),
    yaml_tag_behind_anchor=Case(config(loss="&a !!python/name:os.system x", optimizer="*a"), REFUSED),
)

# ---------------------------------------------------------------------------------------------- types that name no component

TYPES = [
    "os.system", "builtins.eval", "nnframe.layers.dense.Dense", "nnframe.components.plugins.load", "canary", "canary.Layer", "canary:Layer", "canary.py", "./canary.py",
    "__class__", "__init__", "__import__", "__main__", "../x", "/etc/passwd", "Dense()", "Dense(units=1)", "Dense; import canary", "dense", "DENSE", "Dense ",
    " Dense", "Dense.", "Dénse", "D\u0435nse", "Layer", "Component", "Loss", "object", "type", "eval", "exec", "lambda x: x", "", "None", "0", "*", "get", "keys", "{}",
]  # fmt: skip
for name in TYPES:
    add_named(
        f"type-{name}", Case(config(model=f"[{{type: {json.dumps(name, ensure_ascii=False)}, units: 1}}]"), "model.0.type: unknown layer")
    )

add(
    type_list=model("[{type: [Dense], units: 1}]", "model.0.type: expected a 'type' that names the layer, got a list of 1"),
    type_mapping=model("[{type: {Dense: 1}, units: 1}]", "model.0.type: expected a 'type'"),
    type_number=model("[{type: 3}]", "got 3"),
    type_nan=model("[{type: .nan}]", "got nan"),
    type_null=model("[{type: null, units: 1}]", "got nothing"),
    type_true=model("[{type: true}]", "got true"),
    type_huge_number=model(f"[{{type: {'9' * 3900}}}]", "model.0.type"),
    type_alias_of_itself=model("[{type: &t [*t]}]", "is nested too deeply"),
    type_newline=model('[{type: "Dense\\n", units: 1}]', "unknown layer 'Dense\\n'"),
    type_nul=model('[{type: "Dense\\0", units: 1}]', "unknown layer 'Dense\\x00'"),
    type_bell=model('["ReLU\\a"]', "unknown layer 'ReLU\\x07'"),
    type_of_900000_characters=model(f"[{'T' * 900_000}]", "unknown layer 'TTT"),
    type_of_the_wrong_slot=Case(config(loss="Dense", optimizer="MSE"), "unknown loss 'Dense'"),
    type_data_as_layer=model("[{type: CSV, path: data.csv, target: y}]", "unknown layer 'CSV'"),
    type_layer_as_data=Case(config(data="{type: Dense, units: 1}"), "unknown data source 'Dense'"),
    type_base_data_source=Case(config(data="{type: Source}"), "unknown data source 'Source'"),
    type_loss_dotted=Case(config(loss="nnframe.losses.classification.MSE"), "unknown loss 'nnframe.losses.classification.MSE'"),
    type_optimizer_eval=Case(config(optimizer="{type: builtins.eval, lr: 1}"), "unknown optimizer 'builtins.eval'"),
    type_initializer=model("[{type: Dense, units: 1, init: os.system}]", "unknown initializer 'os.system'"),
    type_initializer_mapping=model("[{type: Dense, units: 1, bias_init: {type: numpy.load, file: x.npy}}]", "unknown initializer 'numpy.load'"),
    type_initializer_code=model("""[{type: Dense, units: 1, init: "lambda rng: __import__('canary')"}]""", "unknown initializer"),
    type_schedule=Case(config(optimizer="{type: SGD, lr: {type: eval, start: 1}}"), "unknown schedule 'eval'"),
    type_schedule_lambda=Case(config(optimizer="{type: SGD, lr: 'lambda t: 1 / t'}"), "optimizer.lr: expected a number"),
    type_transform=Case(config(data="{type: CSV, path: data.csv, target: y, transforms: [os.system]}"), "unknown transform 'os.system'"),
    type_metric_lambda=Case(config(metrics="""["lambda y, p: __import__('os').system('id')"]"""), "unknown metric"),
    type_metric_dunder=Case(config(metrics="[__builtins__]"), "unknown metric '__builtins__'"),
    type_callback=top("callbacks: [{type: canary.Layer}]", "unknown callback 'canary.Layer'"),
    type_callback_text=top("callbacks: canary.py", "callbacks: expected a list"),
    type_in_a_section=Case(config(train="{type: os.system, epochs: 1, batch_size: 1}"), "train.type: unknown key 'type'"),
    type_in_log=Case(config(log="{type: logging.FileHandler, filename: pwned}"), "log.type: unknown key 'type'"),
    type_in_target=Case(config(data="{type: CSV, path: data.csv, target: {type: canary.Layer, column: y}}"), "data.target.type: unknown key"),
    model_mapping=Case(config(model="{type: Dense, units: 1}"), "model: expected a list"),
    model_text=Case(config(model="os.system"), "model: expected a list"),
    model_number=Case(config(model="3"), "model: expected a list"),
    model_empty=Case(config(model="[]"), "model: expected at least one layer"),
    model_of_nulls=Case(config(model="[null, ~]"), "model.0: expected a layer, got nothing"),
    dtype_object=Case(config(dtype="object"), "dtype: expected one of 'float32', 'float64', got 'object'"),
    dtype_structured=Case(config(dtype="[[x, O]]"), "dtype: expected one of"),
    dtype_pickle=Case(config(dtype="'O,i4'"), "dtype: expected one of"),
    blas_threads_code=Case(config(train="{epochs: 1, batch_size: 1, blas_threads: 'auto; id'}"), "train.blas_threads"),
    blas_threads_flood=Case(config(train="{epochs: 1, batch_size: 1, blas_threads: 1000000000}"), "train.blas_threads"),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- keys that name no option

for key in ["__class__", "__init__", "__dict__", "__reduce__", "__setstate__", "_options", "_make", "_specs", "self", "cls", "args", "kwargs", "layers", "setup", "forward", "**", "*"]:  # fmt: skip
    add_named(f"option-{key}", model(f"[{{type: Dense, units: 1, '{key}': os.system}}]", f"Dense has no option '{key}'"))
for key in [
    "__class__", "__builtins__", "__name__", "hooks", "plugin", "plugins", "import", "imports", "python", "exec", "eval", "env", "environment",
    "include", "script", "command", "shell", "on_epoch", "requirements", "setup", "version", "out", "$schema", "$ref", "$include", "checkpoint", "resume",
    "load_weights", "pretrained", "logger", "git", "remote", "url", "entry_points", "sys.path", "PYTHONPATH", "LD_PRELOAD",
]:  # fmt: skip
    add_named(f"key-{key}", top(f"{key}: canary.py"))

add(
    sweep_section=top("sweep: {seeds: 1000000000, parameters: {optimizer.lr: {low: 0, high: 1}}, sampler: canary.Layer}", "sweep.sampler: unknown sampler 'canary.Layer'"),
    sweep_text=top("sweep: canary.py", "sweep: expected a mapping"),
    sweep_seeds=top("sweep: {seeds: 1000000000, parameters: {optimizer.lr: [0.1, 0.2]}}", "sweep"),
    sweep_trials=top("sweep: {trials: 1000000000, sampler: Random, parameters: {optimizer.lr: {low: 0.1, high: 1}}}", "sweep"),
    sweep_grid=top(f"sweep: {{parameters: {{{', '.join(f'predict.r{i}.a: [1, 2, 3, 4]' for i in range(40))}}}}}", "sweep"),
    sweep_values=top(
        f"sweep: {{parameters: {{optimizer.lr: {[i / 1e6 for i in range(1, 18_001)]}, train.batch_size: {[*range(1, 901)]}}}}}",
        "the grid has 16,200,000 settings",
    ),
    sweep_path=top("sweep: {parameters: {data.path: [/dev/zero, /etc/passwd]}}", "data.path"),
    sweep_dunder=top("sweep: {parameters: {__class__.__init__: [1]}}", "sweep"),
    sweep_types=top("sweep: {parameters: {loss: [os.system, builtins.eval]}}", "unknown loss 'os.system'"),
    section_dunder=Case(config(train="{epochs: 1, batch_size: 1, __post_init__: os.system}"), "train.__post_init__: unknown key"),
    target_dunder=Case(config(data="{type: CSV, path: data.csv, target: {column: y, __class__: os.system}}"), "data.target.__class__"),
    optimizer_dunder=Case(config(optimizer="{type: SGD, __globals__: {}}"), "SGD has no option '__globals__'"),
    loss_dunder=Case(config(loss="{type: MSE, __call__: os.system}"), "MSE has no option '__call__'"),
    predict_dunder_input=Case(config(predict="{row: {__class__: 1}}"), "predict.row.__class__: the data has no input '__class__'"),
    layer_name_path=model("[{type: Dense, units: 1, name: ../../x}]", "model.0.name"),
    layer_name_dots=model("[{type: Dense, units: 1, name: __class__.__init__}]", "model.0.name"),
    layer_name_npz_path=model("[{type: Dense, units: 1, name: /etc/passwd}]", "model.0.name"),
    layer_name_newline=model('[{type: Dense, units: 1, name: "a\\nFORGED"}]', "model.0.name"),
    layer_name_of_100000_letters=model(f"[{{type: Dense, units: 1, name: {'n' * 100_000}}}]", "model.0.name"),
    layer_name_twice=model("[{type: Dense, units: 1, name: a}, {type: Dense, units: 1, name: a}]", "model"),
    nobody_wrote_a_section=Case("os.system: [touch pwned]\n", "unknown key 'os.system'"),
    everything_null=Case(config(data="~", model="~", loss="~", optimizer="~", train="~", name="~", seed="~"), "got nothing"),
    everything_a_list=Case(config(data="[]", model="[[]]", loss="[]", optimizer="[]", train="[]", predict="[]", log="[]"), "got a list of 0"),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- texts that others fill in

for name, text in {
    "oc-env": "${oc.env:HOME}", "env": "${env:HOME}", "shell": "$HOME", "braces": "${HOME}", "default": "${HOME:-x}", "node": "${train.epochs}", "jinja": "{{ HOME }}",
    "jinja-class": "{{ ''.__class__.__mro__[1].__subclasses__() }}", "jinja-block": "{% import os %}", "windows": "%HOME%", "backticks": "`touch pwned`",
    "command": "$(touch pwned)", "erb": "<%= `touch pwned` %>", "ruby": "#{7*7}", "format": "{0.__class__}", "percent": "%(HOME)s", "jndi": "${jndi:ldap://127.0.0.1:1/x}",
    "resolver": "${eval:__import__('canary')}", "fstring": "{__import__('canary')}",
}.items():  # fmt: skip
    quoted = json.dumps(text)
    add_named(f"filled-name-{name}", Case(config(name=quoted), "name: expected up to 100 letters"))
    add_named(
        f"filled-path-{name}",
        Case(config(data=f"{{type: CSV, path: {json.dumps(text + '.csv')}, target: y}}"), f"{text.replace('//', '/')}.csv"),
    )
add(
    filled_path_home=Case(config(data="{type: CSV, path: ~/data.csv, target: y}"), "~/data.csv"),
    filled_path_root=Case(config(data="{type: CSV, path: ~root/.bashrc, target: y}"), "~root/.bashrc"),
    filled_number=Case(config(optimizer="{type: SGD, lr: '${train.epochs}'}"), "optimizer.lr: expected a number"),
    filled_arithmetic=Case(config(optimizer="{type: SGD, lr: 1+1}"), "optimizer.lr: expected a number"),
    filled_units=model("[{type: Dense, units: '${oc.env:UNITS,8}'}]", "model.0.units: expected an integer"),
    filled_unquoted=Case(config(name="{{ HOME }}"), "expected a text as key"),
)

# ---------------------------------------------------------------------------------------------- laughs, circles, depth, length

LETTERS = "abcdefghijklmnopqrst"
PARTS = "has more than 20,000 parts"
DEEP = "is nested too deeply"
LISTS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]\n" for p, c in pairwise(LETTERS))
MAPS = "a: &a {x: 1, y: 2}\n" + "".join(f"{c}: &{c} {{{', '.join(f'{k}: *{p}' for k in 'opqrstuv')}}}\n" for p, c in pairwise(LETTERS))
MERGES = "a: &a {x: 1}\n" + "".join(f"{c}: &{c} {{<<: [*{p}, *{p}, *{p}]}}\n" for p, c in pairwise(LETTERS))
KEYS = "a: &a {x: 1}\n" + "".join(f"{c}: &{c} {{? [*{p}, *{p}] : *{p}}}\n" for p, c in pairwise(LETTERS))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 3000))
RESIDUAL = "[{type: Residual, layers: " * 1000 + "[ReLU]" + "}]" * 1000
SOURCES = "{type: CSV, path: data.csv, target: y, validation: " * 1000 + "0.5" + "}" * 1000
SCHEDULES = "{type: Cosine, start: " * 1000 + "1" + "}" * 1000
MAPPING = "".join("  " * i + "a:\n" for i in range(900))

add(
    laughs_lists=Case(LISTS, PARTS),
    laughs_maps=Case(MAPS, PARTS),
    laughs_merge_keys=Case(MERGES, PARTS),
    laughs_merge_quoted=Case(MERGES.replace("<<", "'<<'"), PARTS),
    laughs_keys=Case(KEYS, PARTS),
    laughs_in_the_model=Case(LISTS.replace("\n", "\n", 1) + config(model="[*t]"), PARTS),
    laughs_long_text=Case(f"a: &a {'x' * 900_000}\nb: &b [{', '.join(['*a'] * 19_000)}]\n", "unknown key 'a'"),
    laughs_long_text_listed=Case(config(metrics=f"[&a {'x' * 800_000}, {', '.join(['*a'] * 15_000)}]"), "unknown metric"),
    laughs_long_number=Case(config(metrics=f"[&a {'1' * 800_000}, {', '.join(['*a'] * 15_000)}]"), "metrics.0: unknown metric '111"),
    alias_undefined=Case(config(loss="*nothing"), "there is none of that name"),
    alias_list_of_itself=Case(config(model="&m [*m]"), DEEP),
    alias_map_of_itself=Case(f"a: &a {{a: *a}}\n{config()}", DEEP),
    alias_config_of_itself=Case(f"&c\nself: *c\n{config()}", DEEP),
    alias_residual_of_itself=model("[&r {type: Residual, layers: [*r]}]", DEEP),
    alias_merge_of_itself=Case("&c\n<<: *c\n", DEEP),
    alias_key_of_itself=Case("&c {? *c : 1}\n", "hostile.yaml"),
    alias_chain_of_3000=Case(CHAIN, DEEP),
    alias_names_50000=Case("".join(f"- &a{i} x\n" for i in range(50_000)), PARTS),
    alias_same_name_50000=Case("".join("- &a x\n" for _ in range(50_000)), PARTS),
    deep_flow_lists=Case("a: " + "[" * 3000 + "]" * 3000, DEEP),
    deep_flow_maps=Case("{a: " * 3000 + "1" + "}" * 3000, DEEP),
    deep_block_lists=Case("- " * 3000 + "x", DEEP),
    deep_block_maps=Case(MAPPING, DEEP),
    deep_keys=Case("? " * 3000 + "x", "hostile.yaml"),
    deep_flow_lists_unclosed=Case("[" * 3000, "hostile.yaml"),
    deep_flow_lists_a_million=Case("[" * 1_000_000, "hostile.yaml"),
    deep_flow_lists_half_a_million_closed=Case("[" * 500_000 + "]" * 500_000, "hostile.yaml"),
    deep_flow_maps_300000=Case("{a: " * 250_000, "hostile.yaml"),
    deep_block_lists_500000=Case("- " * 500_000, "hostile.yaml"),
    deep_keys_500000=Case("? " * 500_000, "hostile.yaml"),
    deep_mixed_100000=Case("[{a: " * 100_000 + "1" + "}]" * 100_000, "hostile.yaml"),
    deep_tagged_100000=Case("!!seq [" * 100_000, "hostile.yaml"),
    deep_anchored_100000=Case("&a [" * 100_000, "hostile.yaml"),
    deep_residual_1000=Case(config(model=RESIDUAL), DEEP),
    deep_sources_1000=Case(config(data=SOURCES), DEEP),
    deep_schedules_1000=Case(config(optimizer=f"{{type: SGD, lr: {SCHEDULES}}}"), DEEP),
    deep_transforms=Case(
        config(data="{type: CSV, path: data.csv, target: y, transforms: [{type: Standardize, transforms: [Standardize]}]}"),
        "Standardize has no option 'transforms'",
    ),
    long_document_of_2_mb=Case(config(name="x" * 2**21), "more than 1 MiB"),
    long_comment=Case("# " + "x" * 1_000_000, "is empty"),
    long_comments=Case("#\n" * 500_000, "is empty"),
    long_newlines=Case("\n" * 1_000_000, "is empty"),
    long_spaces=Case(" " * 1_000_000, "is empty"),
    long_name=Case(config(name="n" * 1_000_000), "name: expected up to 100 letters"),
    long_text_for_a_list=Case(config(metrics="m" * 900_000), "metrics: expected a list"),
    long_text_for_a_mapping=Case(config(predict="m" * 900_000), "predict: expected a mapping"),
    long_text_for_a_number=Case(config(seed="s" * 900_000), "seed: expected an integer"),
    long_text_for_a_choice=Case(config(dtype="float" * 180_000), "dtype: expected one of"),
    long_text_for_a_boolean=Case(config(train=f"{{epochs: 1, batch_size: 1, shuffle: {'y' * 900_000}}}"), "train.shuffle"),
    long_delimiter=Case(config(data=f"{{type: CSV, path: data.csv, target: y, delimiter: {',' * 900_000!r}}}"), "data.delimiter"),
    long_column=Case(config(data=f"{{type: CSV, path: data.csv, target: {'c' * 900_000}}}"), "data.target"),
    long_input_column=Case(config(data=f"{{type: CSV, path: data.csv, target: y, inputs: [a, {'c' * 900_000}]}}"), "data.inputs"),
    long_class=Case(
        config(data=f"{{type: CSV, path: data.csv, target: {{column: y, classes: [{'c' * 450_000}, {'d' * 450_000}]}}}}"), "data.target"
    ),
    long_key=Case(f"{'k' * 1_000_000}: 1", "hostile.yaml"),
    long_explicit_key=Case(f"? {'k' * 1_000_000}\n: 1", "expected a key of at most 200 characters"),
    long_quoted_key=Case(f'? "{"k" * 900_000}"\n: 1\n{config()}', "expected a key of at most 200 characters"),
    long_unclosed_quote=Case(f"name: '{'x' * 1_000_000}", "hostile.yaml:1:7: the quote ' is not closed"),
    long_escapes=Case(f'name: "{chr(92)}x41{"A" * 10}{(chr(92) + "x41") * 240_000}"', "hostile.yaml"),
    long_digits=Case(config(seed="1" * 900_000), "seed: expected an integer"),
    long_digits_and_a_letter=Case(config(seed="1" * 900_000 + "x"), "seed: expected an integer"),
    long_digits_and_exponent=Case(config(seed="1" * 400_000 + "e" + "9" * 400_000), "seed: expected an integer"),
    long_fraction=Case(config(seed="." + "1" * 900_000), "seed: expected an integer"),
    long_hex=Case(config(seed="0x" + "f" * 900_000), "seed: expected an integer"),
    long_octal=Case(config(seed="0o" + "7" * 900_000), "seed: expected an integer"),
    long_sexagesimal=Case(config(seed="1" + ":59" * 300_000), "seed: expected an integer"),
    long_underscores=Case(config(seed="1" + "_1" * 400_000), "seed: expected an integer"),
    long_block_text=Case("name: |\n" + " x\n" * 300_000 + config(name=None), "name: expected up to 100 letters"),
    many_keys_100000=Case("".join(f"k{i}: 1\n" for i in range(90_000)), PARTS),
    many_items_500000=Case(config(model="[" + "a," * 500_000 + "]"), PARTS),
    many_empty_lists=Case("[" + "[]," * 300_000 + "]", PARTS),
    many_empty_maps=Case("[" + "{}," * 300_000 + "]", PARTS),
    many_block_items=Case("- a\n" * 250_000, PARTS),
    many_classes_100000=Case(
        config(data=f"{{type: CSV, path: data.csv, target: {{column: y, classes: [{', '.join(f'c{i}' for i in range(100_000))}]}}}}"), PARTS
    ),
    many_classes_15000=Case(
        config(data=f"{{type: CSV, path: data.csv, target: {{column: y, classes: [{', '.join(f'c{i}' for i in range(15_000))}]}}}}"),
        "data.target",
    ),
    many_unknown_keys=Case("".join(f"k{i}: 1\n" for i in range(9_000)), "unknown key 'k0'"),
    many_unknown_options=model(f"[{{type: Dense, units: 1, {', '.join(f'k{i}: 1' for i in range(9_000))}}}]", "Dense has no option 'k0'"),
    many_unknown_layers=model(f"[{', '.join(f'Layer{i}' for i in range(19_000))}]", "unknown layer 'Layer0'"),
    many_unknown_metrics=Case(config(metrics=f"[{', '.join(f'Mean{i}' for i in range(15_000))}]"), "unknown metric 'Mean0'"),
    many_wrong_numbers=Case(
        config(data=f"{{type: CSV, path: data.csv, target: y, transforms: [{{type: Shift, by: [{'x, ' * 15_000}]}}]}}"),
        "data.transforms.0.by",
    ),
    many_shifts=Case(
        config(data=f"{{type: CSV, path: data.csv, target: y, transforms: [{{type: Shift, by: [{'1, ' * 15_000}]}}]}}"), "data.transforms.0"
    ),
    many_layers_that_do_not_fit=model(f"[{'ReLU, ' * 15_000} {{type: Residual, layers: [{{type: Dense, units: 3}}]}}]", "model.15000"),
    many_predictions=Case(config(predict=f"{{{', '.join(f'r{i}: {{a: 1, b: 1}}' for i in range(10_000))}}}"), PARTS),
    many_wrong_predictions=Case(
        config(predict=f"{{{', '.join(f'r{i}: {{a: 1, c: 1}}' for i in range(2_500))}}}"), "predict.r0.c: the data has no input 'c'"
    ),
    many_prediction_inputs=Case(
        config(predict=f"{{row: {{{', '.join(f'c{i}: 1' for i in range(9_000))}}}}}"), "the data has no input 'c0'"
    ),
    many_keys_given_twice=Case("".join("k: 1\n" for _ in range(100_000)), "hostile.yaml"),
    many_documents=Case("---\n" * 250_000, PARTS),
    many_directives=Case("".join(f"%TAG !t{i}! x\n" for i in range(50_000)) + f"---\n{config(loss='!t9!y z')}", DIRECTIVES),
    many_unknown_directives=Case("%X\n" * 250_000, DIRECTIVES),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- bytes that are no text

for name, raw in {
    "utf-16": config().encode("utf-16"), "utf-16-le": config().encode("utf-16-le"), "utf-16-be": config().encode("utf-16-be"), "utf-32": config().encode("utf-32"),
    "latin-1": config(name="é").encode("latin-1"), "overlong": config(name="x").encode() + b"\xc0\xaf: 1\n", "surrogate": config().encode() + b"\xed\xa0\x80: 1\n",
    "beyond-unicode": config().encode() + b"\xf4\x90\x80\x80: 1\n", "cut-short": config().encode() + b"\xe2\x82", "nul": config().encode() + b"a: \0\n", "nuls": b"\0" * 1000,
    "escape": config().encode() + b"a: \x1b[31m\n", "delete": config().encode() + b"\x7f: 1\n", "backspace": config().encode() + b"\x08\x08: 1\n",
    "form-feed": config().encode() + b"\x0c: 1\n", "c1": config().encode() + b"\xc2\x9b31m: 1\n", "noncharacter": config().encode() + b"\xef\xbf\xbf: 1\n",
    "bom-in-the-middle": config().encode() + b"\xef\xbb\xbfseed: 1\n", "bom-in-a-key": b"\xef\xbb\xbf" + config().encode() + b"se\xef\xbb\xbfed: 1\n", "bom-alone": b"\xef\xbb\xbf",
    "bom-utf-7": b"+/v8-" + config().encode(), "bom-utf-1": b"\xf7\x64\x4c" + config().encode(), "gzip": b"\x1f\x8b\x08\0\0\0\0\0", "pickle": pickle.dumps({"seed": 0}),
    "elf": b"\x7fELF\2\1\1", "png": b"\x89PNG\r\n\x1a\n", "python": CANARY.encode(), "json-with-comment": b"{\"seed\": 0, // x\n}", "toml": b"[data]\ntype = 'CSV'\n",
    "carriage-returns": config().replace("\n", "\r").encode() + b"FORGED: 1\r", "next-line": (config() + "x\x85FORGED: 1\n").encode(), "line-separator": (config() + "x\u2028FORGED: 1\n").encode(),
}.items():  # fmt: skip
    add_named(f"bytes-{name}", Case(raw))
add(
    documents_two=Case(f"{config()}---\n{config()}", "expected one document"),
    documents_empty_first=Case(f"---\n---\n{config()}", "expected one document"),
    documents_ended=Case(f"{config()}...\nseed: 1\n", "hostile.yaml"),
    documents_ended_and_begun=Case(f"{config()}...\n---\nseed: 1\n", "expected one document"),
    directive_yaml_twice=Case(f"%YAML 1.1\n%YAML 1.2\n---\n{config()}", DIRECTIVES),
    directive_yaml_9=Case(f"%YAML 9.9\n---\n{config()}", DIRECTIVES),
    directive_behind_comments=Case(
        f"{'# x' + chr(10)}" * 1000 + f"%TAG ! tag:yaml.org,2002:\n---\n{config()}", "hostile.yaml:1001:1: YAML directives"
    ),
    escape_surrogate=Case(config(name='"\\ud800"'), "in double quotes means something else"),
    escape_beyond_unicode=Case(config(name='"\\UFFFFFFFF"'), "in double quotes means something else"),
    root_list=Case("[os.system, id]", "expected keys such as"),
    root_text=Case("os.system('id')", "expected keys such as"),
    root_number=Case("9" * 3900, "expected keys such as"),
    root_null=Case("~", "is empty"),
    key_list=Case(f"? [os, system]\n: 1\n{config()}", "expected a text as key"),
    key_mapping=Case(f"? {{a: 1}}\n: 1\n{config()}", "expected a text as key"),
    key_null=Case(f"~: 1\n{config()}", "unknown key '~'"),
    key_empty=Case(f"'': 1\n{config()}", "unknown key ''"),
    key_dots=Case(f"optimizer.lr: 1\n{config()}", "unknown key 'optimizer.lr'"),
    key_only_dots=Case(f"'...': 1\n{config()}", "unknown key '...'"),
    key_twice=Case(f"{config()}loss: MSE\n", "is given twice"),
    key_twice_in_other_words=Case(f"{config()}'loss': MSE\n", "is given twice"),
    key_homoglyph=Case(f"l\u043ess: MSE\n{config()}", "unknown key"),
)

# ---------------------------------------------------------------------------------------------- what would write on a terminal

RAW = {
    "escape": "\x1b[2J\x1b]0;x\x07",
    "newline": "a\nFORGED: all is well",
    "return": "x\rFORGED",
    "backspace": "\b\b\b\b",
    "c1": "\x9b31m",
    "right-to-left": "\u202egnp.exe\u2066",
    "zero-width": "a\u200b\u200e\ufeff",
    "line-separator": "a\u2028FORGED\u2029",
}
for name, raw in RAW.items():
    quoted = json.dumps(raw)
    places = {
        "key": Case(f"{quoted}: 1\n{config()}", "unknown key"),
        "key-twice": Case(f"{quoted}: 1\n{quoted}: 2\n", "is given twice"),
        "option": model(f"[{{type: Dense, units: 1, {quoted}: 1}}]", "Dense has no option"),
        "type": model(f"[{quoted}]", "unknown layer"),
        "layer-name": model(f"[{{type: Dense, units: 1, name: {quoted}}}]", "model.0.name"),
        "row": Case(config(predict=f"{{{quoted}: {{a: 1}}}}"), "needs a value for the input 'b'"),
        "row-input": Case(config(predict=f"{{row: {{{quoted}: 1}}}}"), "the data has no input"),
        "row-value": Case(config(predict=f"{{row: {{a: {quoted}, b: 1}}}}"), "expected a number"),
        "metrics-text": Case(config(metrics=quoted), "metrics: expected a list"),
        "choice": Case(config(dtype=quoted), "dtype: expected one of"),
        "name": Case(config(name=quoted), "name: expected up to 100 letters"),
        "path": Case(config(data=f"{{type: CSV, path: {quoted}, target: y}}"), "data.path"),
        "path-folder": Case(config(data=f"{{type: CSV, path: {json.dumps(raw + '/x.csv')}, target: y}}"), "data.path"),
        "existing-path": Case(
            config(data=f"{{type: CSV, path: {json.dumps('f' + raw)}, target: y}}"), "expected 3 cells", files={f"f{raw}": CSV + "1,2\n"}
        ),
        "existing-npz": Case(config(data=f"{{type: Arrays, path: {json.dumps('z' + raw)}}}"), "not an npz file", files={f"z{raw}": CSV}),
        "extends": Case(f"extends: {quoted}\n", "there is no file"),
        "extends-existing": Case(f"extends: {json.dumps('e' + raw)}\n", "unknown key 'x'", files={f"e{raw}": "x: 1\n"}),
        "column": Case(config(data=f"{{type: CSV, path: data.csv, target: {quoted}}}"), "has no column"),
        "class": Case(
            config(data=f"{{type: CSV, path: data.csv, target: {{column: y, classes: [{quoted}, x]}}}}"), "is not among the classes"
        ),
        "array": Case(
            config(data=f"{{type: Arrays, path: data.npz, x: {quoted}}}"),
            "has no array",
            files={"data.npz": lambda path: np.savez(path, y=[1.0])},
        ),
        "delimiter": Case(config(data=f"{{type: CSV, path: data.csv, target: y, delimiter: {quoted}}}"), "data.delimiter"),
        "csv-header": Case(
            config(data=f"{{type: CSV, path: {name}-header.csv, target: z}}"),
            "has no column 'z'",
            files={f"{name}-header.csv": CSV.replace("b", f'"{raw}"')},
        ),
        "csv-header-twice": Case(
            config(data=f"{{type: CSV, path: {name}-twice.csv, target: z}}"),
            "stands twice",
            files={f"{name}-twice.csv": CSV.replace("a,b", f'"{raw}","{raw}"')},
        ),
        "csv-header-predicted": Case(
            config(data=f"{{type: CSV, path: {name}-header.csv, target: y}}", predict="{row: {c: 1}}"),
            "has no input 'c'",
            files={f"{name}-header.csv": CSV.replace("b", f'"{raw}"')},
        ),
        "csv-cell": Case(
            config(data=f"{{type: CSV, path: {name}-cell.csv, target: y}}"),
            "expected a finite number",
            files={f"{name}-cell.csv": CSV + f'1,"{raw}",0\n'},
        ),
        "csv-class": Case(
            config(data=f"{{type: CSV, path: {name}-class.csv, target: y}}", model="[{type: Dense, units: 5}]"),
            "but the model has outputs (5,)",
            files={f"{name}-class.csv": f'a,b,y\n0,1,"{raw}"\n1,2,other\n3,4,third\n'},
        ),
        "npz-member": Case(
            config(data=f"{{type: Arrays, path: {name}.npz, x: nothing}}"),
            "has no array 'nothing'",
            files={f"{name}.npz": lambda path, raw=raw: np.savez(path, **{raw.replace("/", ""): [1.0]})},
        ),
        "npz-field": Case(
            config(data=f"{{type: Arrays, path: {name}-field.npz}}"),
            "x.npy holds no plain numbers",
            files={f"{name}-field.npz": lambda path, raw=raw: np.savez(path, x=np.zeros((4, 2), [(raw, "f8")]), y=np.zeros(4))},
        ),
    }
    for place, case in places.items():
        add_named(f"raw-{name}-{place}", case)
    add_named(f"raw-{name}-override-key", over(f"{raw}=1", words="unknown key"))
    add_named(f"raw-{name}-override-option", over(f"model.0.{raw}=1", words="Dense has no option"))
    add_named(f"raw-{name}-override-through", over(f"seed.{raw}=1", words="command line"))
    add_named(f"raw-{name}-override-index", over(f"model.{raw}.units=1", words="model is a list of 1"))
    add_named(f"raw-{name}-override-value", over(f"data.path={quoted}", words="command line: data.path"))
    add_named(f"raw-{name}-override-no-value", over(f"seed{raw}", words="expected key=value"))
    add_named(f"raw-{name}-override-not-yaml", over(f"{raw}=[", words="the '[' is not closed"))

# ---------------------------------------------------------------------------------------------- numbers

BIG = {"10-to-5000": "1" + "0" * 5000, "10-to-3990": "1" + "0" * 3990, "10-to-400": "1" + "0" * 400, "1e400": "1e400", "minus-10-to-400": "-1" + "0" * 400, "hex": "0x" + "f" * 900, "nan": ".nan", "inf": "-.inf"}  # fmt: skip
for name, number in BIG.items():
    add_named(f"number-{name}-units", model(f"[{{type: Dense, units: {number}}}]", "model.0.units: expected an integer"))
    add_named(f"number-{name}-lr", Case(config(optimizer=f"{{type: SGD, lr: {number}}}"), "optimizer.lr: expected a number"))
    add_named(f"number-{name}-seed", Case(config(seed=number), "seed: expected an integer"))
    add_named(f"number-{name}-predict", Case(config(predict=f"{{row: {{a: 1, b: {number}}}}}"), "predict.row.b: expected a number"))
    add_named(
        f"number-{name}-shift",
        Case(config(data=f"{{type: CSV, path: data.csv, target: y, transforms: [{{type: Shift, by: {number}}}]}}"), "data.transforms.0.by"),
    )
for name, number in {"10-to-5000": "1" + "0" * 5000, "10-to-400": "1" + "0" * 400, "1e400": "1e400", "1e3": "1e3", "minus": "-1", "zero": "0", "true": "true"}.items():  # fmt: skip
    wrong = name not in ("10-to-400",)
    if wrong:
        add_named(f"number-{name}-epochs", Case(config(train=f"{{epochs: {number}, batch_size: 1}}"), "train.epochs: expected an integer"))
        add_named(f"number-{name}-batch", Case(config(train=f"{{epochs: 1, batch_size: {number}}}"), "train.batch_size: expected an integer"))  # fmt: skip
        add_named(f"number-{name}-log", Case(config(log=f"{{every: {number}}}"), "log.every: expected an integer"))
MEMORY_WORDS = "hostile.yaml:2:"
add(
    number_epochs_10_to_400=Case(config(train=f"{{epochs: 1{'0' * 400}, batch_size: 1}}"), "train.epochs"),
    number_batch_10_to_400=Case(config(train=f"{{epochs: 1, batch_size: 1{'0' * 400}}}"), "train.batch_size"),
    number_negative_zero_lr=Case(config(optimizer="{type: SGD, lr: -0.0}"), "optimizer.lr: expected a number greater than 0"),
    number_negative_zero_units=model("[{type: Dense, units: -0}]", "model.0.units: expected an integer of at least 1"),
    number_half_a_unit=model("[{type: Dense, units: 0.5}]", "model.0.units: expected an integer"),
    number_vector_lr=Case(config(optimizer=f"{{type: SGD, lr: [{'0.1, ' * 19_000}]}}"), "one network takes one value"),
    number_seeds=Case(config(seed="[0, 1]"), "seed: expected an integer"),
    number_seed_2_to_64=Case(config(seed=str(2**64)), "seed: expected an integer"),
    number_validation_tiny=Case(config(data="{type: CSV, path: data.csv, target: y, validation: 1e-300}"), "validation"),
    number_validation_one=Case(config(data="{type: CSV, path: data.csv, target: y, validation: 1}"), "data.validation"),
    number_betas=Case(config(optimizer="{type: Adam, betas: [1, 1]}"), "optimizer.betas.0"),
    number_betas_many=Case(config(optimizer=f"{{type: Adam, betas: [{'0.9, ' * 15_000}]}}"), "optimizer.betas"),
    number_cosine_inf=Case(config(optimizer="{type: SGD, lr: {type: Cosine, start: .inf}}"), "optimizer.lr.start"),
    number_threshold_nan=Case(config(metrics="[{type: BinaryAccuracy, threshold: .nan}]"), "metrics.0.threshold"),
    number_shift_to_infinity=Case(
        config(data="{type: CSV, path: data.csv, target: y, transforms: [{type: Shift, by: 1e308}, {type: Shift, by: 1e308}]}"), "data"
    ),
    number_predict_beyond_float32=Case(config(predict="{row: {a: 1, b: 1e309}}"), "predict.row.b"),
    memory_units_10_to_9=model("[{type: Dense, units: 20000000000}, {type: Dense, units: 1}]", MEMORY_WORDS),
    memory_units_10_to_12=model("[{type: Dense, units: 1000000000000}, {type: Dense, units: 1}]", MEMORY_WORDS),
    memory_units_10_to_18=model("[{type: Dense, units: 1000000000000000000}, {type: Dense, units: 1}]", MEMORY_WORDS),
    memory_units_10_to_19=model("[{type: Dense, units: 10000000000000000000}, {type: Dense, units: 1}]", MEMORY_WORDS),
    memory_units_10_to_300=model(f"[{{type: Dense, units: 1{'0' * 300}}}, {{type: Dense, units: 1}}]", MEMORY_WORDS),
    memory_units_last=model("[{type: Dense, units: 1000000000001}]", MEMORY_WORDS),
    memory_layers_squared=model("[{type: Dense, units: 1000000}, {type: Dense, units: 1000000}]", MEMORY_WORDS),
    memory_layers_many=model(f"[{'{type: Dense, units: 50000}, ' * 400}]", MEMORY_WORDS),
    memory_orthogonal=model("[{type: Dense, units: 1000000, init: Orthogonal}, {type: Dense, units: 1000000}]", MEMORY_WORDS),
    memory_residual=model(
        "[{type: Residual, layers: [{type: Dense, units: 1000000000000, bias: false}, {type: Dense, units: 2}]}]", MEMORY_WORDS
    ),
)

# ---------------------------------------------------------------------------------------------- names that lead elsewhere

NAMES = [
    "../../x", "/etc/passwd", "a/b", "..", ".", "...", "a/../../x", "C:\\x", "a\\b", "-rf", "--out", ".hidden", " x", "x ", "x y", "a:b", "a*", "a?", "a|b", "<a>", "a;b",
    "a&b", "~", "~root", "$x", "é", "\uff41", "n" * 101, "n" * 300, "CON", "con", "NUL", "aux.txt", "COM1", "LPT9", "x.", "",
]  # fmt: skip
for name in NAMES:
    add_named(f"name-{name[:20]}{len(name) if len(name) > 20 else ''}", Case(config(name=json.dumps(name)), "name: expected"))
add(
    name_nul=Case(config(name='"a\\0b"'), "name: expected"),
    name_trailing_newline=Case(config(name='"gender\\n"'), "name: expected"),
    name_number=Case(config(name="5"), "name: expected a text, got 5"),
    name_list=Case(config(name="[a]"), "name: expected a text"),
    name_null=Case(config(name="null"), "name: expected a text"),
)

# ---------------------------------------------------------------------------------------------- paths that are no data


def csv_at(path, words="data.path", **more):
    return Case(config(data=f"{{type: CSV, path: {json.dumps(path)}, target: y}}"), words, reads=(path,), **more)


def npz_at(path, words="data.path", **more):
    return Case(config(data=f"{{type: Arrays, path: {json.dumps(path)}}}"), words, reads=(path,), **more)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's whole path must be short
        listener.bind(path.name)
        os.chdir(here)


def sparse(beginning, size=2**40):
    """A file that claims a terabyte and takes a block: all zeros but for its beginning."""

    def make(path):
        with path.open("wb") as file:
            file.write(beginning)
            file.truncate(size)

    return make


def many_files(path):
    path.mkdir()
    for i in range(10_000):
        (path / f"data{i}.csv").touch()


def link_to(target):
    return lambda path: path.symlink_to(target)


for path in [
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/dev/null",
    "/dev/full",
    "/dev/stdin",
    "/dev/tty",
    "/dev/fd/0",
    "/proc/self/fd/0",
]:
    add_named(f"path-csv-{path}", csv_at(path, "is not a regular file"))
    add_named(f"path-npz-{path}", npz_at(path, "is not a regular file"))
for path in ["/proc/self/mem", "/proc/self/environ", "/proc/self/cmdline", "/proc/self/maps", "/proc/kcore", "/proc/version", "/proc/self/auxv", "/sys/power/state"]:  # fmt: skip
    add_named(f"path-csv-{path}", csv_at(path))
    add_named(f"path-npz-{path}", npz_at(path))
for path in ["http://127.0.0.1:1/x.csv", "https://127.0.0.1:1/x.csv", "file:///etc/passwd", "file:data.csv", "s3://bucket/x.csv", "gs://bucket/x.csv", "ftp://127.0.0.1/x", "hdfs:///x", "data:text/csv,a", "zip://x.zip!data.csv", "\\\\127.0.0.1\\share\\x.csv", "//127.0.0.1/share/x.csv", "|id", "data.csv; touch pwned", "data.csv\n", "$(touch pwned)", "-", "*.csv", "data.csv?x=1", "data.csv#x", "<(id)"]:  # fmt: skip
    add_named(f"path-csv-{path!r}", csv_at(path, "there is no file"))
    add_named(f"path-npz-{path!r}", npz_at(path, "there is no file"))
add(
    path_nul=csv_at("data.csv\0.npz", "data.path: expected a path"),
    path_empty=csv_at("", "is not a regular file"),
    path_dot=csv_at(".", "is not a regular file"),
    path_dots=csv_at("..", "is not a regular file"),
    path_root=csv_at("/", "is not a regular file"),
    path_folder=csv_at("folder", "is not a regular file", files={"folder": Path.mkdir}),
    path_fifo=csv_at("fifo", "is not a regular file", files={"fifo": os.mkfifo}),
    path_fifo_npz=npz_at("fifo", "is not a regular file", files={"fifo": os.mkfifo}),
    path_socket=csv_at("socket", "is not a regular file", files={"socket": a_socket}),
    path_link_to_zero=csv_at("zero", "is not a regular file", files={"zero": link_to("/dev/zero")}),
    path_link_to_fifo=csv_at("to-fifo", "is not a regular file", files={"fifo": os.mkfifo, "to-fifo": link_to("fifo")}),
    path_link_loop=csv_at("loop", files={"loop": link_to("loop")}),
    path_link_loop_of_two=csv_at("one", files={"one": link_to("two"), "two": link_to("one")}),
    path_link_loop_folder=csv_at("loop/x.csv", files={"loop": link_to("loop")}),
    path_link_dangling=csv_at("dangling", "there is no file", files={"dangling": link_to("nowhere")}),
    path_through_a_file=csv_at("data.csv/x.csv"),
    path_of_100000_characters=csv_at("x" * 100_000),
    path_of_900000_characters=csv_at("x" * 900_000),
    path_of_300_characters=csv_at("x" * 300),
    path_of_50000_folders=csv_at("x/" * 50_000 + "x.csv"),
    path_of_1500_folders=csv_at("x/" * 1500 + "x.csv"),
    path_of_1500_dots=csv_at("../" * 1200 + "nowhere/x.csv"),
    path_npz_of_100000_characters=npz_at("x" * 100_000),
    path_number=Case(config(data="{type: CSV, path: 3, target: y}"), "data.path: expected a path, got 3"),
    path_list=Case(config(data="{type: CSV, path: [data.csv], target: y}"), "data.path: expected a path"),
    path_descriptor=Case(config(data="{type: Arrays, path: 0}"), "data.path: expected a path, got 0"),
    path_null=Case(config(data="{type: CSV, path: null, target: y}"), "data.path: expected a path, got nothing"),
    path_bytes=Case(config(data="{type: CSV, path: !!binary ZGF0YS5jc3Y=, target: y}"), REFUSED),
    path_passwd=csv_at("/etc/passwd", "data"),
    path_among_10000=csv_at("many/data.cvs", "there is no file", files={"many": many_files}),
    path_validation_zero=Case(
        config(data="{type: CSV, path: data.csv, target: y, validation: {type: CSV, path: /dev/zero, target: y}}"), "data.validation"
    ),
    path_python=csv_at("canary.py", "data"),
    path_config_itself=csv_at("hostile.yaml", "data"),
)

# ---------------------------------------------------------------------------------------------- tables that mean harm


def table(content, words, *, options="target: y", name="bad.csv", **sections):
    return Case(config(data=f"{{type: CSV, path: {name}, {options}}}", **sections), words, files={name: content})


add(
    csv_empty=table("", "is empty", name="empty.csv"),
    csv_header_alone=table("a,b,y\n", "has a header but no rows", name="header.csv"),
    csv_blank_lines=table("\n" * 1_000_000, "is empty", name="blank.csv"),
    csv_field_of_256_mb=table(sparse(b"a,b,y\n0,", 2**28), "field.csv", name="field.csv"),
    csv_quoted_field_of_32_mb=table(lambda path: path.write_bytes(b'a,b,y\n"' + b"x\n" * 2**24), "quoted.csv", name="quoted.csv"),
    csv_header_of_128_mb=table(lambda path: path.write_bytes(b"a" * 2**27), "wide.csv", name="wide.csv"),
    csv_terabyte_of_nothing=table(sparse(CSV.encode()), "sparse.csv", name="sparse.csv"),
    csv_terabyte_unquoted=table(sparse(b'a,b,y\n0,0,"'), "sparse2.csv", name="sparse2.csv"),
    csv_columns_20000=table(",".join(f"c{i}" for i in range(20_000)) + "\n" + "1," * 19_999 + "1\n", "has no column 'y'", name="cols.csv"),
    csv_columns_20000_twice=table(
        ",".join(f"c{i}" for i in [*range(20_000), 19_999]) + "\n" + "1," * 20_000 + "1\n", "stands twice", name="twice.csv"
    ),
    csv_columns_long=table(",".join(c * 100_000 for c in "abc") + "\n1,2,3\n", "has no column 'y'", name="long.csv"),
    csv_commas=table("," * 1_000_000, "stands twice", name="commas.csv"),
    csv_classes_20000=table(
        "a,b,y\n" + "".join(f"1,2,class{i}\n" for i in range(20_000)), "but the model has outputs (1,)", name="classes.csv"
    ),
    csv_class_long=table(f"a,b,y\n1,2,{'c' * 100_000}\n1,2,{'d' * 100_000}\n1,2,e\n", "but the model has outputs (1,)", name="class.csv"),
    csv_cell_long=table(f"a,b,y\n1,{'c' * 100_000},0\n", "holds texts", name="cell.csv"),
    csv_digits=table(f"a,b,y\n1,{'1' * 100_000},0\n", "expected a finite number", name="digits.csv"),
    csv_1e400=table("a,b,y\n1,1e400,0\n", "expected a finite number, got '1e400'", name="1e400.csv"),
    csv_1e300=table("a,b,y\n1,1e300,0\n", "expected finite numbers", name="1e300.csv"),
    csv_nan=table("a,b,y\n1,nan,0\n", "the column 'b' is empty in all rows", name="nan.csv"),
    csv_infinity=table("a,b,y\n1,Infinity,0\n", "expected a finite number", name="infinity.csv"),
    csv_hex=table("a,b,y\n1,0x10,0\n", "holds texts", name="hex.csv"),
    csv_formula=table("a,b,y\n1,=cmd|'/c calc'!A0,0\n", "holds texts", name="formula.csv"),
    csv_python=table("a,b,y\n1,__import__('canary'),0\n", "holds texts", name="python.csv"),
    csv_nul=table(b"a,b,y\n1,\0,0\n", "nul.csv", name="nul.csv"),
    csv_latin_1=table("a,b,y\né,1,0\n".encode("latin-1"), "expected text in UTF-8", name="latin.csv"),
    csv_utf_16=table(CSV.encode("utf-16"), "utf16.csv", name="utf16.csv"),
    csv_open_quote=table('a,b,y\n1,"2,0\n' + "1,2,0\n" * 10_000, "open.csv", name="open.csv"),
    csv_open_quote_long=table('a,b,y\n1,"2,0\n' + "1,2,0\n" * 1_000_000, "open2.csv", name="open2.csv"),
    csv_quotes=table('a,b,y\n1,"' + '""' * 60_000 + '",0\n', "holds texts", name="quotes.csv"),
    csv_ragged=table(CSV + "1,2,3,4\n", "expected 3 cells", name="ragged.csv"),
    csv_dunder_column=table(CSV, "has no column '__class__'", name="dunder.csv", options="target: __class__"),
    csv_pickle=table(pickle.dumps([1, 2]), "pickle.csv", name="pickle.csv"),
    csv_delimiter_nul=table(CSV, "data", name="data.csv", options='target: y, delimiter: "\\0"'),
    csv_delimiter_return=table(CSV, "data.delimiter", name="data.csv", options='target: y, delimiter: "\\r"'),
    csv_delimiter_quote=table(CSV, "data.delimiter", name="data.csv", options="target: y, delimiter: '\"'"),
    csv_delimiter_two=table(CSV, "data.delimiter", name="data.csv", options="target: y, delimiter: ab"),
    csv_delimiter_empty=table(CSV, "data.delimiter", name="data.csv", options="target: y, delimiter: ''"),
    csv_delimiter_space=table(CSV, "data", name="data.csv", options="target: y, delimiter: ' '"),
    csv_targets_many=table(CSV, "has no column", name="data.csv", options=f"target: [{', '.join(f't{i}' for i in range(15_000))}]"),
    csv_inputs_many_times=table(CSV, "data", name="data.csv", options=f"target: z, inputs: [{'a, ' * 15_000}]"),
    csv_inputs_none=table(CSV, "expected at least one column", name="data.csv", options="target: y, inputs: []"),
)

# ---------------------------------------------------------------------------------------------- npz files that mean harm


def npy(shape, *, descr="'<f8'", data=b"", header=None, version=1, length=None):
    """An array's bytes, with any header."""
    text = (header or f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}").encode("latin-1") + b"\n"
    length = len(text) if length is None else length
    return (
        b"\x93NUMPY"
        + bytes([version, 0])
        + struct.pack("<H" if version == 1 else "<I", length & (0xFFFF if version == 1 else ~0))
        + text
        + data
    )


GOOD_X, GOOD_Y = npy((4, 2), data=np.eye(4, 2).tobytes()), npy((4, 1), data=np.eye(4, 1).tobytes())


def inflating(beginning, zeros):
    """`beginning` and then `zeros` bytes of 0, deflated: 1000 times smaller, made quickly."""
    first = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = first.compress(beginning) + first.flush(zlib.Z_FULL_FLUSH)
    piece = zlib.compressobj(9, zlib.DEFLATED, -15)
    unit = piece.compress(bytes(2**20)) + piece.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush(zlib.Z_FINISH)
    return start + unit * (zeros // 2**20) + end


def zipped(*members):
    """A zip file of (name, bytes, claims), where claims may be: method, size and packed as the directory has them, flags, crc."""
    body, directory = bytearray(), bytearray()
    for name, data, *claims in members:
        claim = {"method": 0, "size": len(data), "packed": len(data), "flags": 0, "crc": zlib.crc32(data)} | (claims[0] if claims else {})
        named, size, packed = name.encode(), claim["size"], claim["packed"]
        common = struct.pack("<HHHHHI", 45, claim["flags"] | 0x800, claim["method"], 0, 0x21, claim["crc"])
        extra = struct.pack("<HHQQ", 1, 16, size, packed)
        local = b"PK\3\4" + common + struct.pack("<IIHH", 2**32 - 1, 2**32 - 1, len(named), len(extra)) + named + extra
        directory += b"PK\1\2" + struct.pack("<H", 45) + common + struct.pack("<IIHHHHHII", 2**32 - 1, 2**32 - 1, len(named), len(extra), 0, 0, 0, 0, len(body))  # fmt: skip
        directory += named + extra
        body += local + data
    return bytes(body + directory) + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)


def arrays(name, *members, words="data", options="", **more):
    made = {f"{name}.npz": lambda path: path.write_bytes(zipped(*members))}
    add_named(f"npz-{name}", Case(config(data=f"{{type: Arrays, path: {name}.npz{options}}}"), words, files=made, **more))


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def headed(name, header, *, version=1, words="not an npz file of plain arrays", data=b""):
    arrays(name, ("x.npy", npy(None, header=header, version=version, data=data)), ("y.npy", GOOD_Y), words=words)


GIB64, DEFLATED = 2**36, {"method": 8}
arrays("claims-64-gib", ("x.npy", npy((2**32, 2))), ("y.npy", GOOD_Y), words="not an npz file of plain arrays")
LIE = npy((2**32, 2))
arrays("directory-claims-64-gib", *((f"{n}.npy", LIE, {"size": GIB64 + len(LIE)}) for n in "xy"))
arrays("directory-claims-64-gib-packed", *((f"{n}.npy", LIE, {"size": GIB64 + len(LIE), "packed": GIB64 + len(LIE)}) for n in "xy"))
arrays("directory-claims-64-gib-deflated", *((f"{n}.npy", inflating(LIE, 2**20), DEFLATED | {"size": GIB64 + len(LIE)}) for n in "xy"))
BOMB = npy((2**32, 2))
arrays("bomb-of-64-gib", ("x.npy", inflating(BOMB, 2**30), DEFLATED | {"size": GIB64 + len(BOMB)}), ("y.npy", inflating(BOMB, 2**30), DEFLATED | {"size": GIB64 + len(BOMB)}))  # fmt: skip
BOMB = npy((2**28, 2))
arrays("bomb-of-4-gib", *((f"{n}.npy", inflating(BOMB, 2**32), DEFLATED | {"size": 2**32 + len(BOMB)}) for n in "xy"), words="claims")
BOMB = npy((2**25, 2))
arrays("bomb-of-512-mib-for-4-targets", ("x.npy", inflating(BOMB, 2**29), DEFLATED | {"size": 2**29 + len(BOMB)}), ("y.npy", GOOD_Y))
BOMB = npy((2**26, 1))
arrays("bomb-of-512-mib-for-targets", ("x.npy", GOOD_X), ("y.npy", inflating(BOMB, 2**29), DEFLATED | {"size": 2**29 + len(BOMB)}))
arrays("bomb-nobody-asked-for", ("z.npy", inflating(BOMB, 2**29), DEFLATED | {"size": 2**29 + len(BOMB)}), words="claims")
arrays("bomb-in-a-header", ("x.npy", inflating(npy(None, header="{", version=2, length=2**32 - 1), 2**30), DEFLATED | {"size": 2**30 + 14}), ("y.npy", GOOD_Y))  # fmt: skip
arrays("header-claims-4-gib", ("x.npy", npy(None, header="{", version=2, length=2**32 - 1)), ("y.npy", GOOD_Y))
headed("header-of-1-mb", "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2), }" + " " * 2**20, version=2)
headed("header-of-python", "__import__('os').system('touch pwned')")
headed("header-of-python-in-shape", "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('canary'), 2), }")
headed("header-of-a-lambda", "(lambda: 0)()")
headed("header-of-an-f-string", "f'{__import__(\"canary\")}'")
headed("header-of-a-comprehension", "[x for x in range(10**12)]")
headed("header-of-a-power", "{'descr': '<f8', 'fortran_order': False, 'shape': (9**9**9, 2), }")
headed("header-of-a-product", "'x' * 10**12")
headed("header-unclosed", "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2")
headed("header-unclosed-quote", "{'descr': '''")
headed("header-of-parentheses", "(" * 9000 + ")" * 900)
headed("header-of-brackets", "[" * 90 + "]" * 90)
headed("header-of-minuses", "-" * 9000 + "1")
headed("header-of-nots", "not " * 2000 + "1")
headed("header-of-pluses", "1" + "+1" * 4000)
headed("header-of-digits", f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'9' * 9000}, 2), }}")
headed("header-of-a-huge-shape", f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'9' * 4000}, 2), }}")
headed("header-of-nul", "\0")
headed("header-of-an-indent", "  \n  {\n}")
headed("header-empty", " ")
headed("header-of-a-list", "[]")
headed("header-of-no-keys", "{}")
headed("header-of-more-keys", "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2), 'exec': 1}")
headed("header-of-python-2", "{'descr': '<f8', 'fortran_order': False, 'shape': (4L, 3L), }")
headed("header-of-escapes", "{'\\x1b[31m\\nFORGED': 1}")
for name, descr in {
    "one-part": "('<f8',)", "no-part": "()", "number": "5", "none": "None", "set": "{1}", "mapping": "{'a': 1}", "fields-of-nothing": "[()]", "fields-of-five": "[(1, 2, 3, 4, 5)]",
    "no-fields": "[]", "field-names": "[(('a', 'b'), '<f8')]", "field-twice": "[('a', '<f8'), ('a', '<f8')]", "nested": "[('a', " * 60 + "'<f8'" + ")]" * 60, "void": "'|V2147483647'",
    "void-negative": "'|V-1'", "huge-item": "'<U2147483647'", "sub-array": "('<f8', (100000, 100000))", "sub-array-huge": "('<f8', (1000000000,))", "sub-array-negative": "('<f8', (-1,))",
    "python": "'canary.Layer'", "dotted": "'os.system'", "object-fields": "[('a', '|O')]", "complex": "'<c16'", "text": "'<U1'", "date": "'<M8[s]'", "unknown": "'<q9'", "commas": "'O,O'", "empty": "''",
    "escape": "'\\x1b[31m'", "bytes": "b'<f8'", "true": "True",
}.items():  # fmt: skip
    size = {"no-fields": 0, "complex": 128, "text": 32, "void": 0, "nested": 64}.get(name, 64)
    arrays(f"descr-{name}", ("x.npy", npy((4, 2), descr=descr, data=bytes(size))), ("y.npy", GOOD_Y))
for name, shape in {
    "negative": "(-4, -2)", "negative-one": "(-1, 2)", "true": "(True, 8)", "float": "(4.0, 2)", "text": "('4', 2)", "none": "None", "list": "[4, 2]", "number": "8", "empty": "()",
    "nested": "((4, 2),)", "no-rows": "(0, 2)", "no-rows-of-many": "(0, 1000000000000000000)", "70-axes": str((8,) + (1,) * 70), "huge-product": "(4294967296, 4294967296)",
    "wraps-around": "(9223372036854775808, 2)", "wraps-to-8": "(2305843009213693953, 8)",
}.items():  # fmt: skip
    size = {"empty": 8, "no-rows": 0, "no-rows-of-many": 0}.get(name, 64)
    arrays(f"shape-{name}", ("x.npy", npy(shape, data=bytes(size))), ("y.npy", GOOD_Y))
arrays("rows-without-numbers", ("x.npy", npy((10**18, 0))), ("y.npy", npy((10**18, 0))))
arrays("rows-without-numbers-to-split", ("x.npy", npy((10**12, 0))), ("y.npy", npy((10**12, 0))), options=", validation: 0.5")
arrays("rows-without-numbers-10-to-9", ("x.npy", npy((10**9, 0))), ("y.npy", npy((10**9, 0))), options=", validation: 0.5")
arrays("single-number-target", ("x.npy", GOOD_X), ("y.npy", npy((), data=bytes(8))))
arrays("single-number-weight", ("x.npy", GOOD_X), ("y.npy", GOOD_Y), ("w.npy", npy((), data=bytes(8))), options=", weight: w")
arrays("single-number-input", ("x.npy", npy((), data=bytes(8))), ("y.npy", GOOD_Y))
arrays("no-targets", ("x.npy", GOOD_X), ("y.npy", npy((4, 0))))
arrays("class-of-2-to-62", ("x.npy", GOOD_X), ("y.npy", npy((4,), descr="'<i8'", data=struct.pack("<4q", 0, 1, 2, 2**62))))
arrays("class-of-9999", ("x.npy", GOOD_X), ("y.npy", npy((4,), descr="'<i8'", data=struct.pack("<4q", 0, 1, 2, 9998))))
arrays("class-of-2-to-64", ("x.npy", GOOD_X), ("y.npy", npy((4,), descr="'<u8'", data=struct.pack("<4Q", 0, 1, 2, 2**64 - 1))))
arrays("class-negative", ("x.npy", GOOD_X), ("y.npy", npy((4,), descr="'<i8'", data=struct.pack("<4q", 0, 1, 2, -(2**63)))))
arrays("weights-negative", ("x.npy", GOOD_X), ("y.npy", GOOD_Y), ("w.npy", npy((4,), data=struct.pack("<4d", 1, 1, 1, -1))), options=", weight: w")  # fmt: skip
arrays("pickled", ("x.npy", npy((4, 2), descr="'|O'", data=pickle.dumps(Evil()))), ("y.npy", GOOD_Y), words="never unpickled")
arrays("pickle-as-member", ("x.npy", pickle.dumps(Evil())), ("y.npy", GOOD_Y), words="not an npz file of plain arrays")
arrays("pickle-without-suffix", ("x", pickle.dumps(Evil())), ("y", pickle.dumps(Evil())), words="has no array 'x'")
arrays("two-of-one-name", ("x", b"canary"), ("x.npy", GOOD_X), ("y.npy", GOOD_Y), words="it has two members named 'x'")
arrays(
    "two-of-one-name-and-a-lie",
    ("x", LIE, {"size": GIB64 + len(LIE)}),
    ("x.npy", GOOD_X),
    ("y.npy", GOOD_Y),
    words="it has two members named 'x'",
)
arrays(
    "two-of-one-name-and-a-pickle",
    ("x", npy((1,), descr="'|O'", data=pickle.dumps(Evil()))),
    ("x.npy", GOOD_X),
    ("y.npy", GOOD_Y),
    words="it has two members named 'x'",
)
arrays(
    "the-same-name-twice",
    ("x.npy", npy((4, 2), data=bytes(64))),
    ("x.npy", GOOD_X),
    ("y.npy", GOOD_Y),
    words="it has two members named 'x'",
)
arrays("members-20000", *((f"{i}.npy", npy((0,))) for i in range(20_000)), words="it has more than 10,000 members")
arrays("member-of-a-path", ("../x.npy", GOOD_X), ("/etc/passwd", GOOD_Y), words="has no array 'x'")
arrays("member-of-60000-characters", ("m" * 60_000, GOOD_X), words="has no array 'x'")
arrays("encrypted", ("x.npy", GOOD_X, {"flags": 1}), ("y.npy", GOOD_Y))
arrays("deflated-rubbish", ("x.npy", b"\xff" * 99, DEFLATED | {"size": 192}), ("y.npy", GOOD_Y))
arrays("lzma-rubbish", ("x.npy", b"\x09\x04\x05\x00" + b"\xff" * 99, {"method": 14, "size": 192}), ("y.npy", GOOD_Y))
arrays("lzma-dictionary-of-4-gib", ("x.npy", b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + b"\0" * 99, {"method": 14, "size": 192}), ("y.npy", GOOD_Y))  # fmt: skip
arrays("bzip2-rubbish", ("x.npy", b"BZh9" + b"\xff" * 99, {"method": 12, "size": 192}), ("y.npy", GOOD_Y))
arrays("unknown-method", ("x.npy", GOOD_X, {"method": 99}), ("y.npy", GOOD_Y))
arrays("wrong-checksum", ("x.npy", GOOD_X, {"crc": 1}), ("y.npy", GOOD_Y), words="data.path")
arrays("cut-short", ("x.npy", GOOD_X[:-8], {"size": len(GOOD_X)}), ("y.npy", GOOD_Y))
arrays("packed-size-negative", ("x.npy", GOOD_X, {"packed": 2**64 - 1}), ("y.npy", GOOD_Y))
arrays("rubbish-at-the-end-of-deflate", ("x.npy", zlib.compress(GOOD_X)[2:-10] + b"\xff" * 9, DEFLATED | {"size": len(GOOD_X)}), ("y.npy", GOOD_Y))  # fmt: skip
arrays("nothing")
add(csv_zip=table(zipped(("x.npy", GOOD_X)), "zip.csv", name="zip.csv"))
for name, raw in {
    "a-pickle": pickle.dumps({"x": Evil(), "y": Evil()}), "an-npy": GOOD_X, "an-object-npy": npy((1,), descr="'|O'", data=pickle.dumps(Evil())), "an-empty-file": b"", "text": CSV.encode(),
    "an-end": zipped()[-22:-2], "a-directory-beyond-the-end": b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 9, 9, 2**31, 2**31, 0), "a-huge-comment": zipped() + b"x" * 70_000,
    "a-zip64-end": b"PK\6\6" + b"\xff" * 52 + b"PK\6\7" + b"\0" * 16 + zipped(), "a-bad-extra": zipped(("x.npy", GOOD_X)).replace(struct.pack("<HH", 1, 16), struct.pack("<HH", 1, 4)),
    "a-bad-name": zipped(("x.npy", GOOD_X)).replace(b"x.npy", b"\xff\xff.npy"[:5]), "a-gzip": b"\x1f\x8b\x08\0" + bytes(99), "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(99),
}.items():  # fmt: skip
    add_named(f"npz-is-{name}", npz_at(f"is-{name}.npz", "data", files={f"is-{name}.npz": raw}))
arrays("terabyte", ("z.npy", GOOD_X), words="data")
TABLE["npz-terabyte"].files["terabyte.npz"] = sparse(b"PK\3\4")

# ---------------------------------------------------------------------------------------------- configs that stand on others


def extends(value, words="extends", files=None, **more):
    return Case(f"extends: {value}\n", words, files=files or {}, **more)


BIG_BASE = config(predict="{" + ", ".join(f"k{i}: {{}}" for i in range(3_900)) + "}")
add(
    extends_itself=extends("hostile.yaml", "goes round in a circle"),
    extends_itself_in_other_words=extends("./x/../hostile.yaml", "goes round in a circle", {"x": Path.mkdir}),
    extends_itself_by_a_link=extends("link.yaml", "goes round in a circle", {"link.yaml": link_to("hostile.yaml")}),
    extends_circle=extends("one.yaml", "goes round in a circle", {"one.yaml": "extends: two.yaml\n", "two.yaml": "extends: hostile.yaml\n"}),
    extends_circle_elsewhere=extends("three.yaml", "goes round in a circle", {"three.yaml": "extends: three.yaml\n"}),
    extends_chain_of_100=extends("c0.yaml", "more than 20 configs", {f"c{i}.yaml": f"extends: c{i + 1}.yaml\n" for i in range(100)}),
    extends_chain_of_large=extends(
        "d0.yaml", "all configs together have more than 20,000 parts", {f"d{i}.yaml": f"extends: d{i + 1}.yaml\nmodel: [{'a, ' * 19_000}]\n" for i in range(30)}
    ),
    extends_missing=extends("missing.yaml", "there is no file"),
    extends_zero=extends("/dev/zero", "is not a regular file"),
    extends_stdin=extends("/dev/stdin", "is not a regular file"),
    extends_tty=extends("/dev/tty", "is not a regular file"),
    extends_fifo=extends("fifo.yaml", "is not a regular file", {"fifo.yaml": os.mkfifo}),
    extends_socket=extends("socket.yaml", "is not a regular file", {"socket.yaml": a_socket}),
    extends_folder=extends("folder.yaml", "is not a regular file", {"folder.yaml": Path.mkdir}),
    extends_dot=extends(".", "is not a regular file"),
    extends_link_loop=extends("loop.yaml", "", {"loop.yaml": link_to("loop.yaml")}),
    extends_link_loop_of_two=extends("a.yaml", "", {"a.yaml": link_to("b.yaml"), "b.yaml": link_to("a.yaml")}),
    extends_link_loop_folder=extends("loop/a.yaml", "", {"loop": link_to("loop")}),
    extends_link_to_zero=extends("zero.yaml", "is not a regular file", {"zero.yaml": link_to("/dev/zero")}),
    extends_environ=extends("/proc/self/environ", "/proc/self/environ", reads=("/proc/self/environ",)),
    extends_mem=extends("/proc/self/mem", "/proc/self/mem", reads=("/proc/self/mem",)),
    extends_passwd=extends("/etc/passwd", "/etc/passwd", reads=("/etc/passwd",)),
    extends_passwd_relative=extends("../" * 30 + "etc/passwd", "etc/passwd", reads=("/etc/passwd",)),
    extends_url=extends("http://127.0.0.1:1/base.yaml", "there is no file"),
    extends_file_url=extends("file:///etc/passwd", "there is no file"),
    extends_package=extends("pkg://canary", "there is no file"),
    extends_module=extends("canary", "there is no file"),
    extends_python=extends("canary.py", "canary.py"),
    extends_command=extends("'|touch pwned'", "there is no file"),
    extends_shell=extends("$(touch pwned)", "there is no file"),
    extends_home=extends("$HOME/x.yaml", "there is no file $HOME/x.yaml"),
    extends_glob=extends("'*.yaml'", "there is no file"),
    extends_list=extends("[a.yaml, b.yaml]", "extends: expected the path of one config"),
    extends_mapping=extends("{path: a.yaml}", "extends: expected the path of one config"),
    extends_number=extends("0", "extends: expected the path of one config"),
    extends_null=extends("~", "extends: expected the path of one config"),
    extends_true=extends("true", "extends: expected the path of one config"),
    extends_empty=extends("''", "extends: expected the path of one config"),
    extends_nul=extends('"a\\0b"', "extends: expected the path of one config"),
    extends_of_100000_characters=extends("x" * 100_000, "cannot read"),
    extends_of_50000_folders=extends("x/" * 50_000 + "x", ""),
    extends_of_1500_folders=extends("x/" * 1500 + "x", ""),
    extends_tagged=extends("!!python/name:os.system x", REFUSED),
    extends_of_a_hostile_base=extends("evil.yaml", REFUSED, {"evil.yaml": "loss: !!python/object/apply:os.system [touch pwned]\n"}),
    extends_of_a_large_base=extends("large.yaml", "more than 1 MiB", {"large.yaml": "#" * 2**21}),
    extends_of_a_terabyte=extends("tera.yaml", "more than 1 MiB", {"tera.yaml": sparse(b"a: 1\n#")}),
    extends_of_laughs=extends("laughs.yaml", PARTS, {"laughs.yaml": LISTS}),
    extends_of_a_list=extends("list.yaml", "expected keys such as", {"list.yaml": "[1]\n"}),
    extends_of_an_empty_file=extends("nothing.yaml", "is empty", {"nothing.yaml": ""}),
    extends_within=Case(config(optimizer="{extends: base.yaml, type: SGD}"), "SGD has no option 'extends'"),
    extends_within_the_model=model("[{extends: base.yaml}]", "model.0: expected a 'type'"),
    extends_over_3900_rows=Case(
        "extends: rows.yaml\npredict: {" + ", ".join(f"k{i}: {{a: 1}}" for i in range(3_900)) + "}\n",
        "needs a value for the input 'b'",
        files={"rows.yaml": BIG_BASE},
    ),
    extends_over_3900_lists=Case(
        "extends: lists.yaml\npredict: {" + ", ".join(f"k{i}: [2]" for i in range(3_900)) + "}\n",
        "predict.k0: expected a mapping",
        files={"lists.yaml": BIG_BASE.replace("{}", "[1]")},
    ),
    extends_over_3900_values=Case(
        "extends: values.yaml\npredict: {" + ", ".join(f"k{i}: null" for i in range(3_900)) + "}\n",
        "predict.k0: expected a mapping",
        files={"values.yaml": BIG_BASE.replace("{}", "null")},
    ),
    extends_over_deep_maps=Case(
        "extends: deep.yaml\n" + "{a: " * 50 + "1" + "}" * 50 + "\n", "expected 'key: value'", files={"deep.yaml": "{a: " * 50 + "1" + "}" * 50}
    ),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- the command line

add(
    override_no_key=over("=1", words="expected key=value"),
    override_nothing=over("seed", words="expected key=value"),
    override_dots=over("...=1", words="expected key=value"),
    override_empty_part=over("model..units=1", words="expected key=value"),
    override_dunder=over("model.0.__class__=os.system", words="Dense has no option '__class__'"),
    override_globals=over("__class__.__init__.__globals__=1", words="unknown key '__class__'"),
    override_section_dunder=over("train.__class__=os.system", words="train.__class__: unknown key"),
    override_optimizer_dict=over("optimizer.__dict__.lr=1", words="SGD has no option '__dict__'"),
    override_type=over("model.0.type=os.system", words="unknown layer 'os.system'"),
    override_mapping=over("optimizer={type: canary.Layer}", words="unknown optimizer 'canary.Layer'"),
    override_tag=over("model.0.units=!!python/object/apply:os.system [touch pwned]", words="is refused"),
    override_name_tag=over("loss=!!python/name:os.system ''", words="is refused"),
    override_target=over("_target_=os.system", words="unknown key '_target_'"),
    override_hydra_add=over("+callbacks=canary", words="unknown key '+callbacks'"),
    override_hydra_force=over("++train.epochs=1", words="unknown key '++train'"),
    override_hydra_delete=over("~model", words="expected key=value"),
    override_hydra_dir=over("hydra.run.dir=/tmp/pwned", words="unknown key 'hydra'"),
    override_file=over("@/etc/passwd", words="expected key=value"),
    override_plugin=over("plugin=canary.py", words="unknown key 'plugin'"),
    override_extends=over("extends=/etc/passwd", words="extends: can only stand in a file"),
    override_shell=over("$(touch pwned)=1", words="unknown key '$(touch pwned)'"),
    override_backticks=over("`touch pwned`=1", words="unknown key"),
    override_environment=over("name=${oc.env:HOME}", words="command line: name"),
    override_name=over("name=../../x", words="command line: name"),
    override_path=over("data.path=/dev/zero", words="is not a regular file"),
    override_negative_index=over("model.-1.units=1", words="model is a list of 1"),
    override_slice=over("model.0:1.units=1", words="model is a list of 1"),
    override_large_index=over("model.99999999999999999999.units=1", words="model is a list of 1"),
    override_index_of_5000_digits=over(f"model.{'9' * 5000}.units=1", words="expected keys of at most 200 characters, got one of 5000"),
    override_arabic_index=over("model.\u0660.units=1", words="model is a list of 1"),
    override_unclosed=over("seed=[", words="command line: seed: the '[' is not closed"),
    override_undefined_alias=over("seed=*x", words="command line: seed: '*' refers to"),
    override_recursive_alias=over("seed=&a [*a]", words=DEEP),
    override_laughs=over("metrics={" + ", ".join(LISTS.strip().splitlines()) + "}", words=PARTS),
    override_documents=over("seed=1\n---\n2", words="expected one document"),
    override_depth=over("model=" + "[" * 3000 + "]" * 3000, words="command line"),
    override_depth_of_60000=over("model=" + "[" * 60_000, words="command line"),
    override_items=over("model=[" + "a," * 60_000 + "]", words=PARTS),
    override_key_of_120000=over("k" * 120_000 + "=1", words="command line"),
    override_value_of_120000=over("loss=" + "v" * 120_000, words="unknown loss"),
    override_text_of_120000=over("v" * 120_000, words="expected key=value"),
    override_path_of_60000_parts=over("a." * 60_000 + "a=1", words="command line"),
    override_path_of_3000_parts=over("a." * 3_000 + "a=1", words="command line"),
    override_path_into_data=over("data." + "validation." * 5_000 + "type=CSV", words="command line"),
    override_many=over(*(f"k{i}=1" for i in range(5_000)), words="unknown key 'k0'"),
    override_many_rows=over(*(f"predict.k{i}={{}}" for i in range(2_000)), words="needs a value for each of the inputs 'a', 'b'"),
    override_sources_300_deep=over(
        *(f"data.validation{'.validation' * i}=CSV" for i in range(300)),
        *(f"data.validation{'.validation' * i}.{key}" for i in range(300) for key in ("path=data.csv", "target=y")),
        words="command line",
    ),
    override_surrogate_value=over("name=\udcff", words="command line: name"),
    override_surrogate_key=over("\udcff=1", words="unknown key"),
    override_surrogate_path=over("data.path=\udcff.csv", words="command line: data.path"),
    override_surrogate_text=over("\udcff", words="expected key=value"),
    override_nul=over("data.path=a\0b"),
    override_number=over(f"model.0.units=1{'0' * 400}", words="model.0.units: expected an integer"),
    override_of_an_override=over("a.b=1", "a.b.c=1", words="a.b is 1, which has no 'c'"),
    override_type_mapping=over("optimizer.type={type: SGD}", words="optimizer.type: expected a 'type'"),
    override_all=over("data=", "model=", "loss=", "optimizer=", "train=", words="got nothing"),
)

# ---------------------------------------------------------------------------------------------- the tests


@pytest.fixture(scope="module")
def worker():
    with subprocess.Popen([sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(folder, *arguments, reads=()):
            request = {"folder": str(folder), "arguments": arguments, "reads": reads}
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@pytest.fixture
def place(tmp_path):
    """A folder with a small table, and a module that leaves a trace when it is imported."""
    (tmp_path / "data.csv").write_text(CSV)
    (tmp_path / "canary.py").write_text(CANARY)
    return tmp_path


def lay(folder, case):
    (folder / "hostile.yaml").write_bytes(case.text.encode() if isinstance(case.text, str) else case.text)
    for name, made in case.files.items():
        if callable(made):
            made(folder / name)
        else:
            (folder / name).write_bytes(made.encode() if isinstance(made, str) else made)


def tree(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino
    return found


def raw(text):
    """Characters that do more to a terminal than stand on it, but the newline."""
    return {f"U+{ord(c):04X}" for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


CASES = {re.sub(r"[^!-~]|[\[\]]", "_", name): case for name, case in TABLE.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_refused(place, worker, case):
    lay(place, case)
    before = tree(place)
    done = worker(place, "hostile.yaml", *case.overrides, "--out", "runs", reads=case.reads)
    said = done["err"]
    assert done["status"] == 2, said[-2000:] or done["status"]
    assert done["out"] == ""
    assert case.words in said, said[:2000]
    assert not re.search("Traceback|Warning|Unable to allocate|allow_pickle| at 0x", said), said[:2000]
    assert not raw(said), (raw(said), said[:2000])
    assert all(line.startswith(("hostile.yaml:", "command line:", *map(printable, case.files))) for line in said.splitlines()[:-1]), said[
        :2000
    ]
    assert "\nFORGED" not in said, said[:2000]
    assert len(said.encode()) < OUTPUT, (len(said.encode()), said[:500])
    assert max(map(len, said.splitlines())) <= LINE, (max(map(len, said.splitlines())), said[:500])
    assert done["seen"] == []
    assert tree(place) == before, "something was left behind"
    assert done["seconds"] < SECONDS
    assert done["memory"] < MEMORY, f"{done['memory'] / 1e6:.0f} MB"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if name.startswith("laughs-") and len(case.text) < 1500])
def test_a_bomb_of_a_kilobyte_is_refused_at_once(place, worker, name):
    lay(place, CASES[name])
    assert min(worker(place, "hostile.yaml", "--out", "runs")["seconds"] for _ in range(3)) < 0.1


def test_the_table_is_large_and_says_nothing_twice():
    assert len(TABLE) >= 150
    said = {}
    for name, case in TABLE.items():
        assert said.setdefault((case.text, case.overrides), name) == name, (said[case.text, case.overrides], name)


def test_what_the_cases_start_from_trains(place, worker):
    lay(place, Case(config()))
    done = worker(place, "hostile.yaml", "--out", "runs")
    assert done["status"] == 0, done["err"]
    assert any("open " in event or "os.mkdir" in event for event in done["seen"])


def test_the_npz_files_start_from_one_that_trains(place, worker):
    lay(place, Case(config(data="{type: Arrays, path: good.npz}"), files={"good.npz": zipped(("x.npy", GOOD_X), ("y.npy", GOOD_Y))}))
    assert worker(place, "hostile.yaml", "--out", "runs")["status"] == 0


@pytest.mark.parametrize(
    "code, event",
    [
        ("open('pwned', 'w')", "open "),
        ("import os; os.open('pwned', os.O_CREAT | os.O_RDWR)", "open "),
        ("open('/etc/hostname')", "open "),
        ("import os; os.mkdir('pwned')", "os.mkdir"),
        ("import os; os.unlink('data.csv')", "os.remove"),
        ("import os; os.system('true')", "os.system"),
        ("import os; os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)", "os.posix_spawn"),
        ("import os; os.waitpid(os.fork() or os._exit(0), 0)", "os.fork"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import socket; socket.socket()", "socket."),
        ("import socket; socket.getaddrinfo('localhost', 1)", "socket."),
        ("import canary", "import "),
        ("import wave", "import "),
        ("eval('1')", "exec "),
        ("import pickle; pickle.loads(b'cos\\nsystem\\n.')", "pickle.find_class"),
        ("import marshal; marshal.loads(b'N')", "marshal.loads"),
    ],
)
def test_the_watch_sees(place, worker, code, event):
    assert any(seen.startswith(event) for seen in worker(place, "probe", code)["seen"])


def test_the_watch_lets_pass_what_is_harmless(place, worker):
    seen = worker(place, "probe", "from pathlib import Path; Path('data.csv').read_text(); import ast; ast.literal_eval('[1]')")["seen"]
    assert [event for event in seen if not event.startswith(("exec ", "compile "))] == []  # those of the probe itself


@pytest.mark.parametrize(
    "code, status",
    [("while True: pass", "SIGALRM"), ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"), ("x = bytes(10**10)", 1)],
)
def test_the_worker_outlives_what_it_runs(place, worker, code, status):
    assert worker(place, "probe", code)["status"] == status


def test_the_worker_measures_time_and_memory(place, worker):
    done = worker(
        place, "probe", "import time\nend = time.process_time() + 0.3\nx = b'x' * 300_000_000\nwhile time.process_time() < end: pass"
    )
    assert done["seconds"] > 0.3 and done["memory"] > 290e6


# ---------------------------------------------------------------------------------------------- strange, but allowed


@pytest.mark.parametrize(
    "text, overrides",
    [
        (config(train="{epochs: 2, batch_size: 1000000000000, shuffle: false, evaluate_train: true, eval_batch_size: 1000000000000}"), ()),
        (config(seed=str(2**63 - 1)), ()),
        (config(model=f"[{'ReLU, ' * 500}{{type: Dense, units: 1}}]"), ()),
        ("\ufeff" + config(), ()),
        (config().replace("\n", "\r\n"), ()),
        (config(), ("name=x" + "y" * 99,)),
    ],
)
def test_a_large_number_is_no_harm(place, worker, text, overrides):
    lay(place, Case(text))
    done = worker(place, "hostile.yaml", *overrides, "--out", "runs")
    assert done["status"] == 0, done["err"][-2000:]
    assert done["memory"] < MEMORY and done["seconds"] < 2 * SECONDS


@pytest.mark.parametrize("epochs", [10**9, 10**12, 10**18, 10**20])
def test_epochs_that_never_come_take_no_memory(place, worker, epochs):
    """The loss overflows in the first epoch, so training ends there, with exit status 1."""
    lay(place, Case(config(train=f"{{epochs: {epochs}, batch_size: 1}}", optimizer="{type: SGD, lr: 1e30}")))
    done = worker(place, "hostile.yaml", "--out", "runs")
    assert done["status"] == (1 if epochs < 2**40 else 2) and "Traceback" not in done["err"], done["err"][-2000:]
    assert done["memory"] < MEMORY


@pytest.mark.parametrize("name, character", RAW.items())
@pytest.mark.parametrize("where", ["row", "class", "column"])
def test_what_is_printed_of_a_training_is_no_command_to_the_terminal(place, worker, where, name, character):
    """Such a name may be refused or be shown otherwise, but never as it is."""
    cases = {
        "row": Case(config(predict=f"{{{json.dumps(character)}: {{a: 1, b: 0}}}}")),
        "class": Case(
            config(data="{type: CSV, path: class.csv, target: y}", predict="{row: {a: 1, b: 0}, other: {a: 1e9, b: -1e9}, third: {a: -1e9, b: 1e9}}"),
            files={"class.csv": f'a,b,y\n0,1,"{character}"\n1,2,"{character}x"\n3,4,"{character}"\n'},
        ),
        "column": Case(config(data="{type: CSV, path: column.csv, target: y}"), files={"column.csv": CSV.replace("b", f'"{character}"')}),
    }  # fmt: skip
    lay(place, cases[where])
    done = worker(place, "hostile.yaml", "--out", "runs")
    assert done["status"] in (0, 2), done["err"]
    assert not raw(done["out"] + done["err"]), done["out"] + done["err"]
    assert not [line for line in done["out"].splitlines() if line.startswith("FORGED")]
