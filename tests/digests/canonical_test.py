"""The vectors come out of the second implementation as they stand in the file;
tests/digests/vectors_test.cc says the same of the first. `--write` fills the
digests and canonical forms in, for new vectors: look at what changes."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
STUBS = BUILD / "tests" / "python"
if not (STUBS / "starratings" / "scheme").exists():  # Not built yet.
    made = tempfile.TemporaryDirectory()
    STUBS = pathlib.Path(made.name)
    subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={STUBS}",
                    "starratings/scheme/v1/scheme.proto"], check=True)
sys.path.insert(0, str(STUBS))

import canonical
from google.protobuf import text_format
from starratings.scheme.v1 import scheme_pb2


def scheme_form(text):
    return canonical.message_form(text_format.Parse(text, scheme_pb2.Scheme()))


def answers(vectors):
    """(vector, what it must say of what it holds), for all."""
    forms = [(vector, canonical.item_form(vector["item"])) for vector in vectors["items"]]
    forms += [(vector, canonical.rating_form(vector["rating"])) for vector in vectors["ratings"]]
    forms += [(vector, canonical.table_form(vector["table"])) for vector in vectors["tables"]]
    forms += [(vector, scheme_form(vector["text"])) for vector in vectors["schemes"]]
    for vector, form in forms:
        yield vector, {"canonical_hex": form.hex(), "digest": canonical.sha256(form)}
    for vector in vectors["rounds"]:
        yield vector, {"digest": canonical.round_digest(vector["ratings"])}


def main():
    path = HERE / "vectors.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))
    if "--write" in sys.argv:
        for vector, answer in answers(vectors):
            vector.update(answer)
        path.write_text(json.dumps(vectors, indent=1, ensure_ascii=True) + "\n")
        return
    count = 0
    for vector, answer in answers(vectors):
        said = {name: vector[name] for name in answer}
        assert said == answer, f"{vector}: {answer}"
        count += 1
    assert count >= 15
    for path in sorted((ROOT / "rating-svc" / "schemes").glob("*/scheme.textproto")):
        form = scheme_form(path.read_text(encoding="utf-8"))
        print(path.parent.name, canonical.sha256(form))
    print(f"{count} vectors agree")


if __name__ == "__main__":
    main()
