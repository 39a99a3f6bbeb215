"""Small helpers around calls."""

import time
from datetime import datetime, timedelta, timezone

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

# How long one call may take.
CALL_SECONDS_MAX = 30
# How long an effect may take to show.
EFFECT_SECONDS_MAX = 60

DETAILS_KEY = "grpc-status-details-bin"


def refusal(call, request):
    """The `grpc.RpcError` with which `call(request)` is refused, and its `google.rpc.Status`."""
    with pytest.raises(grpc.RpcError) as refused:
        call(request, timeout=CALL_SECONDS_MAX)
    error = refused.value
    carried = [value for key, value in error.trailing_metadata() if key == DETAILS_KEY]
    assert len(carried) == 1, f"one {DETAILS_KEY} in {error.trailing_metadata()}"
    return error, status_pb2.Status.FromString(carried[0])


def detail(status, kind):
    """The one detail of a `google.rpc.Status` of this message type."""
    found = [any_detail for any_detail in status.details if any_detail.Is(kind.DESCRIPTOR)]
    assert len(found) == 1, f"one {kind.DESCRIPTOR.full_name} in {status}"
    message = kind()
    found[0].Unpack(message)
    return message


def reason(status):
    """`(domain, reason)` of a `google.rpc.Status`."""
    info = detail(status, error_details_pb2.ErrorInfo)
    return info.domain, info.reason


def days_ago(days):
    """A time so many days ago."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(timezone.utc) - timedelta(days=days))
    return stamp


def wait_for(stream, condition):
    """Asks `condition` at each message of a `WatchHealth` stream (it sends heartbeats too), and answers the
    first thing it gives that is not None."""
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        for _ in stream:
            found = condition()
            if found is not None:
                return found
            assert time.monotonic() < give_up_at, "the effect did not show in time"
    finally:
        stream.cancel()
    raise AssertionError("the stream ended before the effect showed")
