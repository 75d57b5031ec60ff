from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from digitscope.errors import DataError
from digitscope.models.inputs import network_input


def test_every_form_becomes_float32_with_a_channel() -> None:
    levels = np.arange(784, dtype=np.uint16).reshape(28, 28) % 256
    wanted = (levels / 255).astype(np.float32)[None, ..., None]
    image = levels.astype(np.uint8)
    for form in (image, image[None], image[None, ..., None], image / 255, (image / 255).astype(np.float16)):
        found = network_input(form)
        assert found.dtype == np.float32 and found.shape == (1, 28, 28, 1)
        np.testing.assert_allclose(found, wanted, atol=1e-3 if form.dtype == np.float16 else 1e-7)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((28, 27), np.uint8), r"\(28, 27\)"),
        (np.zeros((1, 28, 28, 3), np.uint8), r"\(1, 28, 28, 3\)"),
        (np.zeros((28, 28), np.int64), "int64"),
        (np.full((28, 28), 255.0), "divide by 255"),
        (np.full((28, 28), np.nan), "0..1"),
        ([[1], [1, 2]], "not an array .*give .n, 28, 28."),
        ([np.zeros((28, 28), np.uint8), np.zeros((28, 27), np.uint8)], "not an array"),
        ("seven", "shape"),
    ],
)
def test_images_that_do_not_fit_are_refused(x: npt.ArrayLike, words: str):
    with pytest.raises(DataError, match=words):
        network_input(x)
