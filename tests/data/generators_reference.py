"""Sets that scikit-learn draws or places, an outside witness. To remake generators_reference.json beside this script:
`pip install scikit-learn==1.9.1`, then `python generators_reference.py`. Each set holds x and y, without noise and unshuffled."""

import json
from pathlib import Path

from sklearn.datasets import make_circles, make_friedman1, make_friedman2, make_friedman3, make_moons


def main():
    sets = {
        "Friedman1": make_friedman1(20, n_features=7, random_state=0),
        "Friedman2": make_friedman2(20, random_state=0),
        "Friedman3": make_friedman3(20, random_state=0),
        "Moons": make_moons(11, shuffle=False),
        "Circles": make_circles(11, shuffle=False, factor=0.3),
    }
    plain = {name: {"x": x.tolist(), "y": y.tolist()} for name, (x, y) in sets.items()}
    Path(__file__).with_suffix(".json").write_text(json.dumps(plain, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
