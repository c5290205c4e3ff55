"""Names that are nearly ours, misspelt or as other libraries and habit have them: answered with ours, never accepted."""

import re
from collections.abc import Iterable
from functools import cache

OURS = {
    # options
    "lr": "learning_rate learning_rate_init eta eta0 alpha0 rate step_size",
    "units": "out_features out_channels hidden_size hidden_units output_dim n_units num_units neurons nodes size dim width",
    "p": "rate prob probability dropout dropout_rate drop_prob keep_prob",
    "weight_decay": "alpha l2 l2_reg decay penalty regularization lambda wd",
    "eps": "epsilon",
    "tolerance": "tol gtol ftol xtol tolerance_grad",
    "memory": "maxcor history_size m",
    "method": "solver algorithm",
    "betas": "beta beta1 beta2 beta_1 beta_2 b1 b2",
    "momentum": "mu beta decay",
    "nesterov": "nesterovs_momentum use_nesterov",
    "init": "kernel_initializer weight_init initializer kernel_init w_init weight_initializer",
    "bias_init": "bias_initializer b_init",
    "bias": "use_bias fit_intercept intercept",
    "std": "stddev sigma scale gain cluster_std",
    "mean": "loc mu center",
    "gain": "scale std",
    "low": "minval a min",
    "high": "maxval b max",
    "start": "initial_learning_rate initial base_lr max_lr lr",
    "stop": "eta_min min_lr end final alpha",
    "every": "step_size decay_steps period interval steps",
    "factor": "gamma decay_rate rate",
    "epochs": "max_iter num_epochs n_epochs max_epochs epoch iterations n_iter",
    "batch_size": "batch batchsize minibatch_size bs",
    "seed": "random_state random_seed rng",
    "validation": "validation_split validation_fraction validation_data val_split valid test_size val",
    "model": "layers network net hidden_layers hidden_layer_sizes architecture nn",
    "loss": "criterion loss_function objective cost loss_fn",
    "optimizer": "optim solver optimiser",
    "data": "dataset training_data train_data",
    "train": "training fit trainer",
    "run": "train fit start",
    "x": "inputs features",
    "y": "target targets label labels",
    "path": "file filename filepath file_name csv url",
    "target": "targets label labels y output outputs",
    "inputs": "features x columns input feature_columns",
    "classes": "labels categories class_names levels",
    "delimiter": "sep separator",
    "rows": "n_samples num_samples samples count n size",
    "features": "n_features num_features dim",
    "centers": "n_centers clusters n_clusters",
    "vary": "resample redraw",
    "modulus": "p mod prime",
    "length": "seq_len sequence_length final_seq_length T seq_length",
    "delay": "T time_lag lag gap",
    "shuffled": "shuffle_seq shuffle permuted",
    "training_share": "train_split train_fraction train_size",
    "template_length": "template_len",
    "translation": "max_translation shift",
    "correlated_noise": "corr_noise_scale corr_noise",
    "white_noise": "iid_noise_scale iid_noise",
    "shear": "shear_scale",
    "scale": "scale_coeff",
    "missing": "na_values null_values nan_values na_filter",
    "dates": "parse_dates date_columns",
    "images": "image_file",
    "cv": "kfold k_fold kfolds n_splits n_folds num_folds cross_validation crossval cross_val",
    "folds": "k n_splits n_folds",
    "bootstraps": "n_bootstraps bootstrap resamples",
    "stratify": "stratified stratify_by",
    "label_noise": "noise_rate noisy_labels label_flip",
    "class_weights": "class_weight balanced",
    "augment": "augmentation augmentations data_augmentation",
    "target_transforms": "target_transform y_transform output_transforms",
    "transforms": "transform preprocessing scaler pipeline",
    "evaluate_train": "eval_train",
    "dtype": "precision",
    "float64": "double f8 f64 64",
    "float32": "single f4 f32 32",
    "by": "value offset shift factor scale",
    "strategy": "method how mode",
    "value": "fill_value fill constant",
    "indicator": "add_indicator missing_indicator",
    "unknown": "handle_unknown unknown_value oov",
    "order": "categories mapping ordering",
    "count": "n_quantiles quantiles",
    "to": "output_distribution distribution",
    "quantiles": "quantile_range limits percentiles",
    "padding": "pad",
    "name": "id title label",
    "on_begin": "on_train_begin on_train_start on_fit_start on_fit_begin on_start",
    "on_epoch": "on_epoch_end on_train_epoch_end on_validation_epoch_end on_validation_end",
    "on_end": "on_train_end on_fit_end on_stop",
    # components
    "Dense": "Linear FullyConnected FC Affine InnerProduct",
    "trust-ncg": "trust-krylov trust-exact",
    "SciPy": "LBFGS L-BFGS-B L_BFGS BFGS NewtonCG least_squares LevenbergMarquardt",
    "BatchNorm": "BatchNormalization BatchNorm1d BatchNorm2d BN",
    "Sigmoid": "Logistic",
    "Identity": "Linear PassThrough NoOp",
    "Residual": "Skip ResidualBlock",
    "Sequential": "Chain Stack",
    "MSE": "MSELoss MeanSquaredError squared_error L2Loss mean_squared_error",
    "BinaryCrossEntropy": "BCE BCELoss BCEWithLogitsLoss BCEWithLogits binary_cross_entropy_with_logits",
    "CrossEntropy": "CrossEntropyLoss CategoricalCrossentropy SparseCategoricalCrossentropy NLLLoss log_loss SoftmaxCrossEntropy XEnt",
    "Accuracy": "acc CategoricalAccuracy SparseCategoricalAccuracy accuracy_score",
    "BinaryAccuracy": "acc",
    "MAE": "MeanAbsoluteError L1Loss mean_absolute_error",
    "R2": "R2Score r2_score",
    "GlorotUniform": "xavier_uniform Xavier Glorot",
    "GlorotNormal": "xavier_normal",
    "HeUniform": "kaiming_uniform",
    "HeNormal": "kaiming_normal Kaiming He",
    "Normal": "RandomNormal randn Gaussian",
    "Uniform": "RandomUniform rand",
    "Constant": "Fill Ones",
    "Cosine": "CosineAnnealingLR CosineDecay CosineAnnealing",
    "Step": "StepLR ExponentialDecay StepDecay MultiStep",
    "Standardize": "StandardScaler Normalize ZScore Normalization",
    "Shift": "Center Offset Add",
    "Scale": "Multiply Rescaling Rescale Factor",
    "MinMax": "MinMaxScaler Rescale Range UnitRange",
    "Robust": "RobustScaler MedianScaler IQR",
    "Quantiles": "QuantileTransformer RankGauss Quantile Rank",
    "OneHot": "OneHotEncoder get_dummies Dummies to_categorical OneHotEncoding CategoryEncoding LabelBinarizer",
    "Ordinal": "OrdinalEncoder LabelEncoder LabelEncoding Categorical StringLookup",
    "Impute": "SimpleImputer fillna Imputer FillMissing FillNA dropna",
    "Log": "log1p LogTransform FunctionTransformer PowerTransformer BoxCox",
    "Clip": "Winsorize Winsorizer clamp Bound",
    "Features": "PolynomialFeatures FeatureCross Interactions Polynomial",
    "Noise": "GaussianNoise RandomNoise Jitter AddNoise",
    "Mixup": "MixUp RandomMixUp CutMix",
    "Flip": "RandomHorizontalFlip RandomVerticalFlip RandomFlip HorizontalFlip VerticalFlip fliplr Mirror",
    "Crop": "RandomCrop RandomCropPadding PadCrop RandomTranslation",
    "Arrays": "NPZ Numpy npz",
    "CSV": "TSV DataFrame read_csv Table",
    "XOR": "ExclusiveOr make_xor",
    "Spirals": "Spiral TwoSpirals make_spirals",
    "Moons": "make_moons TwoMoons HalfMoons",
    "Circles": "make_circles ConcentricCircles",
    "Blobs": "make_blobs GaussianBlobs",
    "Sinusoid": "Sine Sin Sinus",
    "Friedman1": "make_friedman1 Friedman",
    "Friedman2": "make_friedman2",
    "Friedman3": "make_friedman3",
    "ModularAddition": "ModularArithmetic Grokking ModAdd modulo",
    "Adding": "AddingProblem AddingTask",
    "Copying": "CopyTask CopyMemory CopyingMemory CopyingProblem",
    "MNIST1D": "MNIST-1D mnist_1d",
    "Parquet": "read_parquet pq",
    "IDX": "MNIST FashionMNIST",
}


HABITS = {  # options elsewhere that are none here
    "in_features in_channels input_dim input_shape input_size num_features n_features": "Leave it out: the size of the input is known.",
    "from_logits": "Leave it out: the loss takes logits.",
    "reduction": "Leave it out: the loss is the mean over the batch.",
    "T_max decay_steps total_steps": "Leave it out: a schedule runs over all epochs.",
    "activation": "An activation is a layer of its own.",
    "schedule scheduler lr_schedule lr_scheduler": "Write it in place of the number: lr: {type: Cosine, start: 0.1}.",
    "device gpu cuda": "Leave it out: nnframe computes on the CPU.",
    "verbose progress": "Leave it out: --quiet on the command line prints less.",
    "normalize standardize scale": "Write transforms: [Standardize].",
}

ABSENT = {  # components and values elsewhere that have no counterpart of another name here
    "float16 f2 half fp16 bfloat16 bf16": "Write float32: a CPU computes no faster in 16 bits.",
    "ModelCheckpoint Checkpoint SaveBestModel": "Write {type: BestWeights, monitor: val_loss}, which keeps the best epoch's weights as"
    " best.npz; those of the last epoch are kept anyway.",
    "ReduceLROnPlateau": "No callback lowers the learning rate; write a schedule in its place, such as"
    " optimizer.lr: {type: Cosine, start: 0.01}, or a callback of your own.",
    "LearningRateScheduler LRScheduler": "Write a schedule in place of the number: optimizer.lr: {type: Cosine, start: 0.01}.",
    "TensorBoard CSVLogger History Logger WandbLogger": "Leave it out: every epoch is in the run's losses.csv.",
    "ProgressBar ProgbarLogger TQDMProgressBar RichProgressBar": "Leave it out: a terminal shows a bar anyway.",
    "TerminateOnNaN": "Leave it out: training ends anyway where the loss is not finite.",
    "BackupAndRestore": "Leave it out: --resume FOLDER goes on after any end.",
    "output_dir out_dir log_dir save_dir": "Leave it out: --out on the command line says where the run's folder is made.",
}


def plain(name: str) -> str:
    """A name as it is compared: without case, underscores and hyphens."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def number(text: str) -> float | int | None:
    """The number that a text means: 0,1 and 20% and 1_000 and 1/10 and 10^-3 and 128 lb too."""
    if len(text) > 40:
        return None
    text = re.sub(r"(?<=\d) (?=\d{3}\b)", "", text.strip()).replace("_", "").replace("**", "^")
    if fraction := re.fullmatch(r"(\d+)\s*/\s*([1-9]\d*)", text):
        return int(fraction[1]) / int(fraction[2])
    if power := re.fullmatch(r"10\s*\^\s*\(?([-+]?\d{1,2})\)?", text):
        return float(f"1e{power[1]}")
    found = re.fullmatch(r"([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?)\s*(%|[a-zA-Z]*)", text)
    if not found or (found[2] and not re.search("[1-9]", found[1])):
        return None
    value = float(found[1].replace(",", "."))
    if found[2] == "%":
        return float(f"{value / 100:.12g}")
    return int(found[1]) if re.fullmatch(r"[-+]?\d+", found[1]) else value


def unit_hint(texts: Iterable[str]) -> str:
    """What to do about texts that are numbers but for one mark in all of them: `151.00 USD`, `$3`, `20 %`."""
    marks = set()
    for text in texts:
        found = re.fullmatch(r"([A-Z]{3}|[^\w\s.,+-]?)\s*[-+]?\d[\d.,]*\s*([^\W\d_]{1,4}|[^\w\s.,]?)", text.strip()[:40])
        marks.add(found and found[1] + found[2])
    mark = marks.pop() if len(marks) == 1 else None
    return f"; without {mark!r} in its cells they are numbers" if mark else ""


@cache
def theirs() -> dict[str, list[str]]:
    """Our names by what others call them, as `plain` has that."""
    found: dict[str, list[str]] = {}
    for ours, words in OURS.items():
        for word in words.split():
            found.setdefault(plain(word), []).append(ours)
    return found


@cache
def habits() -> dict[str, str]:
    """Advice about options that others have, as `plain` has their names."""
    return {plain(name): advice for names, advice in HABITS.items() for name in names.split()}


def absent(name: object) -> str:
    """What to do without something that others have, in a sentence; nothing if it is not known."""
    return _absent().get(plain(str(name)[:80]), "")


@cache
def _absent() -> dict[str, str]:
    return {plain(name): advice for names, advice in ABSENT.items() for name in names.split()}


def nearest(name: object, names: Iterable[object]) -> str:
    """` Did you mean 'units'?` if one of `names` is close to `name`, or is what another library calls so; else nothing."""
    close = closest(name, names)
    return f" Did you mean {close!r}?" if close else ""


def closest(name: object, names: Iterable[object]) -> str | None:
    """The one of `names` that is another word for `name`, or else is spelled nearly like it."""
    from difflib import get_close_matches  # only needed once something went wrong

    names = list(names)
    if found := same(name, names):
        return found
    asked, known = plain(str(name)[:80]), {plain(str(known)): str(known) for known in names}
    begun = [full for full in known if len(asked) > 2 and full.startswith(asked)]
    alike = [full for full in known if full[:1] == asked[:1]]  # who misspells a word seldom misses its first letter
    close = begun if len(begun) == 1 else get_close_matches(asked, known, 1, 0.72) or get_close_matches(asked, alike, 1)
    return known[close[0]] if close else None


def same(name: object, names: Iterable[object]) -> str | None:
    """The one of `names` that is `name` but for case and underscores, or is what another library calls so."""
    asked, known = plain(str(name)[:80]), {plain(str(known)): str(known) for known in names}
    return (
        known.get(asked)
        or known.get(asked.rpartition(".")[2])
        or next((ours for ours in theirs().get(asked, ()) if ours in known.values()), None)
    )
