"""Gets the peers from their registries into a directory, each by its own tool as it is
set up here. What cannot be had is no failure: it is named with the reason."""

import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
PATIENCE_S = 1200


def attempt(log, *commands, cwd, environment=None):
    """Runs the commands in turn; returns why one failed, or None."""
    for command in commands:
        try:
            result = subprocess.run([str(part) for part in command], cwd=cwd, text=True,
                                    env={**os.environ, **(environment or {})},
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    timeout=PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        log.write_text(result.stdout, encoding="utf-8")
        if result.returncode != 0:
            lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
            why = next((line for line in lines if "error" in line.lower()), (lines or [""])[-1])
            return f"{command[0]} failed: {why[:120]}; see {log.name}"
    return None


def fresh(root, name, *files):
    """A directory below `root` with copies of `files`: tools write beside them."""
    directory = root / name
    directory.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(HERE / file, directory)
    return directory


def npm(root):
    return attempt(root / "npm.log", ["npm", "install", "--no-audit", "--no-fund"],
                   cwd=fresh(root, "npm", "package.json", "engines.mjs"))


def go(root):
    return attempt(root / "go.log", ["go", "build", "-mod=mod", "-o", "peers", "."],
                   cwd=fresh(root, "go", "go/go.mod", "go/main.go"),
                   environment={"GOMODCACHE": str(root / "gomod"), "GOTOOLCHAIN": "local",
                                "GOFLAGS": "-modcacherw"})


def pip(root):
    return attempt(root / "pip.log", ["python3", "-m", "venv", "."],
                   [root / "python/bin/pip", "install", "-r", HERE / "requirements.txt"],
                   cwd=fresh(root, "python"))


def maven(root):
    directory = fresh(root, "java", "java/pom.xml", "java/Peers.java")
    return attempt(root / "maven.log",
                   ["mvn", "-q", "-B", f"-Dmaven.repo.local={root}/m2",
                    "dependency:copy-dependencies", "-DincludeScope=runtime",
                    "-DoutputDirectory=lib"],
                   ["javac", "-cp", "lib/*", "-d", "classes", "Peers.java"], cwd=directory)
