"""Fits that take long: each goes on after its last finished epoch when its program is started again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import results

from digitscope.arraytypes import Images, Labels
from digitscope.backend import keras
from digitscope.progress import Progress
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.fit import Execution, Fitted, fit
from digitscope.training.recipes import Recipe

FOLDER = Path(__file__).parent.parent / "runs" / "fits"


def saved_fit(recipe: Recipe, images: Images, labels: Labels, seed: int, progress: Progress | None = None) -> Fitted:
    """``training.fit.fit``, with its state after every epoch in a file until the fit is finished.

    The name of the file follows from all that decides the outcome, so that nothing else goes on from there.
    """
    path = FOLDER / f"{name_of(recipe, images, labels, seed)}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = Checkpoint.read(path) if path.exists() else None
    fitted = fit(
        recipe, images, labels, seed, progress=progress, resume_from=begun, after_epoch=lambda c: c.write(path)
    )
    path.unlink(missing_ok=True)
    return fitted


def name_of(recipe: Recipe, images: Images, labels: Labels, seed: int) -> str:
    """A name that only this fit on this kind of machine has."""
    execution = results.plain(Execution.for_this_machine(recipe))
    decisive = hashlib.sha256(json.dumps([results.plain(recipe), execution, seed]).encode())
    decisive.update(images.tobytes())
    decisive.update(labels.tobytes())
    return f"{recipe.name}-{seed}-{decisive.hexdigest()[:12]}"


def where() -> dict[str, str]:
    """The backend and the device on which networks are fitted here, for the row of a result."""
    return {"backend": keras.backend.backend(), "device": keras.distribution.list_devices()[0]}
