"""Two ends of a cable on one machine: the edge in a network namespace behind a token bucket, the service outside."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "cleave-edge"
EDGE, CLOUD = "10.213.0.2", "10.213.0.1"


def run(*command: object, **options) -> str:
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=1200, **options)
    if result.returncode != 0:
        sys.exit(f"{Path(sys.argv[0]).name}: `{' '.join(map(str, command))}` exited with {result.returncode}: {result.stderr.strip()}")
    return result.stdout


class Network:
    """Two ends of a cable; the edge's end lies in a namespace, and what it sends passes a token bucket."""

    def __enter__(self) -> Network:
        self.remove()
        run("ip", "netns", "add", NAMESPACE)
        run("ip", "link", "add", "cleave-e", "type", "veth", "peer", "name", "cleave-c")
        run("ip", "link", "set", "cleave-e", "netns", NAMESPACE)
        run("ip", "addr", "add", f"{CLOUD}/24", "dev", "cleave-c")
        run("ip", "link", "set", "cleave-c", "up")
        for command in (["addr", "add", f"{EDGE}/24", "dev", "cleave-e"], ["link", "set", "cleave-e", "up"], ["link", "set", "lo", "up"]):
            run("ip", "-n", NAMESPACE, *command)
        return self

    def limit(self, megabits: float):
        # Packets of real size and a bucket of little more than one, so that the first kilobytes of a frame are not free.
        run("ip", "netns", "exec", NAMESPACE, "ethtool", "-K", "cleave-e", "tso", "off", "gso", "off") if has("ethtool") else None
        run("tc", "-n", NAMESPACE, "qdisc", "replace", "dev", "cleave-e", "root", "tbf", "rate", f"{megabits}mbit",
            "burst", "1700" if megabits <= 20 else "8kb", "latency", "1000ms")

    def remove(self):
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True)
        subprocess.run(["ip", "link", "del", "cleave-c"], capture_output=True)

    def __exit__(self, *_):
        self.remove()


def has(program: str) -> bool:
    return subprocess.run(["which", program], capture_output=True).returncode == 0


@contextlib.contextmanager
def service(programs: Path, package: Path, scratch: Path):
    """A service with the package, on core 0 and one thread; gives its address."""
    store, addresses = scratch / "store", scratch / "addresses.json"
    run(programs / "cleave", "store", "publish", package, "--store", store)
    process = subprocess.Popen(
        ["taskset", "-c", "0", programs / "cleave-cloud", "--store", store, "--listen", f"{CLOUD}:0", "--http",
         "127.0.0.1:0", "--addresses", addresses, "--log-level", "warning", "--threads", "1"])
    try:
        for _ in range(300):
            if addresses.exists():
                break
            time.sleep(0.1)
        yield json.loads(addresses.read_text())["grpc"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
