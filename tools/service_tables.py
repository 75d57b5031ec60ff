"""The part of docs/results.md about the service: how fast it is, and what hostile requests do to it.

Its figures come from `benchmarks/results/service.json` and `hostile_requests.json`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from digitscope.formatting import markdown_table

ENGINES = {
    "digitscope": "`digitscope serve`",
    "keras": "the same route with Keras' `predict`, one call for each request",
    "keras_micro_batches": "the same, in the service's micro-batches",
}


def service_section(speed: dict[str, Any], hostile: dict[str, Any]) -> list[str]:
    """The section; both files must have been measured."""
    most, half = speed["most"], speed["half"]
    beside = " beside other work" if speed["beside_other_work"] else ""
    rows = [
        [ENGINES[engine], *(f"{rates[n]:,.0f}" for n in ("1", "64"))]
        for engine, rates in speed["engines"]["requests_per_second"].items()
    ]
    lines = [
        f"- At 64 connections it answers **{most['json']['requests_per_second']:,.0f} requests/s** with a single image "
        f"as JSON, {most['npy']['requests_per_second']:,.0f} as NPY. Of the two processors the server used "
        f"{most['json']['processors_of_server']:.2f} and wrk {most['json']['processors_of_generator']:.2f}: "
        f"{most['json']['server_microseconds_per_request']:,} µs of processor time a request.",
        f"- At {half['asked_per_second']:,} requests/s, half of that, 99 % of {half['requests']:,} answers take at "
        f"most **{half['p99_ms']:.1f} ms** (median {half['median_ms']:.1f} ms); {half['failed']:,} failed.",
        f"- {_hostile(hostile)}",
    ]
    head = ["single images by `/v1/predict`, requests/s", "1 connection", "64 connections"]
    machine = f"Machine: {speed['machine']}{beside}; {speed['seconds_each']} s each (`benchmarks/service.py`)."
    return ["## Service", markdown_table(head, rows), "\n".join(lines), machine]


def _hostile(found: dict[str, Any]) -> str:
    """What hostile requests did, in a sentence or two."""
    statuses: Counter[str] = Counter()
    for words, n in found["statuses"].items():
        statuses[words.rpartition(" ")[2]] += n
    refused = statuses["503"]
    first, last = found["memory_mb"][0], found["memory_mb"][-1]
    by_schema = found["schemathesis"]
    more = f", and {by_schema['requests']:,} by schemathesis" if by_schema else ""
    return (
        f"{found['requests']:,} hostile requests{more} (`benchmarks/hostile_requests.py`) found {len(found['faults'])} "
        f"faults; {refused:,} were refused as the documented 503. The service had {first['service']} MB after the "
        f"first twentieth and {last['service']} MB after the last, the largest reading process "
        f"{first['largest_reader']} and {last['largest_reader']} MB."
    )
