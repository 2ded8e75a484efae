"""A round in parts: shards add up to the recorded digest, and a stream that
breaks goes on where it was."""

import json
import socket
import threading

import harness

ORGANISATIONS = 3_000
SCHEME = """
id: "parts" version: "1" title: "Parts"
in_force { from: "2000-01-01" }
scale { id: "quality" level: "poor" level: "fair" level: "good" }
scale { id: "stars" level: "0" level: "1" level: "2" }
input { code: "quality" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
matrix {
  id: "table" from: "quality" output: "stars" to: "stars"
  row { when: "poor" then: "0" basis: BASIS_ASSUMED }
  row { when: "fair" then: "1" basis: BASIS_ASSUMED }
  row { when: "good" then: "2" basis: BASIS_ASSUMED }
}
result { value: "stars" title: "Stars" }
"""


class CuttingProxy:
    """Passes bytes on, and cuts each of the first connections after so many bytes
    of answers."""

    def __init__(self, target, cuts, after):
        self.target = target.rsplit(":", 1)
        self.cuts = cuts
        self.after = after
        self.made = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.target[0], int(self.target[1])))
            left = self.after if self.made < self.cuts else None
            self.made += 1
            threading.Thread(target=self.pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, left), daemon=True).start()

    @staticmethod
    def pump(source, sink, left):
        try:
            while data := source.recv(4096):
                if left is not None:
                    left -= len(data)
                    if left < 0:
                        break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class PartsTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = cls.services.directory

        def file(name, lines):
            (directory / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            return str(directory / name)
        ids = [f"home-{i}" for i in range(ORGANISATIONS)]
        cls.services.starctl("register", "organisations", file(
            "organisations.csv", ["id,name,kind", *(f"{i},{i},home" for i in ids)]))
        cls.services.starctl("register", "periods", file(
            "periods.csv", ["id,from,to", "2001-02,2001-04-01,2002-04-01"]))
        cls.services.starctl("register", "codes", file(
            "codes.csv", ["id,title,kind,value_type,levels",
                          "quality,Quality,JUDGEMENT,LEVEL,poor|fair|good"]))
        cls.services.register_scheme(file("scheme.textproto", [SCHEME]))
        cls.services.starctl("import", file(
            "evidence.csv", ["organisation,period,code,value,source",
                             *(f"{i},2001-02,quality,{('poor', 'fair', 'good')[n % 3]},A test"
                               for n, i in enumerate(ids))]))
        cls.services.starctl("rounds", "create", "r", "--title", "R", "--period", "2001-02",
                             "--date", "2002-05-30", "--scheme", "parts@1")
        cls.services.starctl("rounds", "freeze", "r")
        cls.services.starctl("rounds", "record", "r")
        cls.digest = cls.services.starctl("rounds", "show", "r",
                                          as_json=True)["round"]["round_digest"]

    def shards(self, count):
        paths = []
        for i in range(count):
            part = self.services.starctl("rate", "r", "--shard", f"{i}/{count}", as_json=True)
            paths.append(str(self.services.directory / f"part-{count}-{i}.json"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                json.dump(part, file)
        return paths

    def add_up(self, *arguments, expect=0):
        result = harness.run([harness.STARCTL, "--output", "json", "add-up", *arguments], ok=False)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return json.loads(result.stdout)["summary"] if expect in (0, 1) else result.stderr

    def test_shards_add_up_to_what_was_recorded(self):
        for count in (1, 3, 16):
            summary = self.add_up("--digest", self.digest, *self.shards(count))
            self.assertEqual(summary["round_digest"], self.digest)
            self.assertEqual(summary["count"], str(ORGANISATIONS))
            self.assertEqual([t["count"] for t in summary["tallies"]], ["1000"] * 3)

    def test_a_shard_that_is_missing_is_named(self):
        paths = self.shards(3)
        self.assertIn("shard 1 of 3 is missing", self.add_up(paths[0], paths[2], expect=3))
        self.assertEqual(self.add_up("--digest", "0" * 64, *paths, expect=1)["round_digest"],
                         self.digest)

    def test_a_shard_is_said_in_words(self):
        text = self.services.starctl("rate", "r", "--shard", "0/2")
        self.assertIn("round r, shard 0 of 2", text)
        self.assertIn("bucket digests", text)
        result = self.services.starctl("rate", "r", "--shard", "2/2", ok=False)
        self.assertEqual(result.returncode, 2)

    def through(self, proxy, *arguments):
        return harness.run([harness.STARCTL, "--insecure", "--actor", "analyst",
                            "--assessment", self.services.assessment.grpc,
                            "--rating", proxy.address, "--output", "json", *arguments], ok=False)

    def test_a_stream_that_breaks_goes_on_by_itself(self):
        whole = self.services.starctl("rate", "r", "--ratings", as_json=True)
        proxy = CuttingProxy(self.services.rating.grpc, cuts=3, after=200_000)
        try:
            result = self.through(proxy, "rate", "r", "--ratings")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertGreater(proxy.made, 3)
            rated = json.loads(result.stdout)
            self.assertEqual(rated["summary"]["round_digest"], self.digest)
            self.assertEqual(rated["ratings"], whole["ratings"])

            def counts(summary):
                return {(t["result"], t["level"]): t["count"] for t in summary["tallies"]}
            self.assertEqual(counts(rated["summary"]), counts(whole["summary"]))
        finally:
            proxy.close()

    def test_a_stream_that_always_breaks_is_an_error_in_the_end(self):
        proxy = CuttingProxy(self.services.rating.grpc, cuts=1_000_000, after=2_000)
        try:
            result = self.through(proxy, "rate", "r", "--retry-for", "1")
            self.assertEqual(result.returncode, 5, result.stdout + result.stderr)
        finally:
            proxy.close()

    def test_an_export_over_breaks_is_the_same_file(self):
        paths = [self.services.directory / name for name in ("straight.round", "broken.round")]
        self.services.starctl("export-round", "r", "--output", str(paths[0]))
        rating = CuttingProxy(self.services.rating.grpc, cuts=2, after=400_000)
        assessment = CuttingProxy(self.services.assessment.grpc, cuts=2, after=400_000)
        try:
            harness.run([harness.STARCTL, "--insecure", "--actor", "analyst", "--assessment",
                         assessment.address, "--rating", rating.address, "export-round", "r",
                         "--output", str(paths[1])])
            self.assertGreater(assessment.made, 1)
            self.assertGreater(rating.made, 1)
        finally:
            rating.close()
            assessment.close()
        lines = [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
                 for path in paths]
        self.assertEqual(len(lines[0]), ORGANISATIONS + 3)
        harness.run([harness.STARCTL, "recompute", paths[1], "--digest", self.digest])
        self.assertEqual(lines[0], lines[1])


if __name__ == "__main__":
    harness.main()
