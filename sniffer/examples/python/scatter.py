"""Plots packet size over packet number as an HTML page: scatter.py CAPTURE HTML."""

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
    # Embed the library, so that the page makes no third-party requests.
    figure.write_html(page, include_plotlyjs=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
