"""Folders of figures hold every figure, and nothing outside them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitscope.datasets.load import load_dataset
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, DataError
from digitscope.models.lens import look
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import load
from digitscope.plots.write import write_data_figures, write_evaluation_figures, write_look
from small_network import small_network


def test_write_look(tmp_path: Path) -> None:
    image = load_mnist()[1][0][4]
    reports: list[tuple[int, int]] = []
    paths = write_look(
        load("classic"),
        image,
        tmp_path / "look",
        title="A $4$ from <test> & co",
        progress=lambda stage, done, total, facts: reports.append((done, total)),
    )
    assert reports == [(done, 19) for done in range(1, 20)]
    names = [path.name for path in paths]
    assert names[:4] == ["overview.svg", "overview.png", "architecture.svg", "architecture.png"]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "look").iterdir())
    assert {"00-input.png", "01-conv1-filters.svg", "04-pool2-maps.png", "07-softmax.svg", "numbers.npz"} <= set(names)
    for path in paths:
        if path.suffix == ".svg":
            text = path.read_text(encoding="utf-8")
            assert text.lstrip().startswith("<?xml")
            assert len(text) < 600_000
            assert not re.search(r'(?:href|src)="https?:', text)
        elif path.suffix == ".png":
            with Image.open(path) as picture:
                assert picture.width == 1650
    lens = look(load("classic"), image)
    with np.load(tmp_path / "look" / "numbers.npz", allow_pickle=False) as numbers:
        assert len(numbers.files) == 8 + 4
        for layer in lens.layers:
            np.testing.assert_array_equal(numbers[f"{layer.name}.values"], layer.values)
        np.testing.assert_array_equal(numbers["softmax.sums"], lens.layer("softmax").sums)


def test_write_look_keeps_odd_names_inside_the_folder(tmp_path: Path) -> None:
    session = small_network("valid", "max_pooling2d")
    session.layers[1]["name"] = "..$x$: <b>"
    model: Any = SimpleNamespace(session=session)
    paths = write_look(model, np.zeros((28, 28), np.uint8), tmp_path / "look")
    assert "01-..$x$: <b>-maps.png" not in (names := [path.name for path in paths])
    assert "01----x----b--maps.png" in names
    assert all(path.parent == tmp_path / "look" and path.is_file() for path in paths)
    with pytest.raises(DataError):
        write_look(model, np.zeros((3, 3), np.uint8), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"file cannot be written \(.+\); give another folder$"):
        write_look(model, np.zeros((28, 28), np.uint8), tmp_path / "file")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    dataset = load_dataset("mnist")
    evaluation = evaluate_predictions(np.eye(10)[dataset.y_test[:50]], dataset.y_test[:50])
    (tmp_path / "file").write_text("mine")
    for write in (
        lambda: write_data_figures(dataset, 0, tmp_path / "file"),
        lambda: write_evaluation_figures(evaluation, dataset, tmp_path / "file"),
    ):
        with pytest.raises(ConfigError, match=r"file cannot be written \(.+\); give another folder$"):
            write()
    assert (tmp_path / "file").read_text() == "mine"
