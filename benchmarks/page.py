"""Measure the page: how long it takes to write and to serve it, and, in headless Chromium, how it works.

Writes `results/page.json`: seconds and processor seconds of `digitscope page` for every shipped model, for a run that
was just trained and for a run of version 0.1.0, which has no detector, the first and the second time; where the time
goes; the seconds after which `digitscope serve` answers; then, from the browser, how fast the page follows the pen
(from the move of the pen to the answer, and on to all maps being drawn) and when it first paints, each several times
and with every part of the page open; how soon the reasons for the answer follow; how large it is, and how well it reads
drawings. Run it on an idle machine.

Usage: python benchmarks/page.py [--model NAME] [--runs N] [--browser-only]   (the last prints and writes nothing)
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import results
from busy import Others

from digitscope.models.model import load, shipped
from digitscope.web.lens.bundle import page_files, write_page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser import chromium
from stroke_models import digits, others
from stroke_raster import Stroke

OLD_RUN = Path(__file__).parent.parent / "tests" / "models" / "run-0.1.0"
DIGITSCOPE = str(Path(sys.executable).parent / "digitscope")

STEPS = """
import json, sys, time
marks = [("", 0.0)]

def done(step):
    marks.append((step, time.process_time()))

from digitscope.models.model import load
from digitscope.web.lens import bundle, samples
done("the interpreter and imports")
model = load(sys.argv[1])
done("the model is opened")
data = bundle.load_dataset("mnist")
done("MNIST is read")
network = bundle.page_network(model)
done("layers and weights")
bundle.detector_of(model, data)
done("the detector")
hard = samples.hardest(samples.answers_to(model, data), data)
done("the hardest test images")
bundle.samples(data, [*range(bundle.FIRST), *hard])
samples.patches(model, bundle.layer_views(model.session), data)
done("what excites each filter")
print(json.dumps(marks))
"""

SIZE = {"width": 1440, "height": 900}
STROKES = 1000

READ = """(drawings) => drawings.map((strokes) => {
  const run = Digitscope.run(Digitscope.app.model, Digitscope.raster(strokes).field);
  return [run.probabilities.indexOf(Math.max(...run.probabilities)), run.refused];
})"""

DRAWN = """() => {
  const { app } = Digitscope, take = app.take.bind(app);
  let moved = 0;
  app.take = (run) => take(Object.assign(run, { moved }));
  globalThis.reasons = [];
  if (app.panel?.tell) {
    const panel = app.panel, tell = panel.tell.bind(panel), told = new WeakSet();
    panel.tell = () => {
      tell();
      const { of } = panel.found ?? {};
      if (!of?.moved || told.has(of)) return;
      told.add(of);
      reasons.push(performance.now() - of.moved);
    };
  }
  globalThis.drawn = async (act) => {
    app.timing = {};
    moved = performance.now();
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

INK = """() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 160 });
  const brush = canvas.getContext('2d');
  brush.fillStyle = '#f4f1ea';
  brush.fillRect(0, 0, 320, 160);
  Object.assign(brush, { fillStyle: '#20304a', font: '120px sans-serif' });
  brush.fillText('4 7', 40, 125);
  return Digitscope.app.picture.read(brush.getImageData(0, 0, 320, 160));
}"""

PARTS = {
    "the network": "() => {}",
    "the reasons for the answer": "() => Digitscope.app.openPanel('why')",
    "watch it learn": "() => Digitscope.app.learn.toggle('replay')",
    "train it here": "() => Digitscope.app.learn.toggle('train')",
    "two networks side by side": "() => Digitscope.app.learn.toggle('beside')",
    "digits from a picture": INK,
    "which filter sees which stroke": "() => Digitscope.showStrokes(Digitscope.app)",
    "the map of the last hidden layer": """() => { const { app } = Digitscope;
      Digitscope.showMap(app, app.model.layers.findIndex(({ name }) => name === app.model.map.layer)); }""",
    "where it errs most": "() => Digitscope.app.openPanel('errors')",
    "ten questions": """() => { const { questions } = Digitscope.app;
      questions.open(); questions.go(questions.all.length - 1); }""",
    "a convolution to play with": "() => Digitscope.showToy()",
}
"""What is open in the page while one draws, and how it is opened."""

SETTLED = 1000
"""Milliseconds between opening a part and drawing."""

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"

KEEP = """async ([drawings, count]) => {
  for (let i = 0; i < count; i++) await drawn((app) => app.keep({ strokes: drawings[i % drawings.length] }));
}"""


def seconds(*words: str) -> dict[str, float]:
    """Wall-clock and processor seconds of one run of a command."""
    start = time.perf_counter()
    process = subprocess.Popen([DIGITSCOPE, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    spent = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return {"seconds": round(spent, 2), "processor": round(used.ru_utime + used.ru_stime, 2)}


def writing(folder: Path) -> dict[str, dict[str, float]]:
    """The times of `digitscope page`, by model."""
    run, old, page = folder / "run", folder / "old", str(folder / "lens.html")
    seconds("train", "--recipe", "fast", "--out", str(run))
    shutil.copytree(OLD_RUN, old)
    models = {name: name for name in shipped()} | {"a run of `fast`": str(run)}
    taken = {name: seconds("page", "--model", model, "--out", page) for name, model in models.items()}
    for time_ in ("first", "second"):
        taken[f"a run of version 0.1.0, the {time_} time"] = seconds("page", "--model", str(old), "--out", page)
    return taken


def steps(model: str) -> dict[str, float]:
    """Processor seconds of each step of writing a page."""
    done = subprocess.run([sys.executable, "-c", STEPS, model], check=True, capture_output=True, text=True)
    marks = json.loads(done.stdout)
    return {step: round(end - marks[i][1], 2) for i, (step, end) in enumerate(marks[1:])}


def serving(model: str) -> dict[str, float]:
    """Seconds from the start of `digitscope serve` to its first answer and to the model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen(
        [DIGITSCOPE, "serve", "--model", model, "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    taken = {}
    try:
        for what, path in (("first answer", ""), ("model", "model.json")):
            while what not in taken:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=600) as answer:
                        answer.read()
                    taken[what] = round(time.perf_counter() - start, 2)
                except OSError:
                    time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    return taken


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


def opened(page: Any, address: str) -> float:
    """Open the page; the seconds until it can be used."""
    start = time.perf_counter()
    page.goto(address)
    while not page.evaluate("globalThis.Digitscope?.app !== undefined"):
        time.sleep(0.01)
    return time.perf_counter() - start


def whole_page(name: str, folder: Path) -> str:
    """The address of a page with all that a page can have: a stage of the training, and a second network."""
    model, other = load(name), load("robust")
    return write_page(model, folder / "whole.html", snapshots=[other], beside=[other]).as_uri()


def drawing(browser: Any, address: str, runs: int) -> dict[str, Any]:
    """First paint, and the 95th percentile from pen to answer of every run with each part open; the median of each."""
    drawings, painted = [plain(made) for _, _, made in digits(1)], []
    taken: dict[str, Any] = {}
    for name, opening in PARTS.items():
        answered, followed, moves = [], [], 0
        for _ in range(runs):
            page = browser.new_page(viewport=SIZE)
            opened(page, address)
            page.wait_for_function(f"({PAINTED}) !== null")
            painted.append(round(page.evaluate(PAINTED), 1))
            page.evaluate(opening)
            page.wait_for_timeout(SETTLED)
            page.evaluate(DRAWN)
            page.evaluate(DRAW, drawings[:5])
            page.evaluate("() => { reasons.length = 0; }")
            times = np.array(page.evaluate(DRAW, drawings))[:, 0]
            answered.append(spread(times)["p95"])
            moves += len(times)
            followed += page.evaluate("reasons")
            page.close()
        taken[name] = {"pen_to_answer_p95_ms": answered, "pen_to_answer_p95_ms_median": float(np.median(answered))}
        if followed:
            taken[name]["pen_to_reasons_ms"] = spread(np.array(followed))
            taken[name]["moves_with_reasons"] = round(len(followed) / moves, 3)
        print(name, taken[name], flush=True)
    return {"first_paint_ms": painted, "first_paint_ms_median": float(np.median(painted)), "with_open": taken}


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
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--browser-only", action="store_true")
    given = parser.parse_args()
    name, others = given.model, Others()
    if given.browser_only:
        with tempfile.TemporaryDirectory() as folder, chromium() as browser:
            print(drawing(browser, whole_page(name, Path(folder)), given.runs))
        return
    with tempfile.TemporaryDirectory() as folder:
        timed = {
            "writing": writing(Path(folder)),
            "steps_processor_seconds": {each: steps(each) for each in shipped()},
            "serving": {each: serving(each) for each in shipped()},
            "beside_other_work": others.busy,  # a browser's own processes would count as others
        }
        print(timed, flush=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = write_page(load(name), Path(folder) / "lens.html")
        page = browser.new_page(viewport=SIZE)
        seconds_to_open = opened(page, path.as_uri())
        code = b"".join(content for file, content in page_files().items() if not file.endswith(".json"))
        figures = timed | {
            "model": name,
            "browser": browser.version,
            "viewport": SIZE,
            "open_seconds": round(seconds_to_open, 2),
            "bytes": path.stat().st_size,
            "code_bytes_gzip": len(gzip.compress(code)),
            "speed": speed(page),
            "drawing": drawing(browser, whole_page(name, Path(folder)), given.runs),
            "reading": reading(page),
        }
    print(figures)
    results.write("page", figures)


if __name__ == "__main__":
    main()
