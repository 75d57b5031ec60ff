"""How much memory something takes, measured in a process of its own: the most that a process ever had never falls."""

from __future__ import annotations

import json
import subprocess
import sys

_MEASURE = """
import json, resource, sys, time

def most():
    people = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return max(resource.getrusage(who).ru_maxrss for who in people) / 1024

{before}
base = most()
{program}
import gc
from digitscope.io import document
for child in document._decoder._idle:
    child.end()
gc.collect()
print(json.dumps([most() - base, said]))
"""


def grown_by(program: str, *arguments: object, before: str = "") -> tuple[float, str]:
    """The megabytes that a program takes beyond what it had, and what it ``said``.

    Args:
        program: lines of Python that set ``said``. A decoder's child, if there is one, counts with all that it has.
        arguments: its ``sys.argv[1:]``.
        before: lines that are run before; what they take does not count.
    """
    script = _MEASURE.format(before=before, program=program)
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    megabytes, said = json.loads(done.stdout.splitlines()[-1])
    return megabytes, said
