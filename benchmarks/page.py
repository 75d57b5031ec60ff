"""Measure the page in headless Chromium: how fast it follows the pen, how large it is, how well it reads drawings.

The browser takes the times itself: from the move of the pen to the answer, and on to all maps being drawn. Run it on an
idle machine.

Usage: python benchmarks/page.py [--model NAME]
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import results

from digitscope.models.model import load
from digitscope.web.lens.bundle import page_files, write_page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser import chromium
from stroke_models import digits, others
from stroke_raster import Stroke

SIZE = {"width": 1440, "height": 900}
STROKES = 1000

READ = """(drawings) => drawings.map((strokes) => {
  const run = Digitscope.run(Digitscope.app.model, Digitscope.raster(strokes).field);
  return [run.probabilities.indexOf(Math.max(...run.probabilities)), run.refused];
})"""

DRAWN = """() => {
  globalThis.drawn = async (act) => {
    const app = Digitscope.app;
    app.timing = {};
    act(app);
    while (!app.timing.drawn) await new Promise((next) => setTimeout(next));
    const { asked, answered, drawn } = app.timing;
    return [answered - asked, drawn - answered, drawn - asked];
  };
}"""

DRAW = """async (drawings) => {
  const times = [];
  for (const strokes of drawings) {
    const [first] = strokes;
    for (let end = 2; end <= first.points.length; end += 2) {
      const drawing = { strokes: [{ ...first, points: first.points.slice(0, end) }] };
      times.push(await drawn((app) => app.preview(drawing)));
    }
    await drawn((app) => app.keep({ strokes }));
  }
  return times;
}"""

KEEP = """async ([drawings, count]) => {
  for (let i = 0; i < count; i++) await drawn((app) => app.keep({ strokes: drawings[i % drawings.length] }));
}"""


def plain(strokes: list[Stroke]) -> list[dict[str, Any]]:
    """Strokes as the page takes them."""
    return [{"points": list(s.points), "width": s.width, "erase": s.erase} for s in strokes]


def spread(milliseconds: np.ndarray) -> dict[str, float]:
    """Median, 95th percentile and maximum of some times."""
    return {
        "median": round(float(np.median(milliseconds)), 2),
        "p95": round(float(np.percentile(milliseconds, 95)), 2),
        "largest": round(float(milliseconds.max()), 2),
    }


def reading(page: Any) -> dict[str, Any]:
    """How well the drawings of tests/stroke_models.py are read and refused."""
    drawn, odd = digits(10), others()
    answers = page.evaluate(READ, [plain(made) for _, _, made in drawn])
    right = [answer == digit for (digit, _, _), (answer, _) in zip(drawn, answers, strict=True)]
    kept = [not refused for _, refused in answers]
    refused = [refused for _, refused in page.evaluate(READ, [plain(made) for _, made in odd])]
    return {
        "digits": len(drawn),
        "right": float(np.mean(right)),
        "right_and_not_refused": float(np.mean(np.logical_and(right, kept))),
        "others": len(odd),
        "refused": float(np.mean(refused)),
        "let_through": [name for (name, _), was in zip(odd, refused, strict=True) if not was],
    }


def speed(page: Any) -> dict[str, Any]:
    """Times of every move of the pen, and memory after many strokes."""
    drawings = [plain(made) for _, _, made in digits(1)]
    page.evaluate(DRAWN)
    page.evaluate(DRAW, drawings[:5])
    times = np.array(page.evaluate(DRAW, drawings))
    inspector, heap = page.context.new_cdp_session(page), []
    inspector.send("Performance.enable")
    for _ in range(5):
        page.evaluate(KEEP, [drawings, STROKES // 5])
        page.request_gc()
        found = inspector.send("Performance.getMetrics")["metrics"]
        heap.append(next(int(metric["value"]) for metric in found if metric["name"] == "JSHeapUsedSize"))
    return {
        "moves": len(times),
        "pen_to_answer_ms": spread(times[:, 0]),
        "maps_drawn_ms": spread(times[:, 1]),
        "pen_to_drawn_ms": spread(times[:, 2]),
        "heap_bytes_in_turn": heap,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="classic")
    name = parser.parse_args().model
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        start = time.perf_counter()
        path = write_page(load(name), Path(folder) / "lens.html")
        written = time.perf_counter() - start
        page = browser.new_page(viewport=SIZE)
        start = time.perf_counter()
        page.goto(path.as_uri())
        while not page.evaluate("globalThis.Digitscope?.app !== undefined"):
            time.sleep(0.01)
        opened = time.perf_counter() - start
        code = b"".join(content for file, content in page_files().items())
        figures = {
            "model": name,
            "browser": browser.version,
            "viewport": SIZE,
            "write_seconds": round(written, 2),
            "open_seconds": round(opened, 2),
            "bytes": path.stat().st_size,
            "code_bytes_gzip": len(gzip.compress(code)),
            "speed": speed(page),
            "reading": reading(page),
        }
    print(figures)
    results.write("page", figures)


if __name__ == "__main__":
    main()
