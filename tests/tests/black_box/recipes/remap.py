"""Runs a program of Vector's language on lines of JSON: `remap.py PROGRAM < events > events`. Dropped events print nothing."""

import json
import sys

from pyvrl import Transform

with open(sys.argv[1], encoding="utf-8") as program:
    # Vector takes the event that the program leaves; here the value of the last expression counts.
    transform = Transform(program.read() + "\n.\n")
for line in sys.stdin:
    try:
        print(json.dumps(transform.remap(json.loads(line))))
    except ValueError as error:
        if "aborted" not in str(error):
            raise
