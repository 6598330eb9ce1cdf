"""Reads the packets of a capture: one JSON object a line, those of type `pkt`."""

import json


def packets(path):
    """Yields the packets of the file as dictionaries, in their order."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["type"] == "pkt":
                yield record
