"""The reliability campaign: hostile bytes for every reader, and processes killed at random moments. Hours, in slices.

Writes `benchmarks/results/campaign.json` after every slice and goes on from it when it is started again: for each
reader the inputs, how many were read and refused, the seeds, the most memory, and everything that should not have
happened, with the input; for each kind of kill (`kills.py`) how many, and what was lost. What the fuzzer has learned
about each reader lies in `runs/campaign`, as do the inputs behind findings.

Usage: python benchmarks/campaign.py [--inputs 1000000] [--kills 100] [--slice 20000] [--minutes 240] [--only image]
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import kills
import results
from fuzz_seeds import SEEDS

WORK = Path("runs") / "campaign"
SHARES = {"image": 0.3, "pdf": 0.05, "idx": 0.15, "npz": 0.15, "table": 0.15, "onnx": 0.1, "keras": 0.1}
"""Share of all inputs that each reader gets; PDFs take the longest, because a child process draws them."""

SECONDS = {"pdf": 60}
"""Seconds by the clock after which an input counts as a hang, if not ``HANG``; a PDF's limit is of a processor, and the
decoder keeps it."""

HANG, MEGABYTES, LONGEST_INPUT = 5, 1024, 20_000
"""Seconds for an input, megabytes for a process, and bytes of the longest input."""

COUNTED = ("inputs", "read", "refused")


def fuzz(name: str, number: int, inputs: int) -> dict[str, Any]:
    """One slice: a process that feeds a reader so many inputs, or ends at the first that it should have survived."""
    corpus, findings = WORK / name / "corpus", WORK / name / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for label, content in SEEDS[name]().items():
        (corpus / f"seed-{label}").write_bytes(content)
    counts, before = WORK / name / "counts", set(findings.iterdir())
    counts.write_bytes(bytes(32))
    words = [
        "sh", "-c", '"$@"', "sh",  # a process of a small one: what the parent has would count as the child's memory
        sys.executable, "benchmarks/fuzz_targets.py", name, str(counts), f"-runs={inputs}", f"-seed={number + 1}",
        f"-timeout={SECONDS.get(name, HANG)}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={findings}/", "-print_final_stats=1", "-close_fd_mask=1", str(corpus),
    ]  # fmt: skip
    begun = time.perf_counter()
    process = subprocess.run(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    said = process.stderr.decode(errors="replace")
    peak = re.search(r"stat::peak_rss_mb: *(\d+)", said)
    done = dict(zip((*COUNTED, "contained"), struct.unpack("<4Q", counts.read_bytes()), strict=True))
    made = sorted(set(findings.iterdir()) - before)
    found = [{"file": path.name, "hex": path.read_bytes()[:2000].hex(), "said": _reason(said)} for path in made]
    if process.returncode and not found:
        found = [{"file": "", "hex": "", "said": _reason(said) or f"exit code {process.returncode}"}]
    return done | {
        "seed": number + 1,
        "seconds": round(time.perf_counter() - begun, 1),
        "megabytes": int(peak[1]) if peak else 0,
        "findings": found,
    }


def _reason(said: str) -> str:
    """The lines of libFuzzer's or Python's last words that say what happened."""
    lines = [line for line in said.splitlines() if re.search(r"ERROR|Error|Exception|ALARM|SUMMARY", line)]
    return " | ".join(lines[-3:])[:500]


def add(record: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add a slice to what is known about a reader."""
    for key in (*COUNTED, "contained", "seconds"):
        record[key] = round(record.get(key, 0) + piece[key], 1)
    record["megabytes"] = max(record.get("megabytes", 0), piece["megabytes"])
    record.setdefault("seeds", []).append(piece["seed"])
    record.setdefault("findings", []).extend(piece["findings"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=100, help="of each kind")
    parser.add_argument("--slice", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=240, help="of this sitting")
    parser.add_argument("--only", default="", help="readers or kinds of kills, with commas")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.exit('the campaign needs Atheris, which runs on Linux x86_64; pip install "digitscope[audit]"')
    known = results.read("campaign")
    record = {"readers": known.get("readers", {}), "kills": known.get("kills", {})}
    record["limits"] = {"seconds": HANG, "megabytes": MEGABYTES, "seconds_pdf": SECONDS["pdf"]}
    end, chosen = time.monotonic() + 60 * options.minutes, options.only.split(",") if options.only else None
    waiting = [name for name in (*SHARES, *kills.KINDS) if chosen is None or name in chosen]
    while waiting and time.monotonic() < end:
        name = waiting.pop(0)
        if name in SHARES:
            mine = record["readers"].setdefault(name, {})
            left = round(options.inputs * SHARES[name]) - mine.get("inputs", 0)
            if left <= 0:
                continue
            add(mine, fuzz(name, len(mine.get("seeds", [])), min(left, options.slice)))
        else:
            mine = record["kills"].setdefault(name, {})
            if mine.get("kills", 0) >= options.kills:
                continue
            kills.add(mine, kills.KINDS[name](WORK / name, len(mine.get("seeds", []))))
        waiting.append(name)
        results.write("campaign", record)


if __name__ == "__main__":
    main()
