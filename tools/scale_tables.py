"""The table of docs/scale.md: how fast batches are and what memory they take, from `benchmarks/results/scale.json`."""

from __future__ import annotations

from typing import Any

from digitscope.formatting import counted, duration, markdown_table

NOT_YET = "Not measured for the record yet."


def scale_table(found: dict[str, Any]) -> str:
    """Digits per second, memory and core hours of each size; what many kills did; how much faster two processes are."""
    if not found.get("sizes"):
        return NOT_YET
    rows = [
        [_digits(its), f"{its['digits_per_second']:,.0f}", duration(its["seconds"]), f"{its['memory_mb']:,} MB",
         f"{its['workers'] * 1e6 / its['digits_per_second'] / 3600:.1f}", str(len(its["sittings"])),
         "yes" if any(sitting["beside_other_work"] for sitting in its["sittings"]) else "no"]
        for its in sorted(found["sizes"].values(), key=lambda its: int(its["read"]))
    ]  # fmt: skip
    head = ("digits", "digits/s", "in all", "memory of all processes", "core hours per million", "sittings",
            "beside other work")  # fmt: skip
    lines = [markdown_table(head, rows), "", f"Machine: {found['machine']}. Made-up digits of 56×56 pixels in Parquet."]
    for kills in found.get("kills", {}).values():
        same = "ended equal to" if kills["equal"] else "**differed from**"
        lines.append(
            f"{kills['rows']:,} digits, {kills['poison']:,} of them poison, read by a command that was killed "
            f"{counted(kills['kills'], 'time')}, {same} an undisturbed run; {kills['bad']:,} were named as bad."
        )
    for name, times in found.get("speed", {}).get("times_faster", {}).items():
        if name != "two processes":
            other = "the version before" if name == "former" else name
            lines.append(f"Two processes were {times} times as fast as {other}, on {found['speed']['digits']:,} files.")
    return "\n".join(lines)


def _digits(size: dict[str, Any]) -> str:
    """How many were read, and how many of them were timed if a sitting was lost."""
    read, timed = size["read"], size["timed"]
    return f"{read:,}" if timed == read else f"{read:,}, {timed:,} of them timed"
