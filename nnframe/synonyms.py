"""What Keras, PyTorch, scikit-learn and habit call our names: answered with ours in messages, never accepted."""

OURS = {
    # options
    "lr": "learning_rate learning_rate_init eta eta0 alpha0 rate step_size",
    "units": "out_features out_channels hidden_size hidden_units output_dim n_units num_units neurons nodes size dim width",
    "p": "rate prob probability dropout dropout_rate drop_prob keep_prob",
    "weight_decay": "alpha l2 l2_reg decay penalty regularization lambda wd",
    "eps": "epsilon",
    "betas": "beta beta1 beta2 beta_1 beta_2 b1 b2",
    "momentum": "mu beta",
    "nesterov": "nesterovs_momentum use_nesterov",
    "init": "kernel_initializer weight_init initializer kernel_init w_init weight_initializer",
    "bias_init": "bias_initializer b_init",
    "bias": "use_bias fit_intercept intercept",
    "std": "stddev sigma scale gain",
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
    "model": "layers network net hidden_layer_sizes architecture nn",
    "loss": "criterion loss_function objective cost loss_fn",
    "optimizer": "optim solver optimiser",
    "data": "dataset training_data train_data",
    "train": "training fit trainer",
    "run": "train fit start",
    "path": "file filename filepath file_name csv url",
    "target": "targets label labels y output outputs",
    "inputs": "features x columns input feature_columns",
    "classes": "labels categories class_names levels",
    "delimiter": "sep separator",
    "transforms": "transform preprocessing scaler pipeline",
    "evaluate_train": "eval_train",
    "dtype": "precision",
    "by": "value offset shift",
    "name": "id title label",
    # components
    "Dense": "Linear FullyConnected FC Affine InnerProduct",
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
    "Arrays": "NPZ Numpy npz",
    "CSV": "TSV DataFrame read_csv Table",
}


def plain(name: str) -> str:
    """A name as it is compared: without case, underscores and hyphens."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


THEIRS: dict[str, list[str]] = {}
for ours, theirs in OURS.items():
    for name in theirs.split():
        THEIRS.setdefault(plain(name), []).append(ours)
