"""Starts sniffer, handles each packet as an event, and prints the packet rate every second.

Twisted runs sniffer as a child process and calls `Capture.packet` for each packet.
"""

import argparse
import json

from twisted.internet import defer, error, protocol, reactor, task


class Capture(protocol.ProcessProtocol):
    """A running sniffer process."""

    def __init__(self):
        self.count = 0
        self.reported = 0
        self.partial_line = b""
        self.ended = defer.Deferred()

    def outReceived(self, data):
        *lines, self.partial_line = (self.partial_line + data).split(b"\n")
        for line in lines:
            self.record(json.loads(line))

    def errReceived(self, data):
        print(data.decode(errors="replace"), end="", flush=True)

    def record(self, record):
        if record["type"] == "pkt":
            self.packet(record)
        elif record["type"] == "end":
            print(f"{record['out']} packets, {record['drop']} dropped", flush=True)

    def packet(self, packet):
        """Handles a packet. This example only counts it."""
        self.count += 1

    def report(self):
        """Prints the packet rate since the last report."""
        print(f"{self.count - self.reported} packets/s", flush=True)
        self.reported = self.count

    def stop(self):
        """Stops sniffer. The result fires after its last line has arrived."""
        try:
            self.transport.signalProcess("TERM")
        except error.ProcessExitedAlready:
            pass
        return self.ended

    def processEnded(self, reason):
        self.ended.callback(None)
        if reactor.running:
            reactor.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--interface", default="lo", help="interface to capture on")
    parser.add_argument("--seconds", type=float, help="stop after SECONDS")
    parser.add_argument("--sniffer", default="sniffer", help="path of the sniffer program")
    args = parser.parse_args()
    capture = Capture()
    command = [args.sniffer, "-q", "-i", args.interface]
    reactor.spawnProcess(capture, args.sniffer, command, env=None)
    task.LoopingCall(capture.report).start(1, now=False)
    if args.seconds is not None:
        reactor.callLater(args.seconds, capture.stop)
    # On Ctrl+C, wait until sniffer has exited.
    reactor.addSystemEventTrigger("before", "shutdown", capture.stop)
    reactor.run()


if __name__ == "__main__":
    main()
