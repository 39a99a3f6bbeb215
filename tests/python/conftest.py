"""What the tests share: the code made from the protos, a running service, a channel to it."""

import sys
import tempfile
from pathlib import Path

import grpc
import pytest

import server
import stubs

# The tests import the modules, so they are made before the tests are read.
_generated = tempfile.TemporaryDirectory(prefix="mainstay-stubs-")
stubs.generate(Path(_generated.name))
sys.path.insert(0, _generated.name)

# Longest wait for anything: generous, for it only passes when something is broken.
CONNECT_SECONDS_MAX = 60


@pytest.fixture(scope="session")
def generated():
    """The folder of the code made from the protos."""
    return Path(_generated.name)


@pytest.fixture(scope="session")
def address():
    """Address of a service that runs for these tests alone."""
    with server.running() as address:
        yield address


@pytest.fixture(scope="session")
def channel(address):
    """A channel to the service."""
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS_MAX)
        yield channel
