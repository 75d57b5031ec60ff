"""Take the README's pictures: of the page, animated, and of a report.

In the page a 3 is drawn, every layer follows, and one number is opened. The report is that of a new run of `classic`,
at the window that slides over the digit.

Usage: python tools/take_pictures.py [page] [report]   (both if none is named; needs Chromium, Playwright and Keras)
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from digitscope.experiments.run import train
from digitscope.models.model import load
from digitscope.web.lens.bundle import write_page
from digitscope.web.links import REPORT

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium, opened  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = ROOT / "docs" / "pictures"
VIEWPORT = {"width": 1440, "height": 900}
WIDTH = 1200
"""Of the picture, in pixels: as wide as a README is shown, and a little more for sharp screens."""

CELL = """() => {
  const { app } = Digitscope, { left, top } = app.network.row.getBoundingClientRect();
  const [x, y, width, height] = app.network.place(app.followed, app.interesting(app.followed));
  return [left + x + width / 2, top + y + height / 2]; }"""
"""Where in the viewport the strongest cell of the last convolution is drawn."""

THREE = ((0.33, 0.26), (0.42, 0.18), (0.52, 0.16), (0.62, 0.2), (0.68, 0.29), (0.64, 0.4), (0.54, 0.48),
         (0.64, 0.52), (0.71, 0.6), (0.71, 0.72), (0.62, 0.82), (0.5, 0.86), (0.39, 0.82), (0.32, 0.75))  # fmt: skip
"""The path of the pen, in sides of the pad."""

STEPS = 8
"""Steps of the sliding window that are shown, up to the end of its row."""


class Film:
    """Screenshots of a page with the time each is shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.milliseconds: list[int] = []

    def shoot(self, milliseconds: int) -> None:
        """Add what the page shows now, for this long."""
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        height = round(WIDTH * shot.height / shot.width)
        self.frames.append(shot.resize((WIDTH, height), Image.Resampling.LANCZOS))
        self.milliseconds.append(milliseconds)

    def write(self, path: Path, poster: Image.Image) -> None:
        """Write an animated WebP that repeats for ever; it begins with the poster, all that some viewers show."""
        times = [1500, *self.milliseconds]
        poster.save(path, save_all=True, append_images=self.frames, duration=times, loop=0, quality=72, method=6)


def draw(film: Film) -> None:
    """Draw the 3 with the mouse, one frame for each stretch of the path."""
    mouse, pad = film.page.mouse, film.page.locator("canvas").first.bounding_box()
    assert pad is not None  # noqa: S101
    places = [(pad["x"] + x * pad["width"], pad["y"] + y * pad["height"]) for x, y in THREE]
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=6)
        film.page.wait_for_timeout(150)
        film.shoot(140)
    mouse.up()


def page(path: Path) -> None:
    """The page, animated."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, opened(browser, viewport=VIEWPORT) as page:
        page.goto(write_page(load("classic"), Path(folder) / "lens.html").as_uri())
        film = Film(page)
        draw(film)
        cell = page.evaluate(CELL)
        page.mouse.move(*cell, steps=3)
        page.wait_for_timeout(700)
        film.shoot(2200)
        poster = film.frames[-1]
        page.mouse.click(*cell)
        page.wait_for_timeout(1200)
        film.shoot(1800)
        for _ in range(STEPS):
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(100)
            film.shoot(350)
        film.milliseconds[-1] = 2000
    film.write(path, poster)


def report(path: Path) -> None:
    """The report of a new run, where the window slides over the digit."""
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        opened(browser, viewport=VIEWPORT, reduced_motion="reduce") as page,
    ):
        train("classic", out=Path(folder) / "run", page=True)
        page.goto((Path(folder) / "run" / REPORT).as_uri())
        page.locator("[data-slide=conv]").evaluate("(figure) => figure.scrollIntoView({ block: 'center' })")
        page.wait_for_timeout(700)
        film = Film(page)
        film.shoot(0)
    film.frames[0].save(path, quality=82, method=6)


def main() -> None:
    taken = {"page": page, "report": report}
    for name in sys.argv[1:] or taken:
        target = PICTURES / f"{name}.webp"
        taken[name](target)
        print(f"wrote {target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
