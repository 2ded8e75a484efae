"""The vectors come out of the second implementation as they stand in the file;
tests/digests/vectors_test.cc says the same of the first. `--write` fills the
digests in, for new vectors: look at what changes."""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
sys.path.insert(0, str(BUILD / "tests" / "python"))

import canonical
from google.protobuf import text_format
from starratings.scheme.v1 import scheme_pb2


def scheme_digest(text):
    return canonical.sha256(canonical.message_form(
        text_format.Parse(text, scheme_pb2.Scheme())))


def digests(vectors):
    """(vector, what its digest must be), for all."""
    for vector in vectors["items"]:
        yield vector, canonical.sha256(canonical.item_form(vector["item"]))
    for vector in vectors["ratings"]:
        yield vector, canonical.sha256(canonical.rating_form(vector["rating"]))
    for vector in vectors["rounds"]:
        yield vector, canonical.round_digest(vector["ratings"])
    for vector in vectors["schemes"]:
        yield vector, scheme_digest(vector["text"])


def main():
    path = HERE / "vectors.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))
    if "--write" in sys.argv:
        for vector, digest in digests(vectors):
            vector["digest"] = digest
        path.write_text(json.dumps(vectors, indent=1, ensure_ascii=True) + "\n")
        return
    count = 0
    for vector, digest in digests(vectors):
        assert vector["digest"] == digest, f"{vector}: {digest}"
        count += 1
    assert count >= 12
    for path in sorted((ROOT / "rating-svc" / "schemes").glob("*/scheme.textproto")):
        print(path.parent.name, scheme_digest(path.read_text(encoding="utf-8")))
    print(f"{count} vectors agree")


if __name__ == "__main__":
    main()
