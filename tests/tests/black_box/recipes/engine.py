"""Runs blocks of a page in one engine: `engine.py ENGINE`.

Each line of standard input is an object with `text` and `answer` (null if nothing is compared). The blocks share the
state of the engine. For each one, prints a line with the rows of its answer; each cell is text.
"""

import json
import sys


def cell(value):
    """The text of a cell. Floating-point numbers keep their point: a count must not be one."""
    return "" if value is None else str(value)


class DuckDb:
    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()

    def run(self, text, answer):
        return self.connection.execute(text).fetchall()


class ClickHouse:
    """chdb, which is the engine of ClickHouse in the process."""

    PREFIX = ""

    def __init__(self):
        from chdb.session import Session

        self.session = Session("clickhouse")

    def run(self, text, answer):
        output = ""
        for statement in filter(None, (part.strip() for part in text.split(";\n"))):
            output = str(self.session.query(self.PREFIX + statement.rstrip(";"), "TabSeparated"))
        return [line.split("\t") for line in output.splitlines()]


class ClickHouseSyntax(ClickHouse):
    """Only parses: for statements that need a cluster."""

    PREFIX = "EXPLAIN AST "

    def __init__(self):
        from chdb.session import Session

        self.session = Session()


class Python:
    """The answer is the variable of that name, a data frame of pandas or polars."""

    def __init__(self):
        self.variables = {}

    def run(self, text, answer):
        exec(text, self.variables)
        frame = self.variables[answer] if answer else None
        if frame is None:
            return []
        return frame.rows() if hasattr(frame, "rows") else frame.itertuples(index=False)


ENGINES = {"duckdb": DuckDb, "clickhouse": ClickHouse, "clickhouse_syntax": ClickHouseSyntax, "python": Python}


def main():
    engine = ENGINES[sys.argv[1]]()
    for line in sys.stdin:
        block = json.loads(line)
        rows = engine.run(block["text"], block["answer"])
        print(json.dumps([[cell(value) for value in row] for row in rows]), flush=True)


main()
