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
JUDGE = {"rating-svc/scheme", "rating-svc/rating", "rating-svc/analysis", "rating-svc/verify",
         "rating-svc/wire"}
ROOMS = JUDGE | {"rating-svc/dossiers"}

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
    "assessment-svc/watch": {"common/status", "common/evidence", "common/digest",
                             "assessment-svc/store"},
    "assessment-svc/service": COMMON | {"assessment-svc/intake", "assessment-svc/rounds",
                                        "assessment-svc/store", "assessment-svc/watch",
                                        "messages"},
    "rating-svc/scheme": {"common/status", "common/evidence"},
    "rating-svc/rating": {"common/status", "common/evidence", "common/digest",
                          "rating-svc/scheme"},
    "rating-svc/analysis": {"common/status", "common/evidence", "common/digest",
                            "rating-svc/scheme", "rating-svc/rating"},
    "rating-svc/verify": {"common/status", "common/evidence", "common/digest", "common/wire",
                          "rating-svc/scheme", "rating-svc/rating", "messages"},
    "rating-svc/wire": {"common/status", "common/evidence", "common/digest", "common/wire",
                        "rating-svc/scheme", "rating-svc/rating", "rating-svc/analysis",
                        "messages"},
    "rating-svc/dossiers": {"common/status", "common/evidence", "common/digest"},
    "rating-svc/service": COMMON | ROOMS | {"messages"},
    "starctl": COMMON | JUDGE | {"assessment-svc/upkeep", "assessment-svc/store", "messages"},
    # A service's main() wires its own rooms and nothing of its sibling's.
    "assessment-svc": COMMON | {"assessment-svc/service", "assessment-svc/store",
                                "assessment-svc/watch", "messages"},
    "rating-svc": COMMON | ROOMS | {"rating-svc/service", "messages"},
}

# Rooms that are the same for the same arguments: no such header in them.
PURE = {"common/status", "common/evidence", "common/digest", "assessment-svc/intake",
        "assessment-svc/rounds", "rating-svc/scheme", "rating-svc/rating",
        "rating-svc/analysis"}
IMPURE = re.compile(r"^google/protobuf|^grpc|^prometheus|^sqlite3|^absl/(time/clock|log|synchron|flags)|"
                    r"^(chrono|ctime|time\.h|fstream|filesystem|iostream|random|thread|mutex|future)$|"
                    r"^(unistd|fcntl)\.h$|^sys/")
# Unit tests and what only they use. They may include more of their own service.
FOR_TESTS = re.compile(r"_test\.cc$|^test_|^testing\.h$|^fake_|_fixture\.h$|^fixture\.h$")


def room_of(path):
    """The room of a file; None outside of all. A service's own folder has its main()."""
    parts = pathlib.PurePosixPath(path).parts
    for length in (2, 1):
        room = "/".join(parts[:length])
        if room in ARROWS and (length == 2 or len(parts) == 2 or room == "starctl"):
            return room
    return None


def forbidden(room, include, for_tests):
    """What is wrong with a file of `room` including `include`; None if nothing is."""
    target = target_of(include)
    service, of = room.split("/")[0], (target or "").split("/")[0]
    if {service, of} == {"assessment-svc", "rating-svc"}:
        return f"a service must not include its sibling's {target}"
    if for_tests and of in (service, "common", "messages"):
        return None
    if target not in (None, room) and target not in ARROWS[room]:
        return f"{room} must not include {target}"
    if room in PURE and not for_tests and IMPURE.search(include):
        return f"a pure room includes {include}"
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
            if relative.startswith(("common/", "assessment-svc/", "rating-svc/")):
                found.append(f"{relative}: is in no room of the table")
            continue
        read += 1
        for number, line in enumerate(lines, 1):
            match = re.match(r'#\s*include ["<]([^">]+)[">]', line)
            why = match and forbidden(room, match[1], bool(FOR_TESTS.search(path.name)))
            if why:
                found.append(f"{relative}:{number}: {why}")
    return found, read


class ArrowsTest(unittest.TestCase):
    def test_every_include_follows_an_arrow(self):
        found, read = faults(ROOT)
        self.assertGreater(read, 100, "read too little")
        self.assertEqual(found, [])

    def test_the_table_is_the_one_of_the_document(self):
        text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| ([a-z/-]+) \|[^|]*\| ([^|]*) \|$", text, re.MULTILINE))
        rooms = {room for room in ARROWS if "/" in room or room == "starctl"}
        self.assertEqual(rooms, {room for room in rows if room != "tests"} - {"room"})
        for room in rooms:
            # Both are said in the document's way: only the last part of a name.
            allowed = {target.split("/")[-1] for target in ARROWS[room]}
            said = re.sub(r"common/\*", ", ".join(COMMON), rows[room])
            said = re.sub(r"all rooms of rating-svc", ", ".join(ROOMS), said)
            said = set(re.findall(r"[a-z]+", re.sub(r"[a-z-]+/", "", said)))
            self.assertEqual(said, allowed, room)

    def test_what_is_forbidden_is_found(self):
        for path, line in (
                ("common/evidence/planted.cc", '#include "common/serving/log.h"'),
                ("common/evidence/planted.h", "#include <chrono>"),
                ("rating-svc/service/planted.cc", '#include "assessment-svc/store/store.h"'),
                ("rating-svc/service/planted_test.cc", '#include "assessment-svc/store/store.h"'),
                ("rating-svc/main.cc", '#include "assessment-svc/service/parts.h"'),
                ("rating-svc/rating/planted.cc", "#include <fstream>"),
                ("rating-svc/rating/latest.cc", '#include "absl/time/clock.h"'),
                ("rating-svc/rating/planted.cc", '#include "grpcpp/grpcpp.h"'),
                ("rating-svc/rating/planted.cc", '#include "starratings/x.pb.h"'),
                ("assessment-svc/intake/planted.cc", '#include "prometheus/counter.h"'),
                ("assessment-svc/watch/planted.cc", '#include "common/serving/log.h"'),
                ("assessment-svc/watch/planted.cc", '#include "starratings/x.pb.h"'),
                ("assessment-svc/planted/planted.cc", ""),
                ("tests/long.cc", "\n" * LINES_MOST)):
            self.assertEqual(len(self.planted(path, line)), 1, (path, line))
        for path, line in (
                ("rating-svc/rating/planted.cc", '#include "common/digest/sha256.h"'),
                ("rating-svc/rating/planted_test.cc", "#include <random>"),
                ("assessment-svc/store/x_fixture.h", '#include "assessment-svc/upkeep/migrate.h"')):
            self.assertEqual(self.planted(path, line), [])

    @staticmethod
    def planted(relative, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, relative)
            path.parent.mkdir(parents=True)
            path.write_text(text + "\n", encoding="utf-8")
            return faults(pathlib.Path(directory))[0]


if __name__ == "__main__":
    unittest.main()
