"""Parses the YAML files among the arguments, and prints the name of each one."""

import sys

import yaml

for path in sys.argv[1:]:
    if path.endswith(".yaml"):
        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        if "pipeline" in document:
            needed = {"inputs", "filters", "outputs"} - document["pipeline"].keys()
        else:
            needed = {"sources", "transforms", "sinks"} - document.keys()
            components = {**document["sources"], **document["transforms"]}
            for component in [*document["transforms"].values(), *document["sinks"].values()]:
                needed |= set(component["inputs"]) - components.keys()
        if needed:
            sys.exit(f"{path}: missing: {needed}")
        print(path)
