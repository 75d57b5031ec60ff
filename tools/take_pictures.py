"""Take the README's two pictures of the page: the network with a drawn 3, and one of its maps.

Usage: python tools/take_pictures.py   (needs Chromium and Playwright)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from digitscope.models.model import load
from digitscope.web.lens.bundle import write_page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium, opened  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 1440, "height": 900}
THREE = ((0.33, 0.26), (0.42, 0.18), (0.52, 0.16), (0.62, 0.2), (0.68, 0.29), (0.64, 0.4), (0.54, 0.48),
         (0.64, 0.52), (0.71, 0.6), (0.71, 0.72), (0.62, 0.82), (0.5, 0.86), (0.39, 0.82), (0.32, 0.75))  # fmt: skip
"""Where the pen goes, in sides of the pad."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, opened(browser, viewport=SIZE) as page:
        page.goto(write_page(load("classic"), Path(folder) / "lens.html").as_uri())
        pad = page.locator("canvas").first.bounding_box()
        places = [(pad["x"] + x * pad["width"], pad["y"] + y * pad["height"]) for x, y in THREE]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        page.mouse.up()
        page.mouse.move(890, 300, steps=3)
        page.wait_for_timeout(700)
        page.screenshot(path=PICTURES / "page-network.png")
        page.mouse.click(890, 300)
        page.wait_for_timeout(1200)
        page.screenshot(path=PICTURES / "page-map.png")
    for name in ("page-network.png", "page-map.png"):
        sys.stdout.write(f"wrote docs/pictures/{name}\n")


if __name__ == "__main__":
    main()
