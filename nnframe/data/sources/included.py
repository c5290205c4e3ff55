"""Small data sets that come with the package. included/README.md says where each is from, and under which licence."""

from pathlib import Path
from typing import Any, ClassVar

from nnframe.components.component import register
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source
from nnframe.data.sources.csv import CSV
from nnframe.data.table import Target


class Included(Source):
    """Base: a CSV file beside this one, and how it is read."""

    file: ClassVar[str]
    reading: ClassVar[dict[str, Any]]

    def read(self) -> Dataset:
        return CSV(Path(__file__).with_name("included") / self.file, delimiter=",", header=True, **self.reading).read()


@register
class Gender(Included):
    """4 people: weight (lb) and height (in), and the classes M and F (Zhou 2019)."""

    file = "gender.csv"
    reading: ClassVar = {"target": Target("gender", ("M", "F")), "inputs": ("weight", "height")}


@register
class Iris(Included):
    """150 flowers: length and width of sepals and petals (cm), and the species setosa, versicolor and virginica, 50 of each (Fisher 1936,
    UCI Machine Learning Repository)."""

    file = "iris.csv"
    reading: ClassVar = {"target": "species"}


@register
class Wine(Included):
    """178 wines: 13 numbers of a chemical analysis, such as alcohol, and the three cultivars (Aeberhard and Forina 1992, UCI Machine
    Learning Repository)."""

    file = "wine.csv"
    reading: ClassVar = {"target": "cultivar"}


@register
class BreastCancer(Included):
    """569 tumours: mean, error and worst value of 10 measures of cell nuclei, and the classes benign (357) and malignant (212), in this
    order (Wolberg, Mangasarian, Street and Street 1993, UCI Machine Learning Repository)."""

    file = "breast_cancer.csv"
    reading: ClassVar = {"target": "diagnosis"}


@register
class Diabetes(Included):
    """442 patients: age, sex (1 and 2), body mass index, blood pressure and 6 blood serum measurements in their units, and as target a
    number, the disease's progression after a year (Efron, Hastie, Johnstone and Tibshirani 2004)."""

    file = "diabetes.csv"
    reading: ClassVar = {"target": "progression"}
