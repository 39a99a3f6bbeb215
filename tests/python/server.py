"""A service for the tests: `mainstay up` on free ports, with a database of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

# The first start makes a database; it takes seconds, and longer on a machine that builds beside it.
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 60


@contextlib.contextmanager
def running():
    """Runs the services, and gives the address of scoring as `host:port`."""
    with running_services() as addresses:
        yield addresses["scoring"]


@contextlib.contextmanager
def running_services():
    """Runs the services, and gives their addresses as `host:port`, by name."""
    with tempfile.TemporaryDirectory(prefix="mainstay-python-", ignore_cleanup_errors=True) as folder:
        # Root's PostgreSQL runs as another user, who must get at its folder.
        os.chmod(folder, 0o711)
        process = _start(Path(folder))
        try:
            yield _addresses(process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(timeout=STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert code == 0, f"`mainstay up` ended with {code}"


def _start(folder):
    command = [os.environ["MAINSTAY_BIN"], "up", "--output", "json", "--data-dir", folder / "data"]
    ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    return subprocess.Popen([*command, *ports], stdout=subprocess.PIPE, stderr=sys.stderr, text=True)


def _addresses(process):
    """The addresses that the first line of the output tells."""
    too_late = threading.Timer(START_SECONDS_MAX, process.kill)
    too_late.start()
    line = process.stdout.readline()
    too_late.cancel()
    assert line, f"`mainstay up` ended with {process.wait()} before it said where it is"
    services = json.loads(line)["services"]
    return {name: service["server"].removeprefix("http://") for name, service in services.items()}
