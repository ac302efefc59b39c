"""The fault suite: `make faults`.

`python -m tests.faults WORD...` tries the faults whose names contain one of the words.
"""

from __future__ import annotations

import sys

from tests.faults.report import BROKEN, FOLDER, Line, markdown, write
from tests.faults.suite import chosen, tried_all


def main(names: list[str]) -> int:
    """Try the faults and report; 1 if a promise was broken."""
    lines: list[Line] = []
    for line in tried_all(chosen(names)):
        lines.append(line)
        print(f"{line.name}: {line.status}, in {line.took_s:.0f} s {line.reason}", flush=True)
        write(lines)
    print(f"\n{markdown(lines)}\nThe report is in {FOLDER}.")
    return int(any(line.status == BROKEN for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
