"""Plots the distribution of packet sizes as a PNG: histogram.py CAPTURE PNG."""

import sys

import matplotlib

matplotlib.use("Agg")  # render to a file; no display needed
import matplotlib.pyplot as plt

from packets import packets


def main(capture, picture):
    sizes = [packet["len"] for packet in packets(capture)]
    plt.hist(sizes, bins=50, alpha=0.5)
    plt.xlabel("Packet Size")
    plt.ylabel("Frequency")
    plt.title("Packet Size Distribution")
    plt.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
