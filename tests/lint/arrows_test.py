"""Keeps ARCHITECTURE.md honest: reads every #include in the tree and fails on an
arrow that is not in the table below. To add an arrow, add it here and there, and
say in the commit message why the rooms must know each other."""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
LINES_MOST = 450

COMMON = {"common/status", "common/evidence", "common/digest", "common/wire", "common/serving"}
JUDGE = {"rating-svc/scheme", "rating-svc/rating", "rating-svc/verify", "rating-svc/wire"}

# Each room and the rooms it may include; a room may always include itself.
# "messages" stands for generated code.
ARROWS = {
    "common/status": set(),
    "common/evidence": {"common/status"},
    "common/digest": {"common/status"},
    "common/wire": {"common/status", "common/evidence", "common/digest", "messages"},
    "common/serving": {"common/status", "messages"},
    "assessment-svc/intake": {"common/status", "common/evidence"},
    "assessment-svc/rounds": {"common/status", "common/evidence"},
    "assessment-svc/store": {"common/status", "common/evidence", "common/digest"},
    "assessment-svc/upkeep": {"common/status", "common/evidence", "common/digest",
                              "assessment-svc/store"},
    "assessment-svc/service": COMMON | {"assessment-svc/intake", "assessment-svc/rounds",
                                        "assessment-svc/store", "messages"},
    "rating-svc/scheme": {"common/status", "common/evidence"},
    "rating-svc/rating": {"common/status", "common/evidence", "common/digest",
                          "rating-svc/scheme"},
    "rating-svc/verify": {"common/status", "common/evidence", "common/digest", "common/wire",
                          "rating-svc/scheme", "rating-svc/rating", "messages"},
    "rating-svc/wire": {"common/status", "common/evidence", "common/digest", "common/wire",
                        "rating-svc/scheme", "rating-svc/rating", "messages"},
    "rating-svc/service": COMMON | JUDGE | {"messages"},
    "starctl": COMMON | JUDGE | {"assessment-svc/upkeep", "assessment-svc/store", "messages"},
    # A service's main() wires its own rooms and nothing of its sibling's.
    "assessment-svc": COMMON | {"assessment-svc/service", "assessment-svc/store", "messages"},
    "rating-svc": COMMON | JUDGE | {"rating-svc/service", "messages"},
}

# Rooms that are the same for the same arguments: no such header in them.
PURE = {"common/status", "common/evidence", "common/digest", "assessment-svc/intake",
        "assessment-svc/rounds", "rating-svc/scheme", "rating-svc/rating"}
IMPURE = re.compile(r"google/protobuf|grpc|prometheus|absl/time/clock|^chrono$|^fstream$|"
                    r"^filesystem$|^iostream$|^thread$|^ctime$|^random$")


def room_of(path):
    """The room of a file; None outside of all."""
    parts = pathlib.PurePosixPath(path).parts
    for length in (2, 1):
        room = "/".join(parts[:length])
        if room in ARROWS and (length == 2 or len(parts) == 2 or room == "starctl"):
            return room
    return None


def target_of(include):
    """What a quoted include points at: a room, "messages", or None for a library."""
    if re.search(r"\.(grpc\.)?pb\.h$", include):
        return "messages"
    return room_of(include)


def faults(root):
    """Every include that breaks a rule, and every file that is too long."""
    found, read = [], 0
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root).as_posix()
        if path.suffix not in (".h", ".cc") or relative.startswith("build/"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LINES_MOST:
            found.append(f"{relative}: {len(lines)} lines are more than {LINES_MOST}")
        room = room_of(relative)
        if room is None:
            continue
        read += 1
        test = relative.endswith("_test.cc") or "test" in path.name or "fixture" in path.name
        for number, line in enumerate(lines, 1):
            match = re.match(r'#include ["<]([^">]+)[">]', line)
            if not match:
                continue
            include = match[1]
            if room in PURE and IMPURE.search(include) and not test:
                found.append(f"{relative}:{number}: a pure room includes {include}")
            target = target_of(include)
            if target not in (None, room) and target not in ARROWS[room] and not test:
                found.append(f"{relative}:{number}: {room} must not include {target}")
    return found, read


class ArrowsTest(unittest.TestCase):
    def test_every_include_follows_an_arrow(self):
        found, read = faults(ROOT)
        self.assertGreater(read, 100, "read too little")
        self.assertEqual(found, [])

    def test_the_table_is_the_one_of_the_document(self):
        text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
        for room in ARROWS:
            if "/" in room or room == "starctl":
                self.assertIn(f"| {room} |", text)

    def test_what_is_forbidden_is_found(self):
        for room, line in (("common/evidence", '#include "common/serving/log.h"'),
                           ("rating-svc/service", '#include "assessment-svc/store/store.h"'),
                           ("rating-svc/rating", "#include <fstream>"),
                           ("rating-svc/rating", '#include "starratings/x.pb.h"')):
            with tempfile.TemporaryDirectory() as directory:
                path = pathlib.Path(directory, room, "planted.cc")
                path.parent.mkdir(parents=True)
                path.write_text(line + "\n")
                self.assertEqual(len(faults(pathlib.Path(directory))[0]) > 0, True, line)
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "tests", "long.cc")
            path.parent.mkdir(parents=True)
            path.write_text("\n" * (LINES_MOST + 1))
            self.assertEqual(len(faults(pathlib.Path(directory))[0]), 1)


if __name__ == "__main__":
    unittest.main()
