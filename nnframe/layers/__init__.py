"""Layers; see `base` for the contract."""

from nnframe.layers import activations as activations
from nnframe.layers import containers as containers
from nnframe.layers import dense as dense
from nnframe.layers import dropout as dropout
from nnframe.layers import normalization as normalization
