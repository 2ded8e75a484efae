"""The cluster's DNS, as far as the pods need it: names.py ADDRESS FILE answers for the Services in
FILE, a JSON object of lists of IPv4 addresses, which is read again for each question."""

import json
import pathlib
import socket
import struct
import sys


def question(packet):
    """The labels of the first question, its type, and where it ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return labels, struct.unpack("!H", packet[at + 1:at + 3])[0], at + 5


def answer(packet, services):
    labels, kind, end = question(packet)
    addresses = services.get(labels[0])  # NAME, NAME.NAMESPACE, NAME.NAMESPACE.svc and so on.
    records = [socket.inet_aton(a) for a in addresses or []] if kind == 1 else []
    flags = 0x8583 if addresses is None else 0x8580  # What is no Service does not exist.
    header = packet[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
    return header + packet[12:end] + b"".join(
        struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + r for r in records)


if __name__ == "__main__":
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    while True:
        asked, client = server.recvfrom(4096)
        server.sendto(answer(asked, json.loads(pathlib.Path(sys.argv[2]).read_text())), client)
