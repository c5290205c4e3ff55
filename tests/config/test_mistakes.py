"""Mistakes that people make in a config, each with every word that comes back.

Each table breaks one of the example configs: the line that is written there, what stands there instead, and the lines of the
answer. `<layers>`, `<keys>` and the like stand for the lists of what is known, which grow.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

import nnframe as nn
from nnframe import run
from nnframe.components.options import options
from nnframe.components.registry import REGISTRY, known_to
from nnframe.config.experiment import Experiment
from nnframe.training.loop import Train

CONFIGS = Path(__file__).parents[2] / "configs"


GENDER = {
    "name: gender": [
        ("Name: gender", "4:1: Name: unknown key 'Name'. Did you mean 'name'? Keys: <keys>."),
        ("name: ", "4:1: name: expected a text, got nothing"),
        ("name: my run", "4:1: name: expected up to 100 letters, digits, '_', '-' and '.', since it names a folder, got 'my run'"),
        ("title: gender", "4:1: title: unknown key 'title'. Did you mean 'name'? Keys: <keys>."),
    ],
    "seed: 0": [
        ("seed: zero", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got 'zero'"),
        ("seed: 0.0", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got 0.0; write 0"),
        ("seed: '0'", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got '0' (a text); write the number without quotes"),
        ("seed: [0, 1, 2]", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got a list of 3; for several write sweep: {seeds: [0, 1, 2]} in its place"),
        ("seed: null", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got nothing"),
        ("random_state: 0", "5:1: random_state: unknown key 'random_state'. Did you mean 'seed'? Keys: <keys>."),
        ("seeds: 0", "5:1: seeds: unknown key 'seeds'. Did you mean 'seed'? Keys: <keys>."),
    ],
    "dtype: float64 ": [
        ("dtype: Float64 ", "6:1: dtype: expected one of 'float32', 'float64', got 'Float64'. Did you mean 'float64'?"),
        ("dtype: 32 ", "6:1: dtype: expected one of 'float32', 'float64', got 32. Did you mean 'float32'?"),
        ("dtype: np.float64 ", "6:1: dtype: expected one of 'float32', 'float64', got 'np.float64'. Did you mean 'float64'?"),
        ("dtype: torch.float32 ", "6:1: dtype: expected one of 'float32', 'float64', got 'torch.float32'. Did you mean 'float32'?"),
        ("precision: float64 ", "6:1: precision: unknown key 'precision'. Did you mean 'dtype'? Keys: <keys>."),
    ],
    "data:\n": [
        ("dataset:\n", "7:1: dataset: unknown key 'dataset'. Did you mean 'data'? Keys: <keys>."),
    ],
    "  type: CSV\n": [
        ("", "7:1: data: expected a 'type' that names the data source, such as CSV or Parquet. Known: <data sources>."),
        ("  type: csv\n", "8:3: data.type: unknown data source 'csv'. Did you mean 'CSV'? Known: <data sources>."),
        ("  type: CSV\n  type: CSV\n", "9:3: the key 'type' is given twice, first in line 8"),
        ("  type: TSV\n", "8:3: data.type: unknown data source 'TSV'. Did you mean 'CSV'? Known: <data sources>."),
        ("  type: Excel\n", "8:3: data.type: unknown data source 'Excel'. Known: <data sources>."),
        ("  type: pandas\n", "8:3: data.type: unknown data source 'pandas'. Known: <data sources>."),
    ],
    "  path: data/gender.csv ": [
        ("  file: data/gender.csv ", "9:3: data.file: CSV has no option 'file'. Did you mean 'path'? Options: <CSV options>."),
        ("  path: ", "9:3: data.path: expected a path, got nothing"),
        ("  path: [data/gender.csv] ", "9:3: data.path: expected a path, got a list of 1"),
        ("  path: data/Gender.csv ", "9:3: data.path: there is no file {0}/data/Gender.csv. Did you mean 'gender.csv'?"),
        ("  path: 3 ", "9:3: data.path: expected a path, got 3"),
    ],
    "  path: data/gender.csv              # relative to this file\n": [
        ("", "7:1: data: CSV needs the option 'path'; expected a path"),
    ],
    "inputs: [weight, height]": [
        ("inputs: weight, height", "10:3: data.inputs: expected a list, each item a text, got 'weight, height'; write [weight, height]"),
        ("inputs: [weight height]", "10:3: data.inputs: {0}/data/gender.csv has no column 'weight height'. Did you mean 'weight'? Columns: name, weight, height, gender."),
        ("inputs: [[weight, height]]", "10:12: data.inputs.0: expected a text, got a list of 2"),
        ("inputs: [weight, height, gender]", "10:3: data.inputs: 'gender' is the target too; leave it out here"),
        ("inputs: [Weight, Height]", "10:3: data.inputs: {0}/data/gender.csv has no column 'Weight'. Did you mean 'weight'? Columns: name, weight, height, gender."),
        ("features: [weight, height]", "10:3: data.features: CSV has no option 'features'. Did you mean 'inputs'? Options: <CSV options>."),
        ("columns: [weight, height]", "10:3: data.columns: CSV has no option 'columns'. Did you mean 'inputs'? Options: <CSV options>."),
        ("inputs: [weight, height]\n  sep: ','", "11:3: data.sep: CSV has no option 'sep'. Did you mean 'delimiter'? Options: <CSV options>."),
        ("inputs: [weight, height]\n  header: 0", "11:3: data.header: expected true or false, got 0; write false"),
        ("inputs: [weight, height]\n  header: false", "12:3: data.target: {0}/data/gender.csv has no column 'gender'. Columns: 0, 1, 2, 3."),
        ("inputs: [weight, height]\n  na_values: ['-']", "11:3: data.na_values: CSV has no option 'na_values'. Did you mean 'missing'? Options: <CSV options>."),
        ("inputs: [weight, height]\n  parse_dates: [name]", "11:3: data.parse_dates: CSV has no option 'parse_dates'. Did you mean 'dates'? Options: <CSV options>."),
        ("inputs: [weight, height]\n  decimal: ';'", "11:3: data.decimal: expected one of '.', ',', got ';'"),
        ("inputs: [weight, height]\n  weight: age", "11:3: data.weight: {0}/data/gender.csv has no column 'age'. Columns: name, weight, height, gender."),
        ("inputs: [weight, height]\n  weight: name", "11:3: data.weight: {0}/data/gender.csv:2: column 'name': expected a finite number, got 'Alice', and 3 more such cells"),
        ("inputs: [weight, height]\n  shuffle: true", "11:3: data.shuffle: CSV has no option 'shuffle'. It belongs in train. Options: <CSV options>."),
        ("inputs: [weight, height]\n  validation: 20", "11:3: data.validation: expected a number greater than 0 and less than 1, got 20"),
        ("inputs: [weight, height]\n  validation: 0.0", "11:3: data.validation: expected a number greater than 0 and less than 1, got 0.0"),
        ("inputs: [weight, height]\n  validation: -0.2", "11:3: data.validation: expected a number greater than 0 and less than 1, got -0.2"),
        ("inputs: [weight, height]\n  validation: true", "11:3: data.validation: expected a number greater than 0 and less than 1 or a data source, got true"),
        ("inputs: [weight, height]\n  validation: {path: data/gender.csv, target: gender}", "11:3: data.validation: expected a 'type' that names the data source, such as CSV or Parquet. Known: <data sources>."),
        ("inputs: [weight, height]\n  validation: {type: CSV, path: data/gender.csv, target: gender, inputs: [weight, height]}", "11:3: data.validation: expected classes M, F, got F, M; name them in `classes`: write target: {column: gender, classes: [M, F]} there"),
        ("inputs: [weight, height]\n  validation: {type: CSV, path: data/xor.csv, target: xor}", "11:3: data.validation: expected inputs weight, height, got a, b; xor.csv lacks 'weight', 'height'; 'a', 'b' are not trained on"),
        ("inputs: [weight, height]\n  validation: {type: CSV, path: data/gender.csv, target: {column: gender, classes: [M, F]}, inputs: [height, weight]}", "11:3: data.validation: expected inputs weight, height, got height, weight; write inputs: [weight, height] there"),
        ("inputs: [weight, height]\n  validation_split: 0.2", "11:3: data.validation_split: CSV has no option 'validation_split'. Did you mean 'validation'? Options: <CSV options>."),
        ("inputs: [weight, height]\n  test_size: 0.2", "11:3: data.test_size: CSV has no option 'test_size'. Did you mean 'validation'? Options: <CSV options>."),
    ],
    "target: {column: gender, classes: [M, F]} ": [
        ("target: gendr ", "11:3: data.target: {0}/data/gender.csv has no column 'gendr'. Did you mean 'gender'? Columns: name, weight, height, gender."),
        ("target: {column: gendr, classes: [M, F]} ", "11:3: data.target: {0}/data/gender.csv has no column 'gendr'. Did you mean 'gender'? Columns: name, weight, height, gender."),
        ("target: {columns: gender, classes: [M, F]} ", "11:12: data.target.columns: unknown key 'columns'. Did you mean 'column'? Keys: column, classes."),
        ("target: {column: gender, labels: [M, F]} ", "11:28: data.target.labels: unknown key 'labels'. Did you mean 'classes'? Keys: column, classes."),
        ("target: {column: gender, classes: {M: 0, F: 1}} ", "11:28: data.target.classes: expected a list, each item a text or an integer, got a mapping of 'M', 'F'"),
        ("target: {column: gender, classes: [M]} ", "11:28: data.target.classes: expected at least two classes, all different, got M"),
        ("target: {column: gender, classes: [m, f]} ", "11:3: data.target: {0}/data/gender.csv:2: column 'gender': 'F' is not among the classes m, f. Did you mean 'f'?"),
        ("target: {column: gender, classes: [male, female]} ", "11:3: data.target: {0}/data/gender.csv:2: column 'gender': 'F' is not among the classes male, female."),
        ("target: {column: gender, classes: [0, 1]} ", "11:3: data.target: {0}/data/gender.csv:2: column 'gender': 'F' is not among the classes 0, 1."),
        ("target: {column: gender, classes: [true, false]} ", "11:38: data.target.classes.0: expected a text or an integer, got true", "11:44: data.target.classes.1: expected a text or an integer, got false"),
        ("target: {column: gender classes: [M, F]} ", "11:27: expected ',' between 'gender' and 'classes'"),
        ("target: {column gender, classes: [M, F]} ", "11:12: data.target.column gender: unknown key 'column gender'. Write column: gender, with a ': ' between them. Keys: column, classes."),
        ("target: {column: gender, classes: [M, F} ", "11:42: expected ']' to close the '[' of line 11, column 37, got '}'"),
        ("target: [gender, weight] ", "10:3: data.inputs: 'weight' is the target too; leave it out here"),
        ("target: 3 ", "11:3: data.target: expected a text or a list, each item a text or a mapping of column, classes, got 3"),
        ("target: ", "11:3: data.target: expected a text or a list, each item a text or a mapping of column, classes, got nothing; write it after the ':', or indented below"),
        ("label: gender ", "11:3: data.label: CSV has no option 'label'. Did you mean 'target'? Options: <CSV options>."),
        ("targets: gender ", "11:3: data.targets: CSV has no option 'targets'. Did you mean 'target'? Options: <CSV options>."),
        ("y: gender ", "11:3: data.y: CSV has no option 'y'. Did you mean 'target'? Options: <CSV options>."),
    ],
    "transforms: [{type: Shift, by: [-135, -66]}]": [
        ("transforms: {type: Shift, by: [-135, -66]}", "12:3: data.transforms: expected a list, each item a transform, got a mapping of 'type', 'by'; put [...] around it"),
        ("transforms: [{by: [-135, -66]}]", "12:16: data.transforms.0: expected a 'type' that names the transform, such as Scale or Shift. Known: <transforms>."),
        ("transforms: [Shift]", "12:16: data.transforms.0: Shift needs the option 'by'; expected a number or a list, each item a number"),
        ("transforms: Standardize", "12:3: data.transforms: expected a list, each item a transform, got 'Standardize'; write [Standardize]"),
        ("transforms: [StandardScaler]", "12:16: data.transforms.0: unknown transform 'StandardScaler'. Did you mean 'Standardize'? Known: <transforms>."),
        ("transforms: [Normalize]", "12:16: data.transforms.0: unknown transform 'Normalize'. Did you mean 'Standardize'? Known: <transforms>."),
        ("transforms: [standardize]", "12:16: data.transforms.0: unknown transform 'standardize'. Did you mean 'Standardize'? Known: <transforms>."),
        ("transforms: [Standardise]", "12:16: data.transforms.0: unknown transform 'Standardise'. Did you mean 'Standardize'? Known: <transforms>."),
        ("transforms: []\n  normalize: true", "13:3: data.normalize: CSV has no option 'normalize'. Write transforms: [Standardize]. Options: <CSV options>."),
        ("transform: [Standardize]", "12:3: data.transform: CSV has no option 'transform'. Did you mean 'transforms'? Options: <CSV options>."),
        ("transforms: [{type: Shift, by: [-135, -66, 1]}]", "12:30: data.transforms.0.by: expected one number, or one for each of the 2 inputs, got 3"),
        ("transforms: [{type: Shift, by: {weight: -135, height: -66}}]", "12:30: data.transforms.0.by: expected a number or a list, each item a number, got a mapping of 'weight', 'height'"),
        ("transforms: [{type: Shift, by: ['-135', '-66']}]", "12:35: data.transforms.0.by.0: expected a number, got '-135' (a text); write the number without quotes", "12:43: data.transforms.0.by.1: expected a number, got '-66' (a text); write the number without quotes"),
        ("transforms: [{type: Shift, by: '-135'}]", "12:30: data.transforms.0.by: expected a number or a list, each item a number, got '-135' (a text); write the number without quotes"),
        ("transforms: [{type: Shift, by: -135 -66}]", "12:30: data.transforms.0.by: expected a number or a list, each item a number, got '-135 -66'"),
        ("transforms: [{type: Shift, by: [-135, .nan]}]", "12:41: data.transforms.0.by.1: expected a number, got nan"),
        ("transforms: [{type: Shift, by: mean}]", "12:30: data.transforms.0.by: expected a number or a list, each item a number, got 'mean'"),
        ("transforms: [{type: Shift, value: [-135, -66]}]", "12:30: data.transforms.0.value: Shift has no option 'value'. Did you mean 'by'? Options: by, columns."),
        ("transforms: [{type: Standardize, mean: 3}]", "12:36: data.transforms.0.mean: Standardize has no option 'mean'. Options: columns."),
        ("transforms: null", "12:3: data.transforms: expected a list, each item a transform, got nothing; write it after the ':', or indented below"),
        ("transforms: [null]", "12:16: data.transforms.0: expected a transform, got nothing; write it after the ':', or indented below"),
    ],
    "model:\n": [
        ("layers:\n", "13:1: layers: unknown key 'layers'. Did you mean 'model'? Keys: <keys>."),
        ("net:\n", "13:1: net: unknown key 'net'. Did you mean 'model'? Keys: <keys>."),
        ("models:\n", "13:1: models: unknown key 'models'. Did you mean 'model'? Keys: <keys>."),
    ],
    "  - {type: Dense, units: 2, init": [
        ("  - {type: Dense units: 2, init", "14:18: expected ',' between 'Dense' and 'units'"),
        ("  - {type: Dense, units 2, init", "14:19: model.0.units 2: Dense has no option 'units 2'. Write units: 2, with a ': ' between them. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units:2, init", "14:19: model.0.units:2: Dense has no option 'units:2'. Write units: 2, with a ': ' between them. Options: units, init, bias, bias_init, name."),
        ("  - {units: 2, init", "14:5: model.0: expected a 'type' that names the layer, such as Dense. Known: <layers>."),
        ("  - {type: , units: 2, init", "14:6: model.0.type: expected a 'type' that names the layer, got nothing. Known: <layers>."),
        ("  - {type: Dense, type: Dense, units: 2, init", "14:19: the key 'type' is given twice, first in line 14"),
        ("  - {type: dense, units: 2, init", "14:6: model.0.type: unknown layer 'dense'. Did you mean 'Dense'? Known: <layers>."),
        ("  - {type: Dens, units: 2, init", "14:6: model.0.type: unknown layer 'Dens'. Did you mean 'Dense'? Known: <layers>."),
    ],
    "  - {type: Dense, units: 2, init: Normal, bias_init: Normal}": [
        ("  - Dense", "14:5: model.0: Dense needs the option 'units'; expected an integer of at least 1"),
        ("  - type: Dense\n  - units: 2", "14:5: model.0: Dense needs the option 'units'; expected an integer of at least 1", "15:5: model.1: expected a 'type' that names the layer, such as Dense; if it belongs to the item above, remove its '-'. Known: <layers>."),
        ("  - [Dense, 2]", "14:5: model.0: expected a layer, got a list of 2; write {type: Dense, units: 2}"),
        ("  - 2", "14:5: model.0: expected a layer, got 2; write {type: Dense, units: 2}"),
        ("  - ", "14:4: model.0: expected a layer, got nothing; write it after the ':', or indented below"),
        ("  - {}", "14:5: model.0: expected a 'type' that names the layer. Known: <layers>."),
        ("  - ''", "14:5: model.0: unknown layer ''. Known: <layers>."),
        ("  - {type: Dense, units: 2]", "14:27: expected '}' to close the '{' of line 14, column 5, got ']'"),
    ],
    "type: Dense, units: 2": [
        ("type: Linear, units: 2", "14:6: model.0.type: unknown layer 'Linear'. Did you mean 'Dense'? Known: <layers>."),
        ("type: FullyConnected, units: 2", "14:6: model.0.type: unknown layer 'FullyConnected'. Did you mean 'Dense'? Known: <layers>."),
        ("type: Dense, out_features: 2", "14:19: model.0.out_features: Dense has no option 'out_features'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
        ("type: Dense, hidden_size: 2", "14:19: model.0.hidden_size: Dense has no option 'hidden_size'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
        ("type: Dense, neurons: 2", "14:19: model.0.neurons: Dense has no option 'neurons'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
        ("type: Dense, units: [2]", "14:19: model.0.units: expected an integer of at least 1, got a list of 1"),
        ("type: Dense, units: two", "14:19: model.0.units: expected an integer of at least 1, got 'two'"),
        ("type: Dense, units: 2.5", "14:19: model.0.units: expected an integer of at least 1, got 2.5"),
        ("type: Dense, units: -2", "14:19: model.0.units: expected an integer of at least 1, got -2"),
        ("type: Dense, units: 1e3", "14:19: model.0.units: expected an integer of at least 1, got 1000.0; write 1000"),
        ("type: Dense, units: 64.0", "14:19: model.0.units: expected an integer of at least 1, got 64.0; write 64"),
        ("type: Dense, units: true", "14:19: model.0.units: expected an integer of at least 1, got true"),
        ("type: Dense, units: ", "14:19: model.0.units: expected an integer of at least 1, got nothing"),
        ("type: Dense, units: .inf", "14:19: model.0.units: expected an integer of at least 1, got inf"),
        ("type: Dense, units: {low: 1, high: 2}", "14:19: model.0.units: expected an integer of at least 1, got a mapping of 'low', 'high'"),
        ("type: Dense, Units: 2", "14:19: model.0.Units: Dense has no option 'Units'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
        ("type: Dense, units: 2, units: 3", "14:29: the key 'units' is given twice, first in line 14"),
        ("type: Dense, units: 2, bias: yes", "14:29: model.0.bias: expected true or false, got 'yes'; write true"),
        ("type: Dense, units: 2, use_bias: true", "14:29: model.0.use_bias: Dense has no option 'use_bias'. Did you mean 'bias'? Options: units, init, bias, bias_init, name."),
        ("type: Dense, units: 2, name: 1st", "14:29: model.0.name: expected up to 100 letters, digits, '-' and '_', beginning with a letter, got '1st'"),
        ("type: Dense, units: 2, name: a.b", "14:29: model.0.name: expected up to 100 letters, digits, '-' and '_', beginning with a letter, got 'a.b'"),
        ("type: Dense, units: 2, name: 'my layer'", "14:29: model.0.name: expected up to 100 letters, digits, '-' and '_', beginning with a letter, got 'my layer'"),
        ("type: Dense, units: 2, name: 5", "14:29: model.0.name: expected a text, got 5"),
    ],
    "units: 2, init: Normal": [
        ("units: 2, init: normal", "14:29: model.0.init: unknown initializer 'normal'. Did you mean 'Normal'? Known: <initializers>."),
        ("units: 2, init: randn", "14:29: model.0.init: unknown initializer 'randn'. Did you mean 'Normal'? Known: <initializers>."),
        ("units: 2, init: xavier_uniform", "14:29: model.0.init: unknown initializer 'xavier_uniform'. Did you mean 'GlorotUniform'? Known: <initializers>."),
        ("units: 2, init: glorot_uniform", "14:29: model.0.init: unknown initializer 'glorot_uniform'. Did you mean 'GlorotUniform'? Known: <initializers>."),
        ("units: 2, init: kaiming_normal_", "14:29: model.0.init: unknown initializer 'kaiming_normal_'. Did you mean 'HeNormal'? Known: <initializers>."),
        ("units: 2, init: kaiming_normal", "14:29: model.0.init: unknown initializer 'kaiming_normal'. Did you mean 'HeNormal'? Known: <initializers>."),
        ("units: 2, init: lecun", "14:29: model.0.init: unknown initializer 'lecun'. Did you mean 'LecunNormal'? Known: <initializers>."),
        ("units: 2, init: zeros", "14:29: model.0.init: unknown initializer 'zeros'. Did you mean 'Zeros'? Known: <initializers>."),
        ("units: 2, init: Constant", "14:29: model.0.init: Constant needs the option 'value'; expected a number"),
        ("units: 2, init: [0, 1]", "14:29: model.0.init: expected an initializer, got a list of 2"),
        ("units: 2, init: {std: 0.1}", "14:29: model.0.init: expected a 'type' that names the initializer, such as Normal. Known: <initializers>."),
        ("units: 2, init: {type: Normal, scale: 0.1}", "14:50: model.0.init.scale: Normal has no option 'scale'. Did you mean 'std'? Options: std, mean."),
        ("units: 2, init: {type: Normal, stddev: 0.1}", "14:50: model.0.init.stddev: Normal has no option 'stddev'. Did you mean 'std'? Options: std, mean."),
        ("units: 2, init: {type: Normal, sigma: 0.1}", "14:50: model.0.init.sigma: Normal has no option 'sigma'. Did you mean 'std'? Options: std, mean."),
        ("units: 2, init: {type: Normal, mu: 0.1}", "14:50: model.0.init.mu: Normal has no option 'mu'. Did you mean 'mean'? Options: std, mean."),
        ("units: 2, init: {type: Normal, std: {type: Cosine, start: 1}}", "14:50: model.0.init.std: expected a number, got Cosine(1.0): a schedule has no meaning here"),
        ("units: 2, init: {type: Uniform, min: -1, max: 1}", "14:51: model.0.init.min: Uniform has no option 'min'. Did you mean 'low'? Options: low, high.", "14:60: model.0.init.max: Uniform has no option 'max'. Did you mean 'high'? Options: low, high."),
        ("units: 2, init: {type: Uniform, a: -1, b: 1}", "14:51: model.0.init.a: Uniform has no option 'a'. Did you mean 'low'? Options: low, high.", "14:58: model.0.init.b: Uniform has no option 'b'. Did you mean 'high'? Options: low, high."),
        ("units: 2, init: {type: Uniform, low: 1, high: -1}", "14:51: model.0.init.low: low 1.0 is above high -1.0"),
        ("units: 2, init: {type: Uniform, range: 0.1}", "14:51: model.0.init.range: Uniform has no option 'range'. Options: low, high."),
        ("units: 2, init: {type: GlorotUniform, gain: 0}", "14:57: model.0.init.gain: expected a number greater than 0, got 0"),
        ("units: 2, init: {type: GlorotUniform, gain: relu}", "14:57: model.0.init.gain: expected a number greater than 0, got 'relu'"),
        ("units: 2, kernel_initializer: normal", "14:29: model.0.kernel_initializer: Dense has no option 'kernel_initializer'. Did you mean 'init'? Options: units, init, bias, bias_init, name."),
        ("units: 2, weight_init: Normal", "14:29: model.0.weight_init: Dense has no option 'weight_init'. Did you mean 'init'? Options: units, init, bias, bias_init, name."),
        ("units: 2, initializer: Normal", "14:29: model.0.initializer: Dense has no option 'initializer'. Did you mean 'init'? Options: units, init, bias, bias_init, name."),
        ("units: 2, inti: Normal", "14:29: model.0.inti: Dense has no option 'inti'. Did you mean 'init'? Options: units, init, bias, bias_init, name."),
    ],
    "units: 2, init: Normal, bias_init: Normal}": [
        ("units: 2, bias_initializer: Zeros}", "14:29: model.0.bias_initializer: Dense has no option 'bias_initializer'. Did you mean 'bias_init'? Options: units, init, bias, bias_init, name."),
    ],
    "  - Sigmoid  ": [
        ("  - sigmoid  ", "15:5: model.1: unknown layer 'sigmoid'. Did you mean 'Sigmoid'? Known: <layers>."),
        ("  - Sigmoid() ", "15:5: model.1: unknown layer 'Sigmoid()'; write Sigmoid"),
        ("  - relu ", "15:5: model.1: unknown layer 'relu'. Did you mean 'ReLU'? Known: <layers>."),
        ("  - tanh ", "15:5: model.1: unknown layer 'tanh'. Did you mean 'Tanh'? Known: <layers>."),
        ("  - logistic ", "15:5: model.1: unknown layer 'logistic'. Did you mean 'Sigmoid'? Known: <layers>."),
        ("  - softmax ", "15:5: model.1: unknown layer 'softmax'. Did you mean 'Softmax'? Known: <layers>."),
        ("  - Linear ", "15:5: model.1: unknown layer 'Linear'. Did you mean 'Dense'? Known: <layers>."),
        ("  - Sigmoid, ", "15:5: model.1: unknown layer 'Sigmoid,'. Did you mean 'Sigmoid'? Known: <layers>."),
        ("  - - Sigmoid ", "15:5: model.1: expected a layer, got a list of 1; write Sigmoid"),
        ("  - [Sigmoid] ", "15:5: model.1: expected a layer, got a list of 1; write Sigmoid"),
        ("  - {type: Sigmoid, slope: 2} ", "15:21: model.1.slope: Sigmoid has no option 'slope'. LeakyReLU has it. Options: name."),
        ("  - {type: Dropout, rate: 0.5} ", "15:21: model.1.rate: Dropout has no option 'rate'. Did you mean 'p'? Options: p, name."),
        ("  - {type: Dropout, prob: 0.5} ", "15:21: model.1.prob: Dropout has no option 'prob'. Did you mean 'p'? Options: p, name."),
        ("  - {type: Dropout, p: 50} ", "15:21: model.1.p: expected a number of at least 0 and less than 1, got 50"),
        ("  - {type: Dropout, p: 1} ", "15:21: model.1.p: expected a number of at least 0 and less than 1, got 1"),
        ("  - {type: Dropout, p: 1.0} ", "15:21: model.1.p: expected a number of at least 0 and less than 1, got 1.0"),
        ("  - {type: Dropout, p: -0.1} ", "15:21: model.1.p: expected a number of at least 0 and less than 1, got -0.1"),
        ("  - {type: Dropout, p: '0.5'} ", "15:21: model.1.p: expected a number of at least 0 and less than 1, got '0.5' (a text); write the number without quotes"),
        ("  - {type: Dropout, p: [0.1, 0.2]} ", "15:21: model.1.p: expected a number of at least 0 and less than 1, got a list of 2; one network takes one value"),
        ("  - {type: Dropout, p: {type: Cosine, start: 1}} ", "15:21: model.1.p: expected a schedule of numbers of at least 0 and less than 1, got Cosine(1.0), which reaches 1"),
        ("  - Dropuot ", "15:5: model.1: unknown layer 'Dropuot'. Did you mean 'Dropout'? Known: <layers>."),
        ("  - dropout ", "15:5: model.1: unknown layer 'dropout'. Did you mean 'Dropout'? Known: <layers>."),
        ("  - BatchNorm1d ", "15:5: model.1: unknown layer 'BatchNorm1d'. Did you mean 'BatchNorm'? Known: <layers>."),
        ("  - BatchNormalization ", "15:5: model.1: unknown layer 'BatchNormalization'. Did you mean 'BatchNorm'? Known: <layers>."),
        ("  - {type: BatchNorm, num_features: 2} ", "15:23: model.1.num_features: BatchNorm has no option 'num_features'. Leave it out: the size of the input is known. Options: eps, momentum, name."),
        ("  - {type: BatchNorm, epsilon: 1e-5} ", "15:23: model.1.epsilon: BatchNorm has no option 'epsilon'. Did you mean 'eps'? Options: eps, momentum, name."),
        ("  - {type: BatchNorm, momentum: 1.5} ", "15:23: model.1.momentum: expected a number of at least 0 and at most 1, got 1.5"),
        ("  - {type: BatchNorm, eps: 0} ", "15:23: model.1.eps: expected a number greater than 0, got 0"),
        ("  - {type: BatchNorm, decay: 0.9} ", "15:23: model.1.decay: BatchNorm has no option 'decay'. Did you mean 'momentum'? Options: eps, momentum, name."),
        ("  - {type: BatchNorm, eps: 1e-400} ", "15:23: model.1.eps: expected a number greater than 0, got 0.0"),
        ("  - Residual ", "15:5: model.1.layers: expected at least one layer"),
        ("  - {type: Residual, layers: []} ", "15:22: model.1.layers: expected at least one layer"),
        ("  - {type: Residual, layers: Sigmoid} ", "15:22: model.1.layers: expected a list, each item a layer, got 'Sigmoid'; write [Sigmoid]"),
        ("  - {type: Residual, layer: [Sigmoid]} ", "15:22: model.1.layer: Residual has no option 'layer'. Did you mean 'layers'? Options: layers, name."),
        ("  - {type: Residual, layers: [{type: Dense}]} ", "15:31: model.1.layers.0: Dense needs the option 'units'; expected an integer of at least 1"),
        ("  - {type: Residual, layers: [{type: Sequential, layers: [{type: Dense, units: 3}]}]} ", "15:5: model.1: Residual adds its layers' output to its input; expected them to keep the shape (2,), got (3,)"),
        ("  - {type: ResidualBlock, layers: [Sigmoid]} ", "15:6: model.1.type: unknown layer 'ResidualBlock'. Did you mean 'Residual'? Known: <layers>."),
        ("  - {type: Sequential, layers: [{type: Residual, layers: [{type: Dense, units: 3}]}]} ", "15:33: model.1.layers.0: Residual adds its layers' output to its input; expected them to keep the shape (2,), got (3,)"),
        ("  - {type: Sequential, layers: []} ", "15:24: model.1.layers: expected at least one layer"),
        ("  - Sequential ", "15:5: model.1.layers: expected at least one layer"),
        ("  - {type: [Sigmoid]} ", "15:6: model.1.type: expected a 'type' that names the layer, got a list of 1. Known: <layers>."),
        ("  - {type: 3} ", "15:6: model.1.type: expected a 'type' that names the layer, got 3. Known: <layers>."),
    ],
    "loss: MSE": [
        ("loss: mse", "18:1: loss: unknown loss 'mse'. Did you mean 'MSE'? Known: <losses>."),
        ("loss: MSELoss", "18:1: loss: unknown loss 'MSELoss'. Did you mean 'MSE'? Known: <losses>."),
        ("loss: mean_squared_error", "18:1: loss: unknown loss 'mean_squared_error'. Did you mean 'MSE'? Known: <losses>."),
        ("loss: bce", "18:1: loss: unknown loss 'bce'. Did you mean 'BinaryCrossEntropy'? Known: <losses>."),
        ("loss: BCEWithLogitsLoss", "18:1: loss: unknown loss 'BCEWithLogitsLoss'. Did you mean 'BinaryCrossEntropy'? Known: <losses>."),
        ("loss: binary_crossentropy", "18:1: loss: unknown loss 'binary_crossentropy'. Did you mean 'BinaryCrossEntropy'? Known: <losses>."),
        ("loss: crossentropy", "18:1: loss: unknown loss 'crossentropy'. Did you mean 'CrossEntropy'? Known: <losses>."),
        ("loss: cross_entropy", "18:1: loss: unknown loss 'cross_entropy'. Did you mean 'CrossEntropy'? Known: <losses>."),
        ("loss: categorical_crossentropy", "18:1: loss: unknown loss 'categorical_crossentropy'. Did you mean 'CrossEntropy'? Known: <losses>."),
        ("loss: sparse_categorical_crossentropy", "18:1: loss: unknown loss 'sparse_categorical_crossentropy'. Did you mean 'CrossEntropy'? Known: <losses>."),
        ("loss: NLLLoss", "18:1: loss: unknown loss 'NLLLoss'. Did you mean 'CrossEntropy'? Known: <losses>."),
        ("loss: ", "18:1: loss: expected a loss, got nothing; write it after the ':', or indented below"),
        ("loss: {type: MSE, reduction: sum}", "18:19: loss.reduction: MSE has no option 'reduction'. Leave it out: the loss is the mean over the batch. It has no options."),
        ("loss: {type: BinaryCrossEntropy, from_logits: true}", "18:34: loss.from_logits: BinaryCrossEntropy has no option 'from_logits'. Leave it out: the loss takes logits. It has no options."),
        ("loss: MSE()", "18:1: loss: unknown loss 'MSE()'; write MSE"),
        ("criterion: MSE", "18:1: criterion: unknown key 'criterion'. Did you mean 'loss'? Keys: <keys>."),
        ("objective: MSE", "18:1: objective: unknown key 'objective'. Did you mean 'loss'? Keys: <keys>."),
        ("loss: MSE\nloss: MSE", "19:1: the key 'loss' is given twice, first in line 18"),
    ],
    "optimizer: {type: SGD, lr: 0.1} ": [
        ("optimizer: {type: SGD, learning_rate: 0.1} ", "19:24: optimizer.learning_rate: SGD has no option 'learning_rate'. Did you mean 'lr'? Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, lr: '0.1'} ", "19:24: optimizer.lr: expected a number greater than 0, got '0.1' (a text); write the number without quotes"),
        ("optimizer: {type: SGD, lr: '1e-3'} ", "19:24: optimizer.lr: expected a number greater than 0, got '1e-3' (a text); write the number without quotes"),
        ("optimizer: {type: SGD, lr: 10^-3} ", "19:24: optimizer.lr: expected a number greater than 0, got '10^-3'; write 0.001"),
        ("optimizer: {type: SGD, lr: 1/10} ", "19:24: optimizer.lr: expected a number greater than 0, got '1/10'; write 0.1"),
        ("optimizer: {type: SGD, lr: auto} ", "19:24: optimizer.lr: expected a number greater than 0, got 'auto'"),
        ("optimizer: {type: SGD, lr: } ", "19:24: optimizer.lr: expected a number greater than 0, got nothing"),
        ("optimizer: {type: SGD lr: 0.1} ", "19:23: expected ',' between 'SGD' and 'lr'"),
        ("optimizer: {lr: 0.1} ", "19:1: optimizer: expected a 'type' that names the optimizer, such as Adam or AdamW or RMSprop. Known: <optimizers>."),
        ("optimizer: {type: sgd, lr: 0.1} ", "19:13: optimizer.type: unknown optimizer 'sgd'. Did you mean 'SGD'? Known: <optimizers>."),
        ("optimizer: adam ", "19:1: optimizer: unknown optimizer 'adam'. Did you mean 'Adam'? Known: <optimizers>."),
        ("optimizer: ", "19:1: optimizer: expected an optimizer, got nothing; write it after the ':', or indented below"),
        ("optimizer: 0.1 ", "19:1: optimizer: expected an optimizer, got 0.1"),
        ("optimiser: {type: SGD, lr: 0.1} ", "19:1: optimiser: unknown key 'optimiser'. Did you mean 'optimizer'? Keys: <keys>."),
        ("solver: SGD ", "19:1: solver: unknown key 'solver'. Did you mean 'optimizer'? Keys: <keys>."),
        ("optimizer: {type: SGD, lr: 0.1, momentum: 1} ", "19:33: optimizer.momentum: expected a number of at least 0 and less than 1, got 1"),
        ("optimizer: {type: SGD, lr: 0.1, momentum: 0.9, nesterov: 1} ", "19:48: optimizer.nesterov: expected true or false, got 1; write true"),
        ("optimizer: {type: SGD, lr: 0.1, momentum: 0.9, dampening: 0.1, nesterov: true} ", "19:64: optimizer.nesterov: needs a momentum greater than 0 and no dampening"),
        ("optimizer: {type: SGD, lr: 0.1, decay: 1e-4} ", "19:33: optimizer.decay: SGD has no option 'decay'. Did you mean 'weight_decay'? Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, lr: 0.1, weight_decay: -1e-4} ", "19:33: optimizer.weight_decay: expected a number of at least 0, got -0.0001"),
        ("optimizer: {type: SGD, lr: 0.1, beta: 0.9} ", "19:33: optimizer.beta: SGD has no option 'beta'. Did you mean 'momentum'? Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: Adam, betas: 0.9} ", "19:25: optimizer.betas: expected a list of 2: a number of at least 0 and less than 1, a number of at least 0 and less than 1, got 0.9"),
        ("optimizer: {type: Adam, betas: [0.9]} ", "19:25: optimizer.betas: expected a list of 2: a number of at least 0 and less than 1, a number of at least 0 and less than 1, got a list of 1"),
        ("optimizer: {type: Adam, betas: [0.9, 1]} ", "19:38: optimizer.betas.1: expected a number of at least 0 and less than 1, got 1"),
        ("optimizer: {type: Adam, beta1: 0.9, beta2: 0.999} ", "19:25: optimizer.beta1: Adam has no option 'beta1'. Did you mean 'betas'? Options: lr, betas, eps, weight_decay, amsgrad.", "19:37: optimizer.beta2: Adam has no option 'beta2'. Did you mean 'betas'? Options: lr, betas, eps, weight_decay, amsgrad."),
        ("optimizer: {type: Adam, epsilon: 1e-8} ", "19:25: optimizer.epsilon: Adam has no option 'epsilon'. Did you mean 'eps'? Options: lr, betas, eps, weight_decay, amsgrad."),
        ("optimizer: {type: Adam, eps: 0} ", "19:25: optimizer.eps: expected a number greater than 0, got 0"),
        ("optimizer: {type: Adam, betas: [0.9, {type: Cosine, start: 0.9}], weight_decay: high} ", "19:67: optimizer.weight_decay: expected a number of at least 0, got 'high'"),
        ("optimizer: {type: SGD, lr: Cosine} ", "19:24: optimizer.lr: Cosine needs the option 'start'; expected a number"),
        ("optimizer: {type: SGD, lr: {type: Cosine}} ", "19:24: optimizer.lr: Cosine needs the option 'start'; expected a number"),
        ("optimizer: {type: SGD, lr: {start: 0.1, stop: 0}} ", "19:24: optimizer.lr: expected a 'type' that names the schedule, such as Cosine. Known: <schedules>."),
        ("optimizer: {type: SGD, lr: {type: cosine, start: 0.1}} ", "19:29: optimizer.lr.type: unknown schedule 'cosine'. Did you mean 'Cosine'? Known: <schedules>."),
        ("optimizer: {type: SGD, lr: {type: CosineAnnealingLR, T_max: 100}} ", "19:29: optimizer.lr.type: unknown schedule 'CosineAnnealingLR'. Did you mean 'Cosine'? Known: <schedules>."),
        ("optimizer: {type: SGD, lr: {type: Cosine, start: 0.1, end: 0}} ", "19:55: optimizer.lr.end: Cosine has no option 'end'. Did you mean 'stop'? Options: start, stop."),
        ("optimizer: {type: SGD, lr: {type: Cosine, start: 0.1, eta_min: 0}} ", "19:55: optimizer.lr.eta_min: Cosine has no option 'eta_min'. Did you mean 'stop'? Options: start, stop."),
        ("optimizer: {type: SGD, lr: {type: Cosine, start: 0.1, epochs: 10}} ", "19:55: optimizer.lr.epochs: Cosine has no option 'epochs'. It belongs in train. Options: start, stop."),
        ("optimizer: {type: SGD, lr: {type: Cosine, start: 0.1, stop: -0.1}} ", "19:24: optimizer.lr: expected a schedule of numbers of at least 0, got Cosine(0.1, stop=-0.1), which reaches -0.1"),
        ("optimizer: {type: SGD, lr: {type: Cosine, start: '0.1'}} ", "19:43: optimizer.lr.start: expected a number, got '0.1' (a text); write the number without quotes"),
        ("optimizer: {type: SGD, lr: {type: Cosine, start: {type: Cosine, start: 1}}} ", "19:43: optimizer.lr.start: expected a number, got Cosine(1.0): a schedule has no meaning here"),
        ("optimizer: {type: SGD, lr: {type: Step, start: 0.1}} ", "19:24: optimizer.lr: Step needs the option 'every'; expected a number greater than 0"),
        ("optimizer: {type: SGD, lr: {type: StepLR, step_size: 30, gamma: 0.1}} ", "19:29: optimizer.lr.type: unknown schedule 'StepLR'. Did you mean 'Step'? Known: <schedules>."),
        ("optimizer: {type: SGD, lr: {type: Step, start: 0.1, step_size: 30, gamma: 0.1}} ", "19:53: optimizer.lr.step_size: Step has no option 'step_size'. Did you mean 'every'? Options: start, every, factor.", "19:68: optimizer.lr.gamma: Step has no option 'gamma'. Did you mean 'factor'? Options: start, every, factor."),
        ("optimizer: {type: SGD, lr: {type: Step, start: 0.1, every: 0}} ", "19:53: optimizer.lr.every: expected a number greater than 0, got 0"),
        ("optimizer: {type: SGD, lr: {type: Step, start: 0.1, every: 10, factor: 0}} ", "19:64: optimizer.lr.factor: expected a number greater than 0, got 0"),
    ],
    "train: {epochs: 1000, batch_size: 1, evaluate_train: true}": [
        ("train: {epoch: 1000, batch_size: 1}", "20:9: train.epoch: unknown key 'epoch'. Did you mean 'epochs'? Keys: <train keys>."),
        ("train: {max_iter: 1000, batch_size: 1}", "20:9: train.max_iter: unknown key 'max_iter'. Did you mean 'epochs'? Keys: <train keys>."),
        ("train: {iterations: 1000, batch_size: 1}", "20:9: train.iterations: unknown key 'iterations'. Did you mean 'epochs'? Keys: <train keys>."),
        ("train: {epochs: 1000, batch: 1}", "20:23: train.batch: unknown key 'batch'. Did you mean 'batch_size'? Keys: <train keys>."),
        ("train: {epochs: 1000, batchsize: 1}", "20:23: train.batchsize: unknown key 'batchsize'. Did you mean 'batch_size'? Keys: <train keys>."),
        ("train: {epochs: 1000, batch-size: 1}", "20:23: train.batch-size: unknown key 'batch-size'. Did you mean 'batch_size'? Keys: <train keys>."),
        ("train: {epochs: 1000}", "20:1: train: the key 'batch_size' is missing; expected an integer of at least 1"),
        ("train: {}", "20:1: train: the key 'epochs' is missing; expected an integer of at least 1", "20:1: train: the key 'batch_size' is missing; expected an integer of at least 1"),
        ("train: ", "20:1: train: expected a mapping of <train keys>, got nothing; write it after the ':', or indented below"),
        ("train: 1000", "20:1: train: expected a mapping of <train keys>, got 1000; write {epochs: 1000, batch_size: ...}"),
        ("training: {epochs: 1000, batch_size: 1}", "20:1: training: unknown key 'training'. Did you mean 'train'? Keys: <keys>."),
        ("trainer: {epochs: 1000, batch_size: 1}", "20:1: trainer: unknown key 'trainer'. Did you mean 'train'? Keys: <keys>."),
        ("fit: {epochs: 1000, batch_size: 1}", "20:1: fit: unknown key 'fit'. Did you mean 'train'? Keys: <keys>."),
        ("", "4:1: the key 'train' is missing; expected a mapping of <train keys>"),
        ("train: {epochs: 1e3, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got 1000.0; write 1000"),
        ("train: {epochs: 1000.0, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got 1000.0; write 1000"),
        ("train: {epochs: -1, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got -1"),
        ("train: {epochs: .inf, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got inf"),
        ("train: {epochs: '1000', batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got '1000' (a text); write the number without quotes"),
        ("train: {epochs: many, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got 'many'"),
        ("train: {epochs: [10, 100], batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got a list of 2"),
        ("train: {epochs: 10, batch_size: 0}", "20:21: train.batch_size: expected an integer of at least 1, got 0"),
        ("train: {epochs: 10, batch_size: -1}", "20:21: train.batch_size: expected an integer of at least 1, got -1"),
        ("train: {epochs: 10, batch_size: full}", "20:21: train.batch_size: expected an integer of at least 1, got 'full'"),
        ("train: {epochs: 10, batch_size: auto}", "20:21: train.batch_size: expected an integer of at least 1, got 'auto'"),
        ("train: {epochs: 10, batch_size: 0.5}", "20:21: train.batch_size: expected an integer of at least 1, got 0.5"),
        ("train: {epochs: 10, batch_size: null}", "20:21: train.batch_size: expected an integer of at least 1, got nothing"),
        ("train: {epochs: 1, batch_size: 1, shuffle: no}", "20:35: train.shuffle: expected true or false, got 'no'; write false"),
        ("train: {epochs: 1, batch_size: 1, shufle: true}", "20:35: train.shufle: unknown key 'shufle'. Did you mean 'shuffle'? Keys: <train keys>."),
        ("train: {epochs: 1, batch_size: 1, eval_train: true}", "20:35: train.eval_train: unknown key 'eval_train'. Did you mean 'evaluate_train'? Keys: <train keys>."),
        ("train: {epochs: 1, batch_size: 1, eval_batch_size: 0}", "20:35: train.eval_batch_size: expected an integer of at least 1, got 0"),
        ("train: {epochs: 1, batch_size: 1, eval_batch_size: auto}", "20:35: train.eval_batch_size: expected an integer of at least 1, got 'auto'"),
        ("train: {epochs: 1, batch_size: 1, blas_threads: 0}", "20:35: train.blas_threads: expected an integer of at least 1 and at most 4096, got 0"),
        ("train: {epochs: 1, batch_size: 1, blas_threads: all}", "20:35: train.blas_threads: expected 'auto' or an integer of at least 1 and at most 4096, got 'all'"),
        ("train: {epochs: 1, batch_size: 1, blas_threads: 100000}", "20:35: train.blas_threads: expected an integer of at least 1 and at most 4096, got 100000"),
        ("train: {epochs: 1, batch_size: 1, threads: 2}", "20:35: train.threads: unknown key 'threads'. Did you mean 'blas_threads'? Keys: <train keys>."),
    ],
    "metrics: [BinaryAccuracy]": [
        ("metrics: [accuracy]", "21:11: metrics.0: unknown metric 'accuracy'. Did you mean 'Accuracy'? Known: <metrics>."),
        ("metrics: [acc]", "21:11: metrics.0: unknown metric 'acc'. Did you mean 'Accuracy'? Known: <metrics>."),
        ("metrics: [binary_accuracy]", "21:11: metrics.0: unknown metric 'binary_accuracy'. Did you mean 'BinaryAccuracy'? Known: <metrics>."),
        ("metrics: [mae]", "21:11: metrics.0: unknown metric 'mae'. Did you mean 'MAE'? Known: <metrics>."),
        ("metrics: [R^2]", "21:11: metrics.0: unknown metric 'R^2'. Did you mean 'R2'? Known: <metrics>."),
        ("metrics: [r2_score]", "21:11: metrics.0: unknown metric 'r2_score'. Did you mean 'R2'? Known: <metrics>."),
        ("metrics: [BinaryAccuracy, BinaryAccuracy]", "21:1: metrics: two are named 'binary_accuracy', so that their columns in the log would be one"),
        ("metrics: [{type: BinaryAccuracy, threshold: 0.3}, BinaryAccuracy]", "21:1: metrics: two are named 'binary_accuracy', so that their columns in the log would be one"),
        ("metrics: [{type: BinaryAccuracy, threshold: 50}]", "21:34: metrics.0.threshold: expected a number of at least 0 and at most 1, got 50"),
        ("metrics: [{type: BinaryAccuracy, cutoff: 0.5}]", "21:34: metrics.0.cutoff: BinaryAccuracy has no option 'cutoff'. Options: threshold."),
        ("metrics: {type: BinaryAccuracy}", "21:1: metrics: expected a list, each item a metric, got a mapping of 'type'; put [...] around it"),
        ("metrics: ", "21:1: metrics: expected a list, each item a metric, got nothing; write it after the ':', or indented below"),
        ("metric: [BinaryAccuracy]", "21:1: metric: unknown key 'metric'. Did you mean 'metrics'? Keys: <keys>."),
        ("Metrics: [BinaryAccuracy]", "21:1: Metrics: unknown key 'Metrics'. Did you mean 'metrics'? Keys: <keys>."),
        ("metrics: [BinaryAccuracy R2]", "21:11: metrics.0: unknown metric 'BinaryAccuracy R2'. Did you mean 'BinaryAccuracy'? Known: <metrics>."),
    ],
    "predict: {Emily: {weight: 128, height: 63}, Frank: {weight: 155, height: 68}} ": [
        ("predict: {Emily: {weight: 128, height: 63}, Frank: 3} ", "22:45: predict.Frank: expected a mapping, got 3"),
        ("predict: {Emily: {weight: '128', height: 63}} ", "22:19: predict.Emily.weight: expected a number, got '128' (a text); write the number without quotes"),
        ("predict: {Emily: {weight: heavy, height: 63}} ", "22:19: predict.Emily.weight: expected a number, got 'heavy'"),
        ("predict: {Emily: {weight: 128 lb, height: 63}} ", "22:19: predict.Emily.weight: expected a number, got '128 lb'; write 128"),
        ("predict: {Emily: {weight: , height: 63}} ", "22:19: predict.Emily.weight: expected a number or a text, got nothing"),
        ("predict: {Emily: {Weight: 128, Height: 63}} ", "22:19: predict.Emily.Weight: the data has no input 'Weight'. Did you mean 'weight'? Nor has it 'Height'. Inputs: weight, height."),
        ("predict: {Emily: {weight: 128, height: 63, gender: 1}} ", "22:44: predict.Emily.gender: the data has no input 'gender'. Inputs: weight, height."),
        ("predict: {Emily: {}} ", "22:11: predict.Emily: needs a value for each of the inputs 'weight', 'height'. Inputs: weight, height."),
        ("predict: {Emily: {weight: 128, height: 63}, Emily: {weight: 155, height: 68}} ", "22:45: the key 'Emily' is given twice, first in line 22"),
        ("predictions: {Emily: {weight: 128, height: 63}} ", "22:1: predictions: unknown key 'predictions'. Did you mean 'predict'? Keys: <keys>."),
    ],
    "log: {every: 100} ": [
        ("log: {every: 0} ", "23:7: log.every: expected an integer of at least 1, got 0"),
        ("log: {every: 10%} ", "23:7: log.every: expected an integer of at least 1, got '10%'"),
        ("log: {every: '100'} ", "23:7: log.every: expected an integer of at least 1, got '100' (a text); write the number without quotes"),
        ("log: {interval: 100} ", "23:7: log.interval: unknown key 'interval'. Did you mean 'every'? Keys: every."),
        ("log: {every: 100, file: a.csv} ", "23:19: log.file: unknown key 'file'. Did you mean 'path', in data? Keys: every."),
        ("log: {evry: 100} ", "23:7: log.evry: unknown key 'evry'. Did you mean 'every'? Keys: every."),
        ("logging: {every: 100} ", "23:1: logging: unknown key 'logging'. Did you mean 'log'? Keys: <keys>."),
        ("verbose: true ", "23:1: verbose: unknown key 'verbose'. Leave it out: --quiet on the command line prints less. Keys: <keys>."),
        ("device: cuda ", "23:1: device: unknown key 'device'. Leave it out: nnframe computes on the CPU. Keys: <keys>."),
        ("extends: 3 ", "23:1: extends: expected the path of one config, relative to this file, got 3"),
        ("extends: ", "23:1: extends: expected the path of one config, relative to this file, got nothing"),
        ("extends: [iris.yaml] ", "23:1: extends: expected the path of one config, relative to this file, got a list of 1"),
        ("extends: wrong.yaml ", "23:1: extends: goes round in a circle: {0}/wrong.yaml -> {0}/wrong.yaml"),
        ("extends: ./wrong.yaml ", "23:1: extends: goes round in a circle: {0}/wrong.yaml -> {0}/wrong.yaml"),
        ("log: {every: 100}\n--- ", "24:1: expected one document; remove the --- line"),
        ("// log: {every: 100} ", "23:1: // log: unknown key '// log'. Did you mean 'log'? Keys: <keys>."),
        ("? [a, b]\n: 2 ", "23:3: expected a text as key, got a list or mapping"),
    ],
}  # fmt: skip
IRIS = {
    "validation: 0.2 ": [
        ("validation: 0.001 ", "9:3: data.validation: a validation part of 0.001 of 150 rows leaves 150 to train on and 0 to validate on"),
        ("validation: 0.999 ", "9:3: data.validation: a validation part of 0.999 of 150 rows leaves 0 to train on and 150 to validate on"),
        ("validation: 1e-9 ", "9:3: data.validation: a validation part of 1e-09 of 150 rows leaves 150 to train on and 0 to validate on"),
        ("validation: iris ", "9:3: data.validation: unknown data source 'iris'. Did you mean 'Iris'? Known: <data sources>."),
    ],
    "target: species ": [
        ("target: {column: species, classes: [setosa, versicolor, virgnica]} ", "7:3: data.target: {0}/data/iris.csv:102: column 'species': 'virginica' is not among the classes setosa, versicolor, virgnica. Did you mean 'virgnica'?"),
        ("inputs: [species]\n  target: species ", "7:3: data.inputs: 'species' is the target too; leave it out here"),
        ("inputs: [sepal_length]\n  target: species ", "20:37: predict.short petals.sepal_width: the data has no input 'sepal_width'. Did you mean 'sepal_length'? Nor has it 'petal_length', 'petal_width'. Inputs: sepal_length.", "21:36: predict.long petals.sepal_width: the data has no input 'sepal_width'. Did you mean 'sepal_length'? Nor has it 'petal_length', 'petal_width'. Inputs: sepal_length."),
        ("weight: petal_width\n  target: species ", "20:74: predict.short petals.petal_width: the data has no input 'petal_width'. Did you mean 'sepal_width'? Inputs: sepal_length, sepal_width, petal_length.", "21:73: predict.long petals.petal_width: the data has no input 'petal_width'. Did you mean 'sepal_width'? Inputs: sepal_length, sepal_width, petal_length."),
    ],
    "  short petals: {sepal_length: 5.0, ": [
        ("  short petals: {sepal length: 5.0, ", "19:18: predict.short petals.sepal length: the data has no input 'sepal length'. Did you mean 'sepal_length'? Inputs: sepal_length, sepal_width, petal_length, petal_width."),
    ],
    "  short petals: {sepal_length: 5.0, sepal_width: 3.4, ": [
        ("  short petals: {", "19:3: predict.short petals: needs a value for each of the inputs 'sepal_length', 'sepal_width'. Inputs: sepal_length, sepal_width, petal_length, petal_width."),
    ],
    "type: AdamW, lr: {type: Cosine, start: 0.02, stop: 0}}": [
        ("type: AdamW, lr: {start: 0.02}}", "15:26: optimizer.lr: expected a 'type' that names the schedule, such as Cosine or Step. Known: <schedules>."),
        ("type: adamw, lr: 3e-4}", "15:13: optimizer.type: unknown optimizer 'adamw'. Did you mean 'AdamW'? Known: <optimizers>."),
    ],
    "batch_size: 16": [
        ("batch_size: 16.5", "16:22: train.batch_size: expected an integer of at least 1, got 16.5"),
    ],
}  # fmt: skip
XOR = {
    "target: xor}": [
        ("target: {column: xor, classes: [1, 2]}}", "4:39: data.target: {0}/data/xor.csv:2: column 'xor': '0' is not among the classes 1, 2."),
        ("target: a}", "14:13: predict.neither.a: the data has no input 'a'. It needs a value for the input 'xor'. Inputs: b, xor.", "15:13: predict.a alone.a: the data has no input 'a'. It needs a value for the input 'xor'. Inputs: b, xor.", "16:13: predict.b alone.a: the data has no input 'a'. It needs a value for the input 'xor'. Inputs: b, xor.", "17:10: predict.both.a: the data has no input 'a'. It needs a value for the input 'xor'. Inputs: b, xor."),
        ("target: xor, inputs: a}", "4:52: data.inputs: expected a list, each item a text, got 'a'; write [a]"),
    ],
    "metrics: [BinaryAccuracy]": [
        ("metrics: [Accuracy]", "12:11: metrics.0: Accuracy expected outputs (..., classes) and targets that are classes, got (1,) and (1,); BinaryAccuracy is for one output"),
    ],
    "data: {type: CSV, path: data/xor.csv, target: xor}": [
        ("data: {type: Arrays, path: data/xor.csv, target: xor}", "4:42: data.target: Arrays has no option 'target'. Did you mean 'y'? Options: <Arrays options>."),
        ("data: {type: Arrays, path: data/xor.npz}", "4:22: data.path: there is no file {0}/data/xor.npz."),
        ("data: {path: data/xor.csv, target: xor}", "4:1: data: expected a 'type' that names the data source, such as CSV or Parquet. Known: <data sources>."),
        ("data: CSV", "4:1: data: CSV needs the option 'path'; expected a path", "4:1: data: CSV needs the option 'target'; expected a text or a list, each item a text or a mapping of column, classes"),
        ("data: ", "4:1: data: expected a data source, got nothing; write it after the ':', or indented below"),
    ],
}  # fmt: skip

FORMS = {  # of other tools, other files and other languages, and right keys in the wrong place
    "  - {type: Dense, units: 2, init: Normal, bias_init: Normal}": [
        ("  - Dense: 2", "14:5: model.0: expected a 'type' that names the layer; write {type: Dense, units: 2}"),
        ("  - {Dense: 2}", "14:5: model.0: expected a 'type' that names the layer; write {type: Dense, units: 2}"),
        ("  - Dense(2)", "14:5: model.0: unknown layer 'Dense(2)'; write {type: Dense, units: 2}"),
        ("  - Dense(units=2, init=Normal)", "14:5: model.0: unknown layer 'Dense(units=2, init=Normal)'; write {type: Dense, units: 2, init: Normal}"),
        ("  - nn.Linear(2, 2)", "14:5: model.0: unknown layer 'nn.Linear(2, 2)'; write {type: Dense, units: ...}"),
        ("  - nn.Linear", "14:5: model.0: unknown layer 'nn.Linear'; write {type: Dense, units: ...}"),
        ("  - Linear: {out_features: 2}", "14:5: model.0: expected a 'type' that names the layer; write {type: Dense, units: 2}"),
        ("  - Dense:\n      units: 2", "14:5: model.0: expected a 'type' that names the layer; write {type: Dense, units: 2}"),
        ("  - Dense\n    units: 2", "15:5: indented further than line 14, which has its value already; indent them alike"),
        ("  - {Type: Dense, units: 2}", "14:6: model.0.Type: expected a 'type' that names the layer, got 'Type'; write type"),
        ("  - {type: Dense, Units: 2}", "14:19: model.0.Units: Dense has no option 'Units'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
        ("  - {class_name: Dense, units: 2}", "14:6: model.0.class_name: expected a 'type' that names the layer, got 'class_name'; write type"),
        ("  - {name: Dense, units: 2}", "14:6: model.0.name: expected a 'type' that names the layer, got 'name'; write type"),
        ("  - {layer: Dense, units: 2}", "14:6: model.0.layer: expected a 'type' that names the layer, got 'layer'; write type"),
        ("  - {type=Dense, units=2}", "14:6: model.0.type=Dense: expected a 'type' that names the layer; write type: Dense, with a ': ' between them"),
        ("  - {type: Dense, units: 2, activation: relu}", "14:29: model.0.activation: Dense has no option 'activation'. Put ReLU after it: it is a layer of its own. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, activation: None}", "14:29: model.0.activation: Dense has no option 'activation'. An activation is a layer of its own. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, activation: linear}", "14:29: model.0.activation: Dense has no option 'activation'. An activation is a layer of its own. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, dropout: 0.5}", "14:29: model.0.dropout: Dense has no option 'dropout'. Put {type: Dropout, p: 0.5} after it: it is a layer of its own. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, std: 0.5}", "14:29: model.0.std: Dense has no option 'std'. It belongs in init. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, lr: 0.5}", "14:29: model.0.lr: Dense has no option 'lr'. It belongs in optimizer. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, in_features: 2}", "14:29: model.0.in_features: Dense has no option 'in_features'. Leave it out: the size of the input is known. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, in_features: 2, out_features: 2}", "14:19: model.0.in_features: Dense has no option 'in_features'. Leave it out: the size of the input is known. Options: units, init, bias, bias_init, name.", "14:35: model.0.out_features: Dense has no option 'out_features'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: '2'}", "14:19: model.0.units: expected an integer of at least 1, got '2' (a text); write the number without quotes"),
        ("  - {type: Dense, units: 1_000}", "14:19: model.0.units: expected an integer of at least 1, got '1_000'; write 1000"),
        ("  - {type: Dense, units: 2,5}", "14:28: model.0.5: Dense has no option '5'. A number is written with a point, 2.5. A list is written [2, 5]. Options: units, init, bias, bias_init, name."),
        ("  - {type: Dense, units: 2, bias: 'true'}", "14:29: model.0.bias: expected true or false, got 'true' (a text); write true without quotes"),
        ("  - {type: Dense, units: 2, bias: 0}", "14:29: model.0.bias: expected true or false, got 0; write false"),
        ("  - {type: Dense, units: 2, bias: None}", "14:29: model.0.bias: expected true or false, got 'None'"),
        ("  - {type: Dense, units: 2, init: Normal(std=0.1)}", "14:29: model.0.init: unknown initializer 'Normal(std=0.1)'; write {type: Normal, std: 0.1}"),
        ("  - {type: Dense, units: 2, init: {Normal: 0.1}}", "14:29: model.0.init: expected a 'type' that names the initializer; write {type: Normal, std: 0.1}"),
        ("  - {type: Dense, units: 2, init: 0.1}", "14:29: model.0.init: expected an initializer, got 0.1; write {type: Constant, value: 0.1}"),
        ("  - {type: Dense, units: 2, init: None}", "14:29: model.0.init: unknown initializer 'None'. Known: <initializers>."),
        ("  - [2, 1]", "14:5: model.0: expected a layer, got a list of 2"),
        ("  - Dense 2", "14:5: model.0: unknown layer 'Dense 2'. Did you mean 'Dense'? Known: <layers>."),
        ("  - Dense-2", "14:5: model.0: unknown layer 'Dense-2'. Did you mean 'Dense'? Known: <layers>."),
        ("  - relu", "14:5: model.0: unknown layer 'relu'. Did you mean 'ReLU'? Known: <layers>."),
    ],
    "optimizer: {type: SGD, lr: 0.1}": [
        ("optimizer: {type: SGD, lr: {Cosine: 0.1}}", "19:24: optimizer.lr: expected a 'type' that names the schedule; write {type: Cosine, start: 0.1}"),
        ("optimizer: {type: SGD, lr: Cosine(0.1)}", "19:24: optimizer.lr: unknown schedule 'Cosine(0.1)'; write {type: Cosine, start: 0.1}"),
        ("optimizer: {type: SGD, lr: cosine}", "19:24: optimizer.lr: unknown schedule 'cosine'. Did you mean 'Cosine'? Known: <schedules>."),
        ("optimizer: SGD(lr=0.1)", "19:1: optimizer: unknown optimizer 'SGD(lr=0.1)'; write {type: SGD, lr: 0.1}"),
        ("optimizer: SGD(0.1)", "19:1: optimizer: unknown optimizer 'SGD(0.1)'; write {type: SGD, lr: 0.1}"),
        ("optimizer: torch.optim.Adam", "19:1: optimizer: unknown optimizer 'torch.optim.Adam'; write Adam"),
        ("optimizer: {SGD: {lr: 0.1}}", "19:1: optimizer: expected a 'type' that names the optimizer; write {type: SGD, lr: 0.1}"),
        ("optimizer: {Adam: }", "19:1: optimizer: expected a 'type' that names the optimizer; write Adam"),
        ("optimizer: SGD 0.1", "19:1: optimizer: unknown optimizer 'SGD 0.1'. Did you mean 'SGD'? Known: <optimizers>."),
        ("optimizer: [SGD, 0.1]", "19:1: optimizer: expected an optimizer, got a list of 2; write {type: SGD, lr: 0.1}"),
        ("optimizer: {type: SGD, lr: '0,1'}", "19:24: optimizer.lr: expected a number greater than 0, got '0,1'; write 0.1"),
        ("optimizer: {type: SGD, lr: 0,1}", "19:24: optimizer.lr: expected a number greater than 0, got 0", "19:30: optimizer.1: SGD has no option '1'. A number is written with a point, 0.1. A list is written [0, 1]. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer:\n  type: SGD\n  lr: 0,1", "21:3: optimizer.lr: expected a number greater than 0, got '0,1'; write 0.1"),
        ("optimizer: {type: SGD, lr: 10%}", "19:24: optimizer.lr: expected a number greater than 0, got '10%'; write 0.1"),
        ("optimizer: {type: SGD, lr:0.1}", "19:24: optimizer.lr:0.1: SGD has no option 'lr:0.1'. Write lr: 0.1, with a ': ' between them. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, LR: 0.1}", "19:24: optimizer.LR: SGD has no option 'LR'. Did you mean 'lr'? Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {Type: SGD, lr: 0.1}", "19:13: optimizer.Type: expected a 'type' that names the optimizer, got 'Type'; write type"),
        ("optimizer: {type: SGD, lr: 0.1, epochs: 10}", "19:33: optimizer.epochs: SGD has no option 'epochs'. It belongs in train. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, lr: 0.1, batch_size: 10}", "19:33: optimizer.batch_size: SGD has no option 'batch_size'. It belongs in train. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, lr: 0.1, betas: [0.9, 0.99]}", "19:33: optimizer.betas: SGD has no option 'betas'. Adam and AdamW have it. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, lr: 0.1, schedule: Cosine}", "19:33: optimizer.schedule: SGD has no option 'schedule'. Write it in place of the number: lr: {type: Cosine, start: 0.1}. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: SGD, lr: 0.1, clip: 1}", "19:33: optimizer.clip: SGD has no option 'clip'. Options: lr, momentum, dampening, weight_decay, nesterov."),
        ("optimizer: {type: Adam, lr: 0.1, momentum: 0.9}", "19:34: optimizer.momentum: Adam has no option 'momentum'. RMSprop and SGD have it. Options: lr, betas, eps, weight_decay, amsgrad."),
        ("optimizer:\ntype: SGD\nlr: 0.1", "19:1: optimizer: expected an optimizer, got nothing; write it after the ':', or indented below", "20:1: type: unknown key 'type'. It belongs in optimizer. Keys: <keys>.", "21:1: lr: unknown key 'lr'. It belongs in optimizer. Keys: <keys>."),
        ("optimizer: SGD\nlr: 0.1", "20:1: lr: unknown key 'lr'. It belongs in optimizer. Keys: <keys>."),
        ("optimizer: SGD\nlearning_rate: 0.1", "20:1: learning_rate: unknown key 'learning_rate'. Did you mean 'lr', in optimizer? Keys: <keys>."),
        ("optimiser: SGD", "19:1: optimiser: unknown key 'optimiser'. Did you mean 'optimizer'? Keys: <keys>."),
    ],
    "train: {epochs: 1000, batch_size: 1, evaluate_train: true}": [
        ("epochs: 1000\nbatch_size: 1", "4:1: the key 'train' is missing; expected a mapping of <train keys>", "20:1: epochs: unknown key 'epochs'. It belongs in train. Keys: <keys>.", "21:1: batch_size: unknown key 'batch_size'. It belongs in train. Keys: <keys>."),
        ("train: {epochs: 1000, batch_size: 1, lr: 0.1}", "20:38: train.lr: unknown key 'lr'. It belongs in optimizer. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, learning_rate: 0.1}", "20:38: train.learning_rate: unknown key 'learning_rate'. Did you mean 'lr', in optimizer? Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, seed: 3}", "20:38: train.seed: unknown key 'seed'. It belongs at the top of the config. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, metrics: [MAE]}", "20:38: train.metrics: unknown key 'metrics'. It belongs at the top of the config. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, validation: 0.2}", "20:38: train.validation: unknown key 'validation'. It belongs in data. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, optimizer: SGD}", "20:38: train.optimizer: unknown key 'optimizer'. It belongs at the top of the config. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, early_stopping: 5}", "20:38: train.early_stopping: unknown key 'early_stopping'. Write callbacks: [EarlyStopping]. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 1, patience: 5}", "20:38: train.patience: unknown key 'patience'. It belongs in a callback of callbacks. Keys: <train keys>."),
        ("train: {epochs: 1_000, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got '1_000'; write 1000"),
        ("train: {epochs: 1 000, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got '1 000'; write 1000"),
        ("train: {epochs: 1,000, batch_size: 1}", "20:19: train.000: unknown key '000'. A number is written with a point, 1.000. A list is written [1, 000]. Keys: <train keys>."),
        ("train: {epochs: 1000, batch_size: 20%}", "20:23: train.batch_size: expected an integer of at least 1, got '20%'"),
        ("train: {epochs: 1000, batch_size: 1, shuffle: 'true'}", "20:38: train.shuffle: expected true or false, got 'true' (a text); write true without quotes"),
        ("train: {epochs: 1000, batch_size: 1, shuffle: 1}", "20:38: train.shuffle: expected true or false, got 1; write true"),
        ("train: {epochs: 1000, batch_size: 1, shuffle: Yes}", "20:38: train.shuffle: expected true or false, got 'Yes'; write true"),
        ("train: [epochs: 1000, batch_size: 1]", "20:1: train: expected a mapping of <train keys>, got a list of 2; write it without '-' and [ ]"),
        ("train: {epochs: 1000, batch_size: None}", "20:23: train.batch_size: expected an integer of at least 1, got 'None'"),
        ("train:\n  - epochs: 1000\n  - batch_size: 1", "20:1: train: expected a mapping of <train keys>, got a list of 2; write it without '-' and [ ]"),
    ],
    "metrics: [BinaryAccuracy]": [
        ("metrics: accuracy", "21:1: metrics: expected a list, each item a metric, got 'accuracy'; write [Accuracy]"),
        ("metrics: BinaryAccuracy", "21:1: metrics: expected a list, each item a metric, got 'BinaryAccuracy'; write [BinaryAccuracy]"),
        ("metrics: [accuracy, mae]", "21:11: metrics.0: unknown metric 'accuracy'. Did you mean 'Accuracy'? Known: <metrics>.", "21:21: metrics.1: unknown metric 'mae'. Did you mean 'MAE'? Known: <metrics>."),
        ("metrics: binary_accuracy, mae", "21:1: metrics: expected a list, each item a metric, got 'binary_accuracy, mae'; write [BinaryAccuracy, MAE]"),
        ("metrics: BinaryAccuracy]", "21:1: metrics: expected a list, each item a metric, got 'BinaryAccuracy]'; write [BinaryAccuracy]"),
        ("metrics: (BinaryAccuracy)", "21:1: metrics: expected a list, each item a metric, got '(BinaryAccuracy)'; write [BinaryAccuracy]"),
        ("metrics: {BinaryAccuracy: }", "21:1: metrics: expected a list, each item a metric, got a mapping of 'BinaryAccuracy'; write [BinaryAccuracy]"),
        ("metrics:\n  BinaryAccuracy:\n", "21:1: metrics: expected a list, each item a metric, got a mapping of 'BinaryAccuracy'; write [BinaryAccuracy]"),
        ("metrics: None", "21:1: metrics: expected a list, each item a metric, got 'None'; write []"),
    ],
    "log: {every: 100}": [
        ("log: 100", "23:1: log: expected a mapping of every, got 100; write {every: 100}"),
        ("log: {every: 1e2}", "23:7: log.every: expected an integer of at least 1, got 100.0; write 100"),
        ("extend: a.yaml", "23:1: extend: unknown key 'extend'. Did you mean 'extends'? Keys: <keys>."),
        ("lr: 0.1", "23:1: lr: unknown key 'lr'. It belongs in optimizer. Keys: <keys>."),
        ("units: 2", "23:1: units: unknown key 'units'. It belongs in a layer of model. Keys: <keys>."),
        ("epochs: 2", "23:1: epochs: unknown key 'epochs'. It belongs in train. Keys: <keys>."),
        ("batch_size: 2", "23:1: batch_size: unknown key 'batch_size'. It belongs in train. Keys: <keys>."),
        ("activation: relu", "23:1: activation: unknown key 'activation'. An activation is a layer of its own. Keys: <keys>."),
        ("hidden_layers: [2]", "23:1: hidden_layers: unknown key 'hidden_layers'. Did you mean 'model'? Keys: <keys>."),
        ("validation: 0.2", "23:1: validation: unknown key 'validation'. It belongs in data. Keys: <keys>."),
        ("weight_decay: 0.2", "23:1: weight_decay: unknown key 'weight_decay'. It belongs in optimizer. Keys: <keys>."),
        ("momentum: 0.2", "23:1: momentum: unknown key 'momentum'. It belongs in a layer of model or in optimizer. Keys: <keys>."),
        ("path: a.csv", "23:1: path: unknown key 'path'. It belongs in data. Keys: <keys>."),
        ("init: Normal", "23:1: init: unknown key 'init'. It belongs in a layer of model. Keys: <keys>."),
        ("gpu: true", "23:1: gpu: unknown key 'gpu'. Leave it out: nnframe computes on the CPU. Keys: <keys>."),
        ("early_stopping: true", "23:1: early_stopping: unknown key 'early_stopping'. Write callbacks: [EarlyStopping]. Keys: <keys>."),
        ("scheduler: Cosine", "23:1: scheduler: unknown key 'scheduler'. Write it in place of the number: lr: {type: Cosine, start: 0.1}. Keys: <keys>."),
        ("type: Dense", "23:1: type: unknown key 'type'. It belongs in a layer of model. Keys: <keys>."),
    ],
    "data:\n  type: CSV\n  path: data/gender.csv              # relative to this file\n": [
        ("data: x.csv\nfoo:\n", "7:1: data: unknown data source 'x.csv'; write {type: CSV, path: x.csv, target: ...}", "8:1: foo: unknown key 'foo'. Keys: <keys>."),
    ],
    "path: data/gender.csv ": [
        ("path: gender.csv ", "9:3: data.path: there is no file {0}/gender.csv. Did you mean 'data/gender.csv'?"),
        ("path: data\\gender.csv ", "9:3: data.path: there is no file {0}/data\\gender.csv; write / between folders"),
        ("path: C:\\data\\gender.csv ", "9:3: data.path: there is no file {0}/C:\\data\\gender.csv; write / between folders"),
        ("path: http://x.org/gender.csv ", "9:3: data.path: there is no file {0}/http:/x.org/gender.csv; a config fetches nothing: download it, and write where it is"),
        ("path: https://x.org/gender.csv ", "9:3: data.path: there is no file {0}/https:/x.org/gender.csv; a config fetches nothing: download it, and write where it is"),
        ("path: dta/gender.csv ", "9:3: data.path: there is no file {0}/dta/gender.csv; there is no folder {0}/dta"),
        ("path: data/gendre.csv ", "9:3: data.path: there is no file {0}/data/gendre.csv. Did you mean 'gender.csv'?"),
        ("path: data/gender ", "9:3: data.path: there is no file {0}/data/gender. Did you mean 'gender.csv'?"),
        ("path: data ", "9:3: data.path: {0}/data is not a regular file"),
        ("path: configs/data/gender.csv ", "9:3: data.path: there is no file {0}/configs/data/gender.csv; there is no folder {0}/configs/data"),
    ],
    "inputs: [weight, height]": [
        ("inputs: weight,height", "10:3: data.inputs: expected a list, each item a text, got 'weight,height'; write [weight,height]"),
        ("inputs: None", "10:3: data.inputs: expected a list, each item a text, got 'None'; write null"),
        ("inputs: 2", "10:3: data.inputs: expected a list, each item a text, got 2"),
        ("inputs: [1, 2]", "10:12: data.inputs.0: expected a text, got 1", "10:15: data.inputs.1: expected a text, got 2"),
        ("inputs: [weight, height]\n  delimiter: ';'", "12:3: data.target: {0}/data/gender.csv has no column 'gender'. Columns: name,weight,height,gender. Write delimiter: ',', if that separates them."),
        ("inputs: [weight, height]\n  delimiter: tab", '11:3: data.delimiter: expected one character, got \'tab\'; write "\\t"'),
        ("inputs: [weight, height]\n  delimiter: \\t", '11:3: data.delimiter: expected one character, got \'\\\\t\'; write "\\t"'),
        ("inputs: [weight, height]\n  validation: 20%", "11:3: data.validation: expected a number greater than 0 and less than 1 or a data source, got '20%'; write 0.2"),
        ("inputs: [weight, height]\n  validation: 0,2", "11:3: data.validation: expected a number greater than 0 and less than 1 or a data source, got '0,2'; write 0.2"),
        ("inputs: [weight, height]\n  validation: None", "11:3: data.validation: expected a number greater than 0 and less than 1 or a data source, got 'None'; write null"),
        ("inputs: [weight, height]\n  validation: data/gender.csv", "11:3: data.validation: expected a number greater than 0 and less than 1 or a data source, got 'data/gender.csv'; write {type: CSV, path: data/gender.csv, target: ...}"),
        ("inputs: [weight, height]\n  validation: {CSV: data/gender.csv}", "11:3: data.validation: expected a 'type' that names the data source; write {type: CSV, path: data/gender.csv, target: ...}"),
        ("inputs: [weight, height]\n  epochs: 5", "11:3: data.epochs: CSV has no option 'epochs'. It belongs in train. Options: <CSV options>."),
        ("inputs: [weight, height]\n  units: 5", "11:3: data.units: CSV has no option 'units'. It belongs in a layer of model. Options: <CSV options>."),
        ("inputs: [weight, height]\n  by: 5", "11:3: data.by: CSV has no option 'by'. It belongs in transforms. Options: <CSV options>."),
        ("inputs: [weight, height]\n  classes: [M, F]", "11:3: data.classes: CSV has no option 'classes'. It belongs in target. Options: <CSV options>."),
        ("inputs: [weight, height]\n  normalize: true", "11:3: data.normalize: CSV has no option 'normalize'. Write transforms: [Standardize]. Options: <CSV options>."),
    ],
    "target: {column: gender, classes: [M, F]}": [
        ("target: gender, weight", "11:3: data.target: {0}/data/gender.csv has no column 'gender, weight'. Did you mean 'gender'? Columns: name, weight, height, gender."),
        ("target: {gender: [M, F]}", "11:3: data.target: the key 'column' is missing; expected a text", "11:12: data.target.gender: unknown key 'gender'. Keys: column, classes."),
        ("target: [weight, height]", "10:3: data.inputs: 'weight' is the target too; leave it out here"),
        ("target: weight", "10:3: data.inputs: 'weight' is the target too; leave it out here"),
        ("target: {column: gender, classes: M F}", "11:28: data.target.classes: expected a list, each item a text or an integer, got 'M F'; write [M F]"),
        ("target: {column: gender, classes: 2}", "11:28: data.target.classes: expected a list, each item a text or an integer, got 2; write [2]"),
        ("target: {column: [gender]}", "11:12: data.target.column: expected a text, got a list of 1"),
        ("target: {column: gender, clases: [M, F]}", "11:28: data.target.clases: unknown key 'clases'. Did you mean 'classes'? Keys: column, classes."),
    ],
    "[{type: Shift, by: [-135, -66]}]": [
        ("[{Shift: [-135, -66]}]", "12:16: data.transforms.0: expected a 'type' that names the transform; write {type: Shift, by: [-135, -66]}"),
        ("[Shift(-135)]", "12:16: data.transforms.0: unknown transform 'Shift(-135)'; write {type: Shift, by: -135}"),
        ("Shift", "12:3: data.transforms: expected a list, each item a transform, got 'Shift'; write [Shift]"),
        ("{Shift: 2}", "12:3: data.transforms: expected a list, each item a transform, got a mapping of 'Shift'; write [{type: Shift, by: 2}]"),
        ("[{type: Shift, by: -135, -66}]", "12:40: data.transforms.0.-66: Shift has no option '-66'. A list is written [-135, -66]. Options: by, columns."),
        ("[{type: Shift, by: '-135'}]", "12:30: data.transforms.0.by: expected a number or a list, each item a number, got '-135' (a text); write the number without quotes"),
        ("standardize", "12:3: data.transforms: expected a list, each item a transform, got 'standardize'; write [Standardize]"),
    ],
    "seed: 0": [
        ("seed: 0,5", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got '0,5'"),
        ("seed: random", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got 'random'"),
        ("seed: 0x", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got '0x'"),
        ("seed: None", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got 'None'"),
        ("Seed: 0", "5:1: Seed: unknown key 'Seed'. Did you mean 'seed'? Keys: <keys>."),
        ("SEED: 0", "5:1: SEED: unknown key 'SEED'. Did you mean 'seed'? Keys: <keys>."),
    ],
    "dtype: float64": [
        ("dtype: 64", "6:1: dtype: expected one of 'float32', 'float64', got 64. Did you mean 'float64'?"),
        ("dtype: double", "6:1: dtype: expected one of 'float32', 'float64', got 'double'. Did you mean 'float64'?"),
        ("dtype: float", "6:1: dtype: expected one of 'float32', 'float64', got 'float'. Did you mean 'float64'?"),
    ],
    "name: gender": [
        ("name: 'my run'", "4:1: name: expected up to 100 letters, digits, '_', '-' and '.', since it names a folder, got 'my run'"),
        ("name: 3", "4:1: name: expected a text, got 3"),
        ("name: a/b", "4:1: name: expected up to 100 letters, digits, '_', '-' and '.', since it names a folder, got 'a/b'"),
    ],
    "loss: MSE": [
        ("loss: {MSE: }", "18:1: loss: expected a 'type' that names the loss; write MSE"),
        ("loss: [MSE]", "18:1: loss: expected a loss, got a list of 1; write MSE"),
        ("loss: mse_loss", "18:1: loss: unknown loss 'mse_loss'. Did you mean 'MSE'? Known: <losses>."),
        ("loss: MSE, MAE", "18:1: loss: unknown loss 'MSE, MAE'. Did you mean 'MSE'? Known: <losses>."),
        ("loss: F.mse_loss", "18:1: loss: unknown loss 'F.mse_loss'; write MSE"),
        ("loss: CrossEntropy", "11:3: data.target: the target has 2 classes (M, F), but the model has outputs (1,); BinaryCrossEntropy is for one output"),
    ],
    "predict: {Emily: {weight: 128, height: 63}, Frank": [
        ("predict: {Emily: [128, 63], Frank", "22:11: predict.Emily: expected a mapping, got a list of 2"),
    ],
    "predict: {Emily: {weight: 128, height: 63}, Frank: {weight: 155, height: 68}}": [
        ("predict: [{weight: 128, height: 63}]", "22:1: predict: expected a mapping, got a list of 1"),
        ("predict: {weight: 128, height: 63}", "22:1: predict: expected a mapping of names to mappings, got a mapping of 'weight', 'height'; put a name before it: {name: {weight: ...}}"),
    ],
    "predict: {Emily: {weight: 128,": [
        ("predict: {Emily: {weight: 128,5,", "22:31: predict.Emily.5: expected a number or a text, got nothing"),
    ],
}  # fmt: skip

TABLES = (("gender", GENDER), ("gender", FORMS), ("iris", IRIS), ("xor", XOR))
ROWS = [
    (name, written, *row) for name, table in TABLES for written, rows in table.items() for row in rows
]  # config, what is written, what stands there instead, the answer's lines

OVERRIDES = [  # of gender.yaml, in one call
    (["optimizer.learning_rate=0.1"], "optimizer.learning_rate: SGD has no option 'learning_rate'. Did you mean 'lr'? Options: lr, momentum, dampening, weight_decay, nesterov."),
    (["optimizer.lr="], "optimizer.lr: expected a number greater than 0, got nothing"),
    (["optimizer.lr=fast"], "optimizer.lr: expected a number greater than 0, got 'fast'"),
    (["optimizer.lr: 0.1"], "expected key=value, such as optimizer.lr=0.01, got 'optimizer.lr: 0.1'"),
    (["optimizer..lr=5"], "expected key=value, such as optimizer.lr=0.01, got 'optimizer..lr=5'"),
    ([".seed=5"], "expected key=value, such as optimizer.lr=0.01, got '.seed=5'"),
    (["=5"], "expected key=value, such as optimizer.lr=0.01, got '=5'"),
    (["iris.yaml"], "expected key=value, such as optimizer.lr=0.01, got 'iris.yaml'"),
    (["seed="], "seed: expected an integer of at least 0 and at most 9223372036854775807, got nothing"),
    (["seed==5"], "seed: expected an integer of at least 0 and at most 9223372036854775807, got '=5'"),
    (["seed=1", "seed=x"], "seed: expected an integer of at least 0 and at most 9223372036854775807, got 'x'"),
    (["seed=a: b: c"], "seed: a second ':' in one line; put {...} around a mapping, or quotes around a text"),
    (["model.4.units=2"], "model.4.units: model is a list of 4; expected 0 to 3, got '4'"),
    (["model.-1.units=2"], "model.-1.units: model is a list of 4; expected 0 to 3, got '-1'"),
    (["model.first.units=2"], "model.first.units: model is a list of 4; expected 0 to 3, got 'first'"),
    (["model.0=2"], "model.0: expected a layer, got 2; write {type: Dense, units: 2}"),
    (["model.0.unit=2"], "model.0.unit: Dense has no option 'unit'. Did you mean 'units'? Options: units, init, bias, bias_init, name."),
    (["model.1.units=2"], "model.1.units: Sigmoid has no option 'units'. Dense has it. Options: name."),
    (["model.0.init.sdt=1"], "model.0.init.sdt: Normal has no option 'sdt'. Did you mean 'std'? Options: std, mean."),
    (["model.0.units.x=1"], "model.0.units.x: model.0.units is 2, which has no 'x'"),
    (["model=[Dense]"], "model.0: Dense needs the option 'units'; expected an integer of at least 1"),
    (["model[0].units=2"], "model[0]: unknown key 'model[0]'. Did you mean 'model'? Keys: <keys>."),
    (["optimizer=Adm"], "optimizer: unknown optimizer 'Adm'. Did you mean 'Adam'? Known: <optimizers>."),
    (["optimizer.type=Adm"], "optimizer.type: unknown optimizer 'Adm'. Did you mean 'Adam'? Known: <optimizers>."),
    (["optimizer={type: Adam, lr: 0.1"], "optimizer: the '{' is not closed: expected ',' or '}' before the end"),
    (["optimizer={lr: 0.1}"], "optimizer: expected a 'type' that names the optimizer, such as Adam or AdamW or RMSprop. Known: <optimizers>."),
    (["optimizer.lr=[0.1,0.2]"], "optimizer.lr: expected a number greater than 0, got a list of 2; one network takes one value"),
    (["optimizer.lr={type: Cosine}"], "optimizer.lr: Cosine needs the option 'start'; expected a number"),
    (["data.path=nowhere.csv"], "data.path: there is no file {0}/nowhere.csv."),
    (["data.inputs=weight"], "data.inputs: expected a list, each item a text, got 'weight'; write [weight]"),
    (["data.inputs.2=name"], "data.inputs.2: data.inputs is a list of 2; expected 0 to 1, got '2'"),
    (["data.validation=2"], "data.validation: expected a number greater than 0 and less than 1, got 2"),
    (["train.epochs=1e3"], "train.epochs: expected an integer of at least 1, got 1000.0; write 1000"),
    (["train.epochs=10 20"], "train.epochs: expected an integer of at least 1, got '10 20'"),
    (["train.batchsize=2"], "train.batchsize: unknown key 'batchsize'. Did you mean 'batch_size'? Keys: <train keys>."),
    (["train=5"], "train: expected a mapping of <train keys>, got 5; write {epochs: 5, batch_size: ...}"),
    (["train.shuffle=no"], "train.shuffle: expected true or false, got 'no'; write false"),
    (["loss=mse"], "loss: unknown loss 'mse'. Did you mean 'MSE'? Known: <losses>."),
    (["losss=MSE"], "losss: unknown key 'losss'. Did you mean 'loss'? Keys: <keys>."),
    (["metrics.0.threshold=2"], "metrics.0.threshold: expected a number of at least 0 and at most 1, got 2"),
    (["predict.Emily.weight=heavy"], "predict.Emily.weight: expected a number, got 'heavy'"),
    (["predict.Bob.weight=3"], "predict.Bob: needs a value for the input 'height'. Inputs: weight, height."),
    (["name=a/b"], "name: expected up to 100 letters, digits, '_', '-' and '.', since it names a folder, got 'a/b'"),
    (
        ["optimizer.lr=-1", "train.epochs=0", "model.0.units=x"],
        "model.0.units: expected an integer of at least 1, got 'x'",
        "optimizer.lr: expected a number greater than 0, got -1",
        "train.epochs: expected an integer of at least 1, got 0",
    ),
]  # fmt: skip

# where a mistake is reported, whatever the words: beside what has to be changed
PLACES = [
    ("gender", "inputs: [weight, height]", "inputs: []", "10:3: data.inputs: "),
    ("gender", "inputs: [weight, height]", "inputs: [weight, height]\n  validation: {type: CSV, path: data/gendre.csv, target: gender}", "11:27: data.validation.path: "),
    ("gender", "inputs: [weight, height]", "inputs: [weight, height]\n  validation: {type: CSV, path: data/xor.csv, target: c}", "11:47: data.validation.target: "),
    ("gender", "classes: [M, F]", "classes: []", "11:28: data.target.classes: "),
    ("gender", "classes: [M, F]", "classes: [M, M]", "11:28: data.target.classes: "),
    ("gender", "- Sigmoid ", "- {type: Sigmoid, name: a}\n  - {type: Sigmoid, name: a} ", "16:21: model.2.name: "),
    ("gender", "log: {every: 100} ", "extends: nowhere.yaml ", "23:1: extends: "),
    ("gender", "log: {every: 100} ", "extends: data ", "23:1: extends: "),
    ("iris", "target: species ", "target: class ", "7:3: data.target: "),
    ("iris", "units: 3}", "units: 2}", "7:3: data.target: "),
    ("iris", "metrics: [Accuracy]", "metrics: [BinaryAccuracy]", "17:11: metrics.0: "),
    ("iris", "batch_size: 16}", "batch_size: 16}\nextra: 1", "17:1: extra: "),
    ("xor", "lr: 0.05}", "lr: 1e60}", "10:25: optimizer.lr: "),
    ("xor", "lr: 0.05}", "lr: 1e-60}", "10:25: optimizer.lr: "),
    ("xor", "lr: 0.05}", "lr: 0.05, betas: [0.9, 0.99999999999]}", "10:48: optimizer.betas.1: "),
]  # fmt: skip

# numbers beyond all measure
HUGE = [
    ("lr: 0.1}", f"lr: {10**400}}}", "19:24: optimizer.lr: expected a number greater than 0, got "),
    ("units: 2", f"units: {10**400}", "14:19: model.0.units: "),
    ("units: 2", f"units: {10**15}", "14:19: model.0.units: expected an integer of at least 1, got 1000"),
    ("units: 2", f"units: {10**25}", "14:19: model.0.units: expected an integer of at least 1, got 1000"),
    ("by: [-135, -66]", f"by: [-135, {10**400}]", "12:41: data.transforms.0.by.1: expected a number"),
    ("weight: 128", f"weight: {10**400}", "22:19: predict.Emily.weight: expected a number"),
    ("seed: 0", "seed: 1" + "0" * 5000, "5:1: seed: expected an integer"),
    ("epochs: 1000", f"epochs: {10**15}", "20:9: train.epochs: "),
    ("epochs: 1000", f"epochs: {10**25}", "20:9: train.epochs: "),
]


def text(config):
    return (CONFIGS / f"{config}.yaml").read_text()


def written_out(line, place):
    """A line of an answer with its lists of what is known."""
    lists = {"keys": [*options(Experiment), *Experiment.besides], "train keys": options(Train), "losses": REGISTRY["loss"]}
    lists |= {f"{cls.__name__} options": options(cls) for cls in (nn.CSV, nn.Arrays)}
    lists |= {f"{slot}s": known for slot, known in REGISTRY.items()} | {"metrics": known_to("metric", "loss")}
    for name, known in lists.items():
        if len(known) <= 10 or "keys" in name or "options" in name:
            line = line.replace(f"<{name}>", ", ".join(known if "keys" in name or "options" in name else sorted(known)))
    return line.replace("{0}", str(place))


def shortened(line):
    """A line with its lists of a few of many names as the tables above have them, once what it says of them holds."""

    def stand_in(found):
        slot = found[2].strip("'")
        assert len(REGISTRY[slot]) == int(found[3]) > 10
        assert set(found[1].split(", ")) < set(REGISTRY[slot])
        return f"Known: <{slot}s>."

    return re.sub(r"Known: ([\w, ]+), \.\.\. \(`nnframe list ([\w' ]+)` prints all (\d+)\)\.", stand_in, line)


def test_a_long_list_of_names_is_shortened_to_the_nearest(place, capsys):
    (place / "wrong.yaml").write_text(text("gender").replace("init: Normal", "init: Unifrom"))
    assert run.main(["wrong.yaml", "--out", "runs"]) == 2
    told = capsys.readouterr().err.splitlines()[0]
    assert re.search(
        r"Did you mean 'Uniform'\? Known: Uniform, HeUniform, \w+, \w+, \w+, \.\.\. \(`nnframe list initializer` prints all 11\)\.$", told
    )


def answer(place, capsys, *arguments):
    """The lines of what comes back, when nothing is trained and nothing left behind."""
    before = sorted(place.rglob("*"))
    assert run.main([*arguments, "--out", "runs"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sorted(place.rglob("*")) == before, "something was left behind"
    *lines, last = captured.err.splitlines()
    if not lines:
        return [shortened(last)]
    assert last == f"{len(lines)} mistakes; nothing was trained."
    return list(map(shortened, lines))


@pytest.mark.parametrize("config, written, instead, lines", [(*r[:3], r[3:]) for r in ROWS], ids=[f"{r[2]}"[:60] for r in ROWS])
def test_a_mistake_is_answered_word_for_word(place, capsys, config, written, instead, lines):
    assert written in text(config) and written != instead
    (place / "wrong.yaml").write_text(text(config).replace(written, instead, 1))
    assert answer(place, capsys, "wrong.yaml") == [f"wrong.yaml:{written_out(line, place)}" for line in lines]


@pytest.mark.parametrize("assignments, lines", [(r[0], r[1:]) for r in OVERRIDES], ids=[" ".join(r[0]) for r in OVERRIDES])
def test_a_mistake_on_the_command_line_is_answered_word_for_word(place, capsys, assignments, lines):
    assert answer(place, capsys, "gender.yaml", *assignments) == [f"command line: {written_out(line, place)}" for line in lines]


def test_the_tables_repeat_nothing():
    assert len(ROWS) + len(OVERRIDES) >= 120
    assert len({row[:3] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("config, written, instead, start", PLACES, ids=[r[2][:60] for r in PLACES])
def test_a_mistake_is_answered_where_it_stands(place, capsys, config, written, instead, start):
    assert written in text(config)
    (place / "wrong.yaml").write_text(text(config).replace(written, instead, 1))
    (line,) = answer(place, capsys, "wrong.yaml")
    assert line.startswith(f"wrong.yaml:{start}"), line


@pytest.mark.parametrize("written, instead, start", HUGE, ids=[f"{r[1][:12]}-{len(r[1])}" for r in HUGE])
def test_numbers_beyond_all_measure_are_answered(place, capsys, written, instead, start):
    assert written in text("gender")
    (place / "wrong.yaml").write_text(text("gender").replace(written, instead, 1))
    (line,) = answer(place, capsys, "wrong.yaml")
    assert line.startswith(f"wrong.yaml:{start}"), line
    assert len(line) < 400


def test_more_outputs_than_classes_end_with_the_config_and_not_with_a_traceback(place, capsys):
    """The largest of 300 outputs stands for none of the three irises: refused before training, or printed without a class."""
    status = run.main(["iris.yaml", "model.2.units=300", "train.epochs=1", "optimizer.lr=1e-6", "--out", "runs"])
    captured = capsys.readouterr()
    assert (status == 2 and captured.err.startswith("iris.yaml:")) or (status == 0 and "short petals" in captured.out)


@pytest.mark.parametrize("sweep", ["", "sweep: {seeds: 2}\n", "sweep: {parameters: {data.path: [data/gender.csv, other.csv]}}\n"])
def test_a_folder_whose_name_is_not_utf_8_is_told_before_training(place, capsys, monkeypatch, sweep):
    """No config.yaml can hold the path of the data, so that the run could not be repeated from its folder."""
    below = Path(os.fsdecode(os.fsencode(place) + b"/caf\xe9"))
    try:
        shutil.copytree(place, below)
    except OSError:
        pytest.skip("this file system takes no such name")
    monkeypatch.chdir(below)
    with Path("gender.yaml").open("a") as config:
        config.write(sweep)
    answers = answer(below, capsys, "gender.yaml")
    assert len(answers) == 1 and re.match(
        r"gender\.yaml:\d+:\d+: \S*: expected text in UTF-8, as a run's config\.yaml has to hold it, got /.*/caf\\udce9/data/gender\.csv; rename",
        answers[0],
    )
    # data elsewhere can be trained on from there
    data = f"data.path={place / 'data/gender.csv'}"
    assert run.main(["gender.yaml", data, "train.epochs=1", "sweep=null", "--quiet", "--out", str(place / "runs")]) == 0
    folder = capsys.readouterr().out.strip()
    assert run.main([f"{folder}/config.yaml", "--quiet", "--out", str(place / "runs")]) == 0
