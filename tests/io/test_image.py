"""Any file or array becomes plain pixels, or one sentence that says why not."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps, PngImagePlugin

from digitscope.errors import ImageError
from digitscope.io.image import load_picture
from digitscope.io.pixels import LARGEST_PIXELS

EXIF_ORIENTATION = 0x0112


def scene() -> Image.Image:
    """A picture 60 wide, 40 high, without symmetry: dark red left of a light blue field, a green spot above."""
    pixels = np.full((40, 60, 3), (150, 190, 240), np.uint8)
    pixels[:, :20] = (120, 20, 30)
    pixels[:10, 40:50] = (20, 130, 40)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@cache
def samples() -> dict[str, bytes]:
    """A small file of every kind, by name."""
    rgb, grey = scene(), scene().convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    return {
        "png": encoded(rgb, "PNG"),
        "png grey": encoded(grey, "PNG"),
        "png 1 bit": encoded(grey.convert("1"), "PNG"),
        "png palette": encoded(rgb.quantize(8), "PNG"),
        "png alpha": encoded(rgb.convert("RGBA"), "PNG"),
        "png 16 bit": encoded(deep, "PNG"),
        "jpeg": encoded(rgb, "JPEG", quality=95),
        "jpeg grey": encoded(grey, "JPEG"),
        "jpeg cmyk": encoded(rgb.convert("CMYK"), "JPEG", quality=95),
        "jpeg exif": encoded(rgb, "JPEG", exif=orientation(6)),
        "bmp": encoded(rgb, "BMP"),
        "tiff": encoded(rgb, "TIFF"),
        "tiff packed": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "tiff 16 bit": encoded(deep, "TIFF"),
        "tiff float": encoded(Image.fromarray(np.asarray(grey, np.float32) / 255), "TIFF"),
        "tiff cmyk": encoded(rgb.convert("CMYK"), "TIFF"),
        "webp": encoded(rgb, "WEBP", quality=95),
        "webp alpha": encoded(rgb.convert("RGBA"), "WEBP", lossless=True),
        "gif": encoded(rgb, "GIF"),
    }


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = value
    return exif


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)


@pytest.mark.parametrize("name", samples())
def test_every_kind_of_file_shows_the_same_scene(name):
    picture = load_picture(samples()[name])
    pixels = picture.pixels
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous
    if name == "jpeg exif":
        assert (picture.width, picture.height) == (40, 60)
        pixels = np.rot90(pixels)
    else:
        assert (picture.width, picture.height) == (60, 40)
    grey = pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))
    expected = np.asarray(scene().convert("L"), np.float32)
    assert abs(grey[12:38, 2:18].mean() - expected[12:38, 2:18].mean()) < (60 if "1 bit" in name else 8)
    assert abs(grey[12:38, 22:58].mean() - expected[12:38, 22:58].mean()) < (60 if "1 bit" in name else 8)


@pytest.mark.parametrize("value", range(1, 9))
def test_exif_orientation_as_pillow_turns_it(value):
    content = encoded(scene(), "PNG", exif=orientation(value))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    picture = load_picture(content)
    assert np.array_equal(picture.pixels, np.asarray(upright))
    assert (picture.width, picture.height) == upright.size


def test_a_damaged_exif_block_does_not_hide_the_orientation():
    text_for_a_ratio = struct.pack("<HHI4s", 0x011A, 2, 4, b"abc\0")  # Pillow reads this entry, but cannot write it
    for entry in (text_for_a_ratio, struct.pack("<HHIi", 0x0101, 9, 1, -2)):
        turn = struct.pack("<HHIHH", EXIF_ORIENTATION, 3, 1, 6, 0)
        block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + turn + entry + bytes(4)
        picture = load_picture(encoded(scene(), "PNG", exif=block))
        assert (picture.width, picture.height) == (40, 60)
        assert np.array_equal(np.rot90(picture.pixels), np.asarray(scene()))


def test_a_path_bytes_a_pil_image_and_an_array_are_the_same(tmp_path):
    path = tmp_path / "scene.png"
    path.write_bytes(samples()["png"])
    expected = np.asarray(scene())
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), scene(), expected):
        assert np.array_equal(load_picture(source).pixels, expected)


@pytest.mark.parametrize("form", ["GIF", "TIFF"])
def test_the_first_frame_counts(form):
    pages = [Image.new("L", (30, 20), level) for level in (10, 250)]
    content = encoded(pages[0], form, save_all=True, append_images=pages[1:])
    assert load_picture(content).pixels.max() < 30


def test_arrays_of_every_accepted_type():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for array in (
        levels,
        levels.astype(np.uint16) * 257,
        levels / 255,
        (levels / 255).astype(np.float32),
        levels[..., None],
    ):
        assert np.array_equal(load_picture(array).pixels, levels)
    assert set(load_picture(levels > 100).pixels.ravel()) == {0, 255}
    twelve_bits = np.array([[0, 4095], [2048, 1024]], np.uint16)
    assert load_picture(twelve_bits).pixels.tolist() == [[0, 255], [127, 63]]
    assert np.array_equal(load_picture(np.stack([levels] * 3, 2)[::-1]).pixels[..., 0], levels[::-1])


def test_what_is_transparent_becomes_paper():
    drawing = np.zeros((20, 20, 4), np.uint8)
    drawing[5:15, 9:11, 3] = 255
    assert load_picture(drawing).pixels[0, 0].tolist() == [255, 255, 255], "black pen: white paper"
    drawing[..., :3] = 255
    assert load_picture(drawing).pixels[0, 0].tolist() == [0, 0, 0], "white pen: black paper"
    photo = np.full((20, 20, 4), 200, np.uint8)
    photo[0, 0, 3] = 0
    assert load_picture(photo).pixels[0, 0].tolist() == [200, 200, 200], "a hole in a photo: no edge"
    assert load_picture(np.zeros((20, 20, 4), np.uint8)).pixels.min() == 255, "nothing to be seen: a white sheet"


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_picture_is_reduced_and_remembers_its_size(form):
    picture = load_picture(encoded(scene().resize((2400, 1600)), form, exif=orientation(6)), longest=640)
    assert picture.pixels.shape[:2] == (640, 427)
    assert (picture.width, picture.height) == (1600, 2400)
    assert np.abs(picture.pixels[500, 300].astype(int) - (150, 190, 240)).max() < 6


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((5, 5, 2), np.uint8),
        np.zeros((2, 5, 5, 3), np.uint8),
        np.zeros((5, 5), np.int64),
        np.zeros((5, 5), complex),
        np.full((5, 5), "a"),
        np.full((5, 5), None),
        np.full((5, 5), np.nan),
        np.full((5, 5), np.inf),
        np.full((5, 5), 1.5),
        np.full((5, 5), -0.1),
        np.broadcast_to(np.uint8(0), (20_000, 20_000)),
    ],
    ids=lambda array: f"{array.dtype} {array.shape} {array.ravel()[0] if array.size else ''}",
)
def test_unusable_arrays(array):
    with pytest.raises(ImageError, match=r"; expected|expected at most"):
        load_picture(array)


@pytest.mark.parametrize("source", [None, 3, [1, 2], object(), io.BytesIO(b"")])
def test_what_is_no_image_at_all(source):
    with pytest.raises(ImageError, match="expected a path"):
        load_picture(source)


def test_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        load_picture(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="is a folder"):
        load_picture(tmp_path)
    with pytest.raises(ImageError, match=r"'a\\x00\\nb' does not exist"):
        load_picture("a\0\nb")
    with pytest.raises(ImageError, match="is not a regular file"):
        load_picture(os.devnull)
    with pytest.raises(ImageError):
        load_picture("x" * 5000)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(samples()["png"])

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(ImageError, match="Permission denied"):
        load_picture(path)


@pytest.mark.parametrize("side", [10_001, 20_000, 100_000, 2_000_000_000])
def test_bombs_are_refused_by_their_header(side):
    bomb = png(header(side, side), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    with pytest.raises(ImageError, match=f"{LARGEST_PIXELS:,} pixels") as error:
        load_picture(bomb)
    assert "\n" not in str(error.value)


def test_a_bomb_of_text_beside_the_pixels():
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * 50_000_000, zip=True)
    with pytest.raises(ImageError, match="cannot be decoded"):
        load_picture(encoded(scene(), "PNG", pnginfo=info))


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1), (3, 5000)])
def test_extreme_sizes_are_still_pictures(size):
    for form in ("PNG", "TIFF"):
        picture = load_picture(encoded(Image.new("L", size, 9), form), longest=640)
        assert (
            (picture.width, picture.height) == size and picture.pixels.min() == 9 and max(picture.pixels.shape) <= 640
        )


def test_postscript_stays_shut():
    with pytest.raises(ImageError, match="convert it first"):
        load_picture(encoded(scene(), "EPS"))


@pytest.mark.parametrize("name", samples())
def test_a_truncated_file_is_damaged_or_still_whole(name):
    content = samples()[name]
    for length in range(0, len(content), max(1, len(content) // 40)):
        outcome(content[:length])


RESIDENT = """
import gc, io, sys
from PIL import Image
from digitscope.io.document import scans
gc.disable()
file = io.BytesIO()
Image.new("RGB", (4000, 4000)).save(file, "WEBP", lossless=True)
damaged = file.getvalue()[:-8] + bytes(8)
for _ in range(8):
    assert "is damaged" in [scan.error for scan in scans(damaged, 200)][0]
print(max(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what memory a process takes")
def test_what_is_damaged_does_not_stay_in_memory():
    run = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 350_000  # kB; with one picture of 64 MB and its decoder some 220, with eight more than 500


PEAK = """
import sys
from digitscope.io.document import scans
def peak():
    return max(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
assert [scan.error for scan in scans(sys.argv[1], 200)] == [None]
print((peak() - before) * 1024 / 6000**2)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what memory a process takes")
def test_a_large_picture_is_in_memory_once_as_pillow_has_it_and_once_as_pixels(tmp_path: Path):
    Image.new("RGBA", (6000, 6000)).save(tmp_path / "a.png", compress_level=1)
    words = [sys.executable, "-c", PEAK, str(tmp_path / "a.png")]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert float(run.stdout) < 9.5  # bytes a pixel: 4 and 3, and what is converted at a time


def test_a_webp_is_refused_at_half_the_pixels(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("digitscope.io.image.LARGEST_WEBP", 2000)
    assert load_picture(encoded(scene(), "PNG")).width == 60
    with pytest.raises(ImageError, match="60x40 px; expected at most 2,000 pixels"):
        load_picture(encoded(scene(), "WEBP"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
@example(b"")
def test_random_bytes(content):
    with pytest.raises(ImageError):
        load_picture(content)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(sorted(samples())),
    st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_files_with_wrong_bytes(name, changes):
    content = bytearray(samples()[name])
    for position, value in changes:
        content[position % len(content)] = value
    outcome(bytes(content))


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.bool_, np.float32, np.float64, np.int16]),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6),
    )
)
def test_random_arrays(array):
    outcome(array)


def outcome(source) -> None:
    """Pixels, or the package's own error in one line; never a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels = load_picture(source, longest=640).pixels
        except ImageError as error:
            assert "\n" not in str(error) and len(str(error)) < 500
        else:
            assert pixels.dtype == np.uint8 and pixels.ndim in (2, 3) and 0 < max(pixels.shape[:2]) <= 640
