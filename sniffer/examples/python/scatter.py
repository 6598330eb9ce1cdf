"""Draws packet number against packet size, as a page: scatter.py CAPTURE HTML."""

import sys

import pandas
import plotly.express as px

from packets import packets


def main(capture, page):
    frame = pandas.DataFrame(packets(capture), columns=["n", "len"])
    figure = px.scatter(
        frame,
        x="n",
        y="len",
        labels={"n": "Packet Number", "len": "Packet Size"},
        title="Packet Sizes",
    )
    # The page asks nobody for the library: it is in there.
    figure.write_html(page, include_plotlyjs=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
