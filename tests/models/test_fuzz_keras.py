"""Damaged and hostile `.keras` files and checkpoints: one sentence or a network, and no room for weights not there."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damage import damaged, distorted, tally
from digitscope.errors import DataError, ModelError

keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

from digitscope.models import export_onnx  # noqa: E402
from digitscope.training import networks  # noqa: E402
from digitscope.training.checkpoint import Checkpoint  # noqa: E402
from digitscope.training.recipes import recipe_of  # noqa: E402


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("keras") / "small.keras"
    networks.build(recipe_of("seed", {"filters": "2,2", "dense": 3})).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_damaged_keras_files(parts: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export_onnx, "onnx_bytes", lambda network: b"")  # what is loaded is exported elsewhere
    path, config = tmp_path / "a.keras", json.loads(parts["config.json"])

    def read(seed: int) -> None:
        bad = dict(parts)
        if seed % 3 == 0:
            bad["config.json"] = json.dumps(distorted(config, seed)).encode()
        if seed % 3 == 1:
            bad["model.weights.h5"] = damaged(parts["model.weights.h5"], seed)
        path.write_bytes(zipped(bad) if seed % 3 < 2 else damaged(zipped(parts), seed))
        export_onnx.onnx_of_keras_file(path)

    found = tally(75, read)
    assert set(found) == {None, "ModelError"}, found


@pytest.mark.parametrize("kind", ["layer", "array"])
def test_weights_that_are_only_announced(kind: str, parts: dict[str, bytes], tmp_path: Path):
    bad, config = dict(parts), json.loads(parts["config.json"])
    if kind == "layer":
        config["config"]["layers"][-2]["config"]["units"] = 10**9
        bad["config.json"] = json.dumps(config).encode()
    else:
        file = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(file, "r+") as weights:
            weights.create_dataset("more", shape=(10**10,), dtype="f4", chunks=(10**6,), compression="gzip")
        bad["model.weights.h5"] = file.getvalue()
    (tmp_path / "a.keras").write_bytes(zipped(bad))

    def read(_: int) -> None:
        with pytest.raises(ModelError, match=r"announces [\d,]+ weights and holds"):
            export_onnx.onnx_of_keras_file(tmp_path / "a.keras")

    tally(1, read)


@pytest.mark.parametrize(
    "change",
    [
        {"variables": 10**9},
        {"variables": float("inf")},
        {"variables": -1},
        {"variables": "1"},
        {"seconds": []},
        {"history": 1},
    ],
)
def test_checkpoints_that_announce_too_much(change: dict[str, Any], tmp_path: Path):
    told = {"history": [], "seconds": 1.0, "variables": 0} | change
    np.savez(tmp_path / "a.npz", told=np.frombuffer(json.dumps(told).encode(), np.uint8))

    def read(_: int) -> None:
        with pytest.raises(DataError, match="not a checkpoint"):
            Checkpoint.read(tmp_path / "a.npz")

    tally(1, read)
    np.savez(tmp_path / "a.npz", told=np.frombuffer(b"[" * 200_000, np.uint8))
    read(0)


@pytest.mark.parametrize("place", ["layer", "initializer", "activation", "dtype", "network"])
def test_nothing_is_imported_that_is_not_keras(place: str, parts: dict[str, bytes], tmp_path: Path):
    """A gadget: a part of the network that names a function of any module, for Keras to import and call."""
    config = json.loads(parts["config.json"])
    dense = config["config"]["layers"][-1]
    gadget = {"module": "os", "class_name": "function", "registered_name": "function", "config": "system"}
    if place in ("layer", "network"):
        (dense if place == "layer" else config)["module"] = "os"
    else:
        key = {"initializer": "kernel_initializer"}.get(place, place)
        dense["config"][key] = gadget | (
            {"config": [[{"module": "os", "class_name": "system"}]]} if key == "dtype" else {}
        )
    (tmp_path / "a.keras").write_bytes(zipped(parts | {"config.json": json.dumps(config).encode()}))
    with pytest.raises(ModelError, match=r"a\.keras would import os, which is not Keras; refused"):
        export_onnx.onnx_of_keras_file(tmp_path / "a.keras")
