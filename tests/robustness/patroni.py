"""Three PostgreSQL under Patroni and three etcd on loopback, synchronous, in a
temporary directory. Everything ends with the process that made it.

Patroni speaks etcd's older protocol here. Over etcd3, Patroni 3.0 renews a lock
whose lease has expired by writing the key whoever holds it now: a leader that
wakes up in the midst of its loop takes the lock from its successor, and what that
one has acknowledged is rewound. Over etcd it compares first, as Patroni 4 does
over etcd3, too; but Patroni 4 wants a lease of 20 s."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

NODES = 3
BINARIES = "/usr/lib/postgresql/15/bin"

CONFIG = """
scope: starratings
name: n{node}
restapi: {{listen: "127.0.0.1:{rest}", connect_address: "127.0.0.1:{rest}"}}
etcd: {{hosts: [{etcd}]}}
bootstrap:
  dcs:
    ttl: 5
    loop_wait: 1
    retry_timeout: 2
    synchronous_mode: true
    synchronous_mode_strict: true
    synchronous_node_count: 1
    primary_start_timeout: 0
    master_start_timeout: 0
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {{wal_log_hints: "on", synchronous_commit: "on", shared_buffers: 64MB,
                   max_connections: 100, wal_keep_size: 256MB}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
  pg_hba: ["host replication rep 127.0.0.1/32 trust", "host all all 127.0.0.1/32 trust",
           "local all all trust"]
postgresql:
  listen: "127.0.0.1:{port}"
  connect_address: "127.0.0.1:{port}"
  data_dir: {data}
  bin_dir: {binaries}
  pgpass: {sockets}/pgpass
  parameters: {{unix_socket_directories: {sockets}}}
  authentication: {{superuser: {{username: postgres}}, replication: {{username: rep}},
                   rewind: {{username: rew}}}}
watchdog: {{mode: "off"}}
"""


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def as_postgres(command):
    """PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return command
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] + command


class Cluster:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sr-patroni-", dir="/tmp"))
        os.chmod(self.directory, 0o755)
        self.etcds = []
        self.patronis = [None] * NODES
        self.ports = free_ports(NODES)
        self.rest = free_ports(NODES)
        try:
            self._start_etcd()
            for node in range(NODES):
                self._configure(node)
            self.start_node(0)
            self.await_leader(60)
            for node in range(1, NODES):
                self.start_node(node)
            self.await_standbys(60)
        except BaseException:
            self.close()
            raise

    def uri(self, database="postgres"):
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"postgresql://postgres@{hosts}/{database}"

    def _spawn(self, command, name):
        log = open(self.directory / f"{name}.log", "ab")
        # A group of its own: a node dies with everything it has started.
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def _start_etcd(self):
        clients, peers = free_ports(NODES), free_ports(NODES)
        self.etcd_hosts = [f"127.0.0.1:{port}" for port in clients]
        everyone = ",".join(f"e{i}=http://127.0.0.1:{port}" for i, port in enumerate(peers))
        for i in range(NODES):
            client, peer = f"http://127.0.0.1:{clients[i]}", f"http://127.0.0.1:{peers[i]}"
            self.etcds.append(self._spawn(
                ["etcd", "--name", f"e{i}", "--data-dir", str(self.directory / f"etcd{i}"),
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", everyone, "--initial-cluster-state", "new", "--enable-v2",
                 "--log-level", "error"], f"etcd{i}"))

    def _configure(self, node):
        home = self.directory / f"n{node}"
        home.mkdir()
        hosts = ", ".join(f'"{host}"' for host in self.etcd_hosts)
        (home / "patroni.yml").write_text(CONFIG.format(
            node=node, rest=self.rest[node], etcd=hosts, port=self.ports[node],
            data=home / "data", sockets=home, binaries=BINARIES))
        if os.getuid() == 0:
            shutil.chown(home, "postgres", "postgres")

    def start_node(self, node):
        self.patronis[node] = self._spawn(
            as_postgres(["patroni", str(self.directory / f"n{node}" / "patroni.yml")]), f"n{node}")

    def state(self, node):
        """What Patroni says of a node; nothing if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest[node]}/patroni",
                                        timeout=2) as page:
                return json.load(page)
        except urllib.error.HTTPError as error:
            return json.loads(error.read() or b"{}")
        except OSError:
            return {}

    def leader(self):
        for node in range(NODES):
            state = self.state(node)
            if state.get("role") in ("master", "primary") and state.get("state") == "running":
                return node
        return None

    def await_leader(self, seconds, other_than=None):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            leader = self.leader()
            if leader is not None and leader != other_than:
                return leader
            time.sleep(0.2)
        raise AssertionError(f"no leader: {[self.state(node) for node in range(NODES)]}")

    def await_standbys(self, seconds):
        """Everyone runs, and one standby is synchronous."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            leader = self.leader()
            if leader is not None:
                replication = self.state(leader).get("replication", [])
                kinds = [one.get("sync_state") for one in replication]
                if len(kinds) == NODES - 1 and "sync" in kinds:
                    return leader
            time.sleep(0.3)
        raise AssertionError(f"no standbys: {[self.state(node) for node in range(NODES)]}")

    def postmaster(self, node):
        lines = (self.directory / f"n{node}" / "data" / "postmaster.pid").read_text().splitlines()
        return int(lines[0])

    def processes(self, node):
        """The pids of a node: Patroni's, the postmaster's and their children's."""
        pids = [self.patronis[node].pid]
        try:
            pids.append(self.postmaster(node))
        except (OSError, IndexError, ValueError):
            pass
        found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True,
                               check=True).stdout
        parents = [tuple(map(int, line.split())) for line in found.splitlines()]
        grown = True
        while grown:
            more = [pid for pid, parent in parents if parent in pids and pid not in pids]
            pids += more
            grown = bool(more)
        return pids

    def signal_node(self, node, number):
        for pid in self.processes(node):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill_node(self, node):
        self.signal_node(node, signal.SIGKILL)
        self.patronis[node].wait()

    def kill_postmaster(self, node):
        os.kill(self.postmaster(node), signal.SIGKILL)

    def close(self):
        for node in range(NODES):
            if self.patronis[node] is not None:
                self.signal_node(node, signal.SIGCONT)
                self.signal_node(node, signal.SIGKILL)
                self.patronis[node].wait()
        for etcd in self.etcds:
            etcd.kill()
            etcd.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
