"""Reads the packets of a capture: the JSON lines of type `pkt`."""

import json


def packets(path):
    """Yields the packets of the file in order, as dictionaries."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["type"] == "pkt":
                yield record
