"""Starts a capture and prints how many packets come a second.

The sniffer is a process whose lines arrive as events: `Capture.packet` is called once a packet.
"""

import argparse
import json

from twisted.internet import defer, error, protocol, reactor, task


class Capture(protocol.ProcessProtocol):
    """A running sniffer."""

    def __init__(self):
        self.count = 0
        self.told = 0
        self.rest = b""
        self.ended = defer.Deferred()

    def outReceived(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
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
        """One packet. Here it is only counted."""
        self.count += 1

    def tell(self):
        print(f"{self.count - self.told} packets/s", flush=True)
        self.told = self.count

    def stop(self):
        """Asks the sniffer to end, and waits until its last line is there."""
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
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("-i", "--interface", default="lo")
    words.add_argument("--seconds", type=float, help="stop after that time")
    words.add_argument("--sniffer", default="sniffer", help="the program")
    words = words.parse_args()
    capture = Capture()
    command = [words.sniffer, "-q", "-i", words.interface]
    reactor.spawnProcess(capture, words.sniffer, command, env=None)
    task.LoopingCall(capture.tell).start(1, now=False)
    if words.seconds is not None:
        reactor.callLater(words.seconds, capture.stop)
    # Ctrl-C ends this program when the sniffer has ended.
    reactor.addSystemEventTrigger("before", "shutdown", capture.stop)
    reactor.run()


if __name__ == "__main__":
    main()
