"""The state of a run folder follows from the files in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from digitscope.experiments.run import Run
from digitscope.experiments.state import CHECKPOINT, RUN_FILES, difference, foreign_file, recipe_settings, state_of
from digitscope.training.recipes import RECIPES

CONFIG = json.dumps({"recipe": {}, "seed": 0, "data_sha256": ""})


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({}, "empty"),
        ({"notes.txt": "mine"}, "foreign"),
        ({"0/a.png": "a digit"}, "foreign"),
        ({".gitkeep": "", "logs/.x": ""}, "empty"),
        ({"config.json": CONFIG, "notes.txt": "mine"}, "empty"),
        ({"config.json": CONFIG}, "empty"),
        ({"config.json": CONFIG, "model.onnx": ""}, "empty"),
        ({"config.json": CONFIG, CHECKPOINT: ""}, "unfinished"),
        ({"config.json": CONFIG, CHECKPOINT: "", "metrics.json": "{}"}, "unfinished"),
        ({"config.json": CONFIG, "metrics.json": "{}"}, "finished"),
        ({"config.json": '{"recipe": 1}'}, "foreign"),
        ({"config.json": "[]"}, "foreign"),
        *[({name: ""}, "foreign") for name in RUN_FILES[3:]],
    ],
)
def test_the_state_follows_from_the_files(files: dict[str, str], state: str, tmp_path: Path):
    folder = tmp_path / "run"
    assert state_of(folder) == "empty"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    assert state_of(folder) == state
    assert Run(folder).finished == (state == "finished")
    assert (foreign_file(folder) in files) == (state == "foreign")


def test_only_the_recipes_name_is_told_where_it_differs():
    classic, seed = (recipe_settings(RECIPES[name]) for name in ("classic", "seed"))
    assert difference(classic, classic) is None
    assert difference(classic, seed) == ("recipe=classic", "recipe=seed")
    assert difference(classic | {"ema": None, "seed": 0}, classic | {"ema": 0.9, "seed": 1}) == (
        "ema=none, seed=0", "ema=0.9, seed=1",
    )  # fmt: skip
    assert difference({}, {"seed": 1}) == ("seed=none", "seed=1"), "an older record may lack a setting"
