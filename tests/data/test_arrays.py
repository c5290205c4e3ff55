"""NumPy's files, also such as stay on the disk, IDX files, and the data that comes with the package."""

import csv
import gzip
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe.data.mapped import Mapped
from nnframe.data.sources import arrays

ROWS = 40


@pytest.fixture
def files(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = rng.normal(size=(ROWS, 5)).astype(np.float32), rng.integers(0, 3, ROWS)
    np.save("x.npy", x)
    np.save("y.npy", y)
    np.save("w.npy", np.arange(1.0, ROWS + 1))
    np.savez("d.npz", x=x, y=y)
    np.savez_compressed("packed.npz", x=x, y=y)
    return x, y


def test_npy(files):
    x, y = files
    data = nn.NPY("x.npy", y="y.npy", weight="w.npy").load()
    assert data.x.tobytes() == x.tobytes() and data.y.tolist() == y.tolist() and data.weight[-1] == ROWS
    assert (data.inputs, data.targets, data.classes) == (("0", "1", "2", "3", "4"), ("y",), ("0", "1", "2"))
    assert not isinstance(data.x, Mapped)


def test_large_arrays_stay_in_their_file(files, monkeypatch):
    x, _ = files
    monkeypatch.setattr(arrays, "LARGE", 100)
    for source in (nn.NPY("x.npy", y="y.npy"), nn.Arrays("d.npz")):
        data = source.load()
        assert isinstance(data.x, Mapped) and data.x[:].tobytes() == x.tobytes() and data.x.dtype == np.float32
    assert not isinstance(nn.Arrays("packed.npz").load().x, Mapped)
    assert not isinstance(nn.NPY("x.npy", y="y.npy", mapped=False).load().x, Mapped)


@pytest.mark.parametrize(
    "form", [lambda x: x, np.asfortranarray, lambda x: x.astype(">f4"), lambda x: (x * 10).astype(np.int16), lambda x: x.astype(np.float64)]
)
def test_every_form_of_array_is_mapped_as_it_is_read(files, form):
    np.save("other.npy", form(files[0]))
    mapped, whole = (nn.NPY("other.npy", y="y.npy", mapped=mapped).load().x for mapped in (True, False))
    assert isinstance(mapped, Mapped) and np.array_equal(mapped[:], whole) and np.array_equal(whole, form(files[0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_training_on_mapped_rows_is_byte_for_byte_that_on_rows_in_memory(files, tmp_path, dtype):

    found = []
    for mapped in ("true", "false"):
        (tmp_path / "c.yaml").write_text(
            f"data: {{type: NPY, path: x.npy, y: y.npy, mapped: {mapped}, validation: 0.25}}\n"
            f"model: [{{type: Dense, units: 8}}, Tanh, {{type: Dense, units: 3}}]\nloss: CrossEntropy\noptimizer: Adam\n"
            f"train: {{epochs: 3, batch_size: 8}}\ndtype: {dtype}\nmetrics: [Accuracy]\n"
        )
        out = tmp_path / mapped
        subprocess.run([sys.executable, "-m", "nnframe.run", "c.yaml", "--out", str(out), "--quiet"], check=True)
        (folder,) = (out / "c").iterdir()
        with np.load(folder / "weights.npz") as weights:
            found.append(((folder / "losses.csv").read_bytes(), {name: weights[name].tobytes() for name in weights}))
    assert found[0] == found[1] and len(found[0][0].splitlines()) == 4


class Double(nn.Transform):
    """Twice as much, and its square beside it."""

    def apply(self, x):
        return np.concatenate([2 * x, x * x], axis=1)

    def names(self):
        return (*self.inputs, *(f"{name}^2" for name in self.inputs))


def test_mapped_rows_are_transformed_as_rows_in_memory_are(files):
    whole, mapped = (
        nn.NPY("x.npy", y="y.npy", mapped=mapped, transforms=[Double(columns=["1"]), nn.Shift(2.0)], validation=0.25, test=0.1).prepare(
            3, test=True
        )
        for mapped in (False, True)
    )
    for part in ("training", "validation", "test"):
        a, b = getattr(whole, part), getattr(mapped, part)
        assert isinstance(b.x, Mapped) and b.x[:].tobytes() == a.x.tobytes() and b.x.dtype == a.x.dtype and b.inputs == a.inputs
        assert b.y.tobytes() == a.y.tobytes()
    assert mapped.inputs_of(dict.fromkeys("01234", 0.5)).tobytes() == whole.inputs_of(dict.fromkeys("01234", 0.5)).tobytes()


def test_a_truncated_npy_file_is_told(files, tmp_path):
    content = Path("x.npy").read_bytes()
    for size, what in ((len(content) - 7, "is cut short"), (200, "is cut short")):
        Path("x.npy").write_bytes(content[:size])
        with pytest.raises(
            nn.FileError, match=rf"^path: x.npy {what}: \(40, 5\) numbers of float32 make {len(content)} bytes, got {size}; write it again"
        ):
            nn.NPY("x.npy", y="y.npy").load()
    Path("x.npy").write_bytes(content + b"1")
    with pytest.raises(nn.FileError, match=r"^path: x.npy is longer than it should be"):
        nn.NPY("x.npy", y="y.npy").load()
    for content in (b"", b"\x93NUMPY", b"\x93NUMPY\1\0\xff\xff", b"a,b\n1,2\n", b"\x93NUMPY\1\0\x0c\0__import__()"):
        Path("x.npy").write_bytes(content)
        with pytest.raises(nn.FileError, match=r"^path: x.npy is not an npy file of plain numbers"):
            nn.NPY("x.npy", y="y.npy").load()


def test_mistakes_in_npy_files(files):
    np.save("o.npy", np.array([print], object), allow_pickle=True)
    np.save("few.npy", np.arange(3))
    np.save("flat.npy", np.arange(ROWS))
    np.save("negative.npy", -np.ones(ROWS, int))
    np.save("words.npy", np.array(["a"] * ROWS))
    np.save("nan.npy", np.full(ROWS, np.nan))
    np.save("inf.npy", np.where(np.arange(ROWS)[:, None] == 7, -np.inf, np.ones((ROWS, 2))))
    for options, error, words in [
        ({"path": "o.npy", "y": "y.npy"}, nn.FileError, r"^path: o.npy holds Python objects, which are never unpickled"),
        (
            {"path": "x.npy", "y": "few.npy"},
            nn.DataError,
            r"x.npy: expected x \(rows, ...\), and as many rows of everything, got x.npy \(40, 5\), few.npy \(3,\)",
        ),
        ({"path": "flat.npy", "y": "y.npy"}, nn.DataError, r"expected x \(rows, ...\), got flat \(40,\)"),
        ({"path": "x.npy", "y": "negative.npy"}, nn.DataError, r"^y: negative.npy: expected classes from 0 in 'negative', got -1"),
        ({"path": "x.npy", "y": "words.npy"}, nn.DataError, r"^y: words.npy: expected numbers, got <U1"),
        ({"path": "x.npy", "y": "nan.npy"}, nn.DataError, r"^y: nan.npy: expected finite numbers in 'nan', got nan at \[0\]"),
        ({"path": "x.npy", "y": "y.npy", "weight": "nan.npy"}, nn.DataError, r"^weight: nan.npy: expected finite numbers"),
        ({"path": "inf.npy", "y": "y.npy"}, nn.DataError, r"^x: inf.npy: expected finite numbers in 'inf', got -inf at \[7, 0\]"),
        ({"path": "x.npy", "y": "z.npy"}, nn.FileError, r"^y: there is no file z.npy"),
    ]:
        with pytest.raises(error, match=words):
            nn.NPY(**options).load()
    with pytest.raises(nn.DataError, match=r"^inputs: row 7: column '0': expected a finite number, got -inf"):
        nn.NPY("inf.npy", y="y.npy", mapped=True).prepare(0)


def test_nan_in_x_is_missing_until_it_is_filled(files):
    x, y = files
    x = x.copy()
    x[3, 2] = np.nan
    np.save("x.npy", x)
    np.savez("d.npz", x=x, y=y)
    for source in (nn.NPY("x.npy", y="y.npy"), nn.NPY("x.npy", y="y.npy", mapped=True), nn.Arrays("d.npz")):
        assert np.isnan(source.load().x[3, 2] if not isinstance(source.load().x, Mapped) else source.load().x[[3]][0, 2])
        with pytest.raises(nn.DataError, match=r"^inputs: row 3: column '2': expected a finite number, got an empty cell or nan"):
            source.prepare(0)


def test_a_stored_member_that_is_not_where_it_should_be(files, monkeypatch):
    monkeypatch.setattr(arrays, "LARGE", 100)
    content = bytearray(Path("d.npz").read_bytes())
    content[0] = 0
    Path("d.npz").write_bytes(content)
    with pytest.raises(nn.FileError, match=r"^path: d.npz"):
        nn.Arrays("d.npz").load()


# ------------------------------------------------------------------------------------------ IDX


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


IMAGES, LABELS = np.arange(5 * 2 * 3).reshape(5, 2, 3) * 8, np.array([1, 0, 2, 2, 1])


@pytest.fixture(params=["", ".gz"])
def mnist(request, tmp_path):
    found = []
    for name, array in (("images-ubyte", IMAGES), ("labels-ubyte", LABELS)):
        content = idx(array)
        found.append(tmp_path / f"{name}{request.param}")
        found[-1].write_bytes(gzip.compress(content) if request.param else content)
    return found


def test_idx(mnist):
    data = nn.IDX(*mnist).load()
    assert data.x.dtype == np.float32 and data.x.tobytes() == (IMAGES.reshape(5, 6) / np.float32(255)).astype(np.float32).tobytes()
    assert data.y.tolist() == LABELS.tolist() and data.classes == ("0", "1", "2")
    assert data.inputs == ("pixel_0_0", "pixel_0_1", "pixel_0_2", "pixel_1_0", "pixel_1_1", "pixel_1_2")
    image = nn.IDX(*mnist, image=True).load()
    assert image.x.shape == (5, 2, 3, 1) and image.x.tobytes() == data.x.tobytes() and image.inputs == ()
    nn.IDX(*mnist, image=True, transforms=[nn.Standardize()], validation=0.4).prepare(0)


def test_mistakes_in_idx_files(mnist, tmp_path):
    images, labels = mnist
    with pytest.raises(nn.DataError, match=r"^images: .*expected an IDX file of images, which begins with 0 0 8 3, got 0 0 8 1"):
        nn.IDX(labels, images).load()
    packed = images.suffix == ".gz"
    (tmp_path / "few").write_bytes(idx(LABELS[:3]))
    with pytest.raises(nn.DataError, match=r"^labels: .*few: expected as many labels as .* has images, 5, got 3"):
        nn.IDX(images, tmp_path / "few").load()
    content = idx(IMAGES)
    for cut, words in ((content[:-4], r"is cut short: 5 x 2 x 3 bytes make 30, got 26"), (content + b"12", "is longer than it should be"), (content[:9], "expected an IDX file"), (b"", "expected an IDX file of images, .*got nothing")):  # fmt: skip
        images.write_bytes(gzip.compress(cut) if packed else cut)
        with pytest.raises(nn.DataError, match=f"^images: .*{words}"):
            nn.IDX(images, labels).load()
    images.write_bytes(gzip.compress(content)[:-12])
    with pytest.raises(nn.FileError, match=r"^images: .*is cut short or damaged"):
        nn.IDX(images, labels).load()
    images.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**31, 2**31))
    with pytest.raises(nn.FileError, match=r"larger than this machine's memory"):
        nn.IDX(images, labels).load()
    images.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 0, 2, 2))
    with pytest.raises(nn.DataError, match=r"expected at least one row and pixel, got 0 x 2 x 2"):
        nn.IDX(images, labels).load()
    images.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**15, 2**6, 2**6)))
    with pytest.raises(nn.FileError, match=r"claims 134,217,728 bytes in .*; if it is meant so, unpack it"):
        nn.IDX(images, labels).load()


# ------------------------------------------------------------------------------------------ what comes with the package

INCLUDED = {  # rows, inputs, classes
    nn.Gender: (4, 2, ("M", "F")),
    nn.Iris: (150, 4, ("setosa", "versicolor", "virginica")),
    nn.Wine: (178, 13, ("cultivar 1", "cultivar 2", "cultivar 3")),
    nn.BreastCancer: (569, 30, ("benign", "malignant")),
    nn.Diabetes: (442, 10, ()),
    nn.Digits: (1797, 64, tuple("0123456789")),
}
SUMS = {  # of all inputs and of the target, by scikit-learn 1.9.1
    nn.Iris: [2078.7, 150.0],
    nn.Wine: [159975.295999, 167.0],
    nn.Diabetes: [276404.2336, 67243.0],
    nn.BreastCancer: [1056474.4596356, 212.0],
}
FOLDER = Path(arrays.__file__).with_name("included")


@pytest.mark.parametrize("kind", INCLUDED)
def test_included_data(kind):
    data, (rows, inputs, classes) = kind().load(), INCLUDED[kind]
    assert data.x.shape == (rows, inputs) and len(data.inputs) == inputs and data.classes == classes and len(data.y) == rows
    if kind in SUMS:
        np.testing.assert_allclose([data.x.sum(), data.y.sum()], SUMS[kind], rtol=1e-12)
    assert str(rows) in kind.__doc__.replace(",", "") and data.notes == ()


def test_the_folder_says_where_each_file_is_from():
    readme = (FOLDER / "README.md").read_text()
    found = sorted(path.name for path in FOLDER.glob("*.csv"))
    assert len(found) == 5 and all(f"`{name}`" in readme for name in found)
    configs = Path(__file__).parents[2] / "configs" / "data"
    for name in ("gender.csv", "iris.csv"):
        assert list(csv.reader((FOLDER / name).read_text().splitlines())) == list(csv.reader((configs / name).read_text().splitlines()))


def test_digits_as_images():
    flat, image = nn.Digits().load(), nn.Digits(image=True).load()
    assert image.x.shape == (1797, 8, 8, 1) and image.x.tobytes() == flat.x.tobytes() and image.inputs == ()
