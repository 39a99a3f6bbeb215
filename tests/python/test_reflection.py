"""The services without any code made beforehand: everything is asked of the server."""

import json

import grpc
import pytest

import reflected

ACCOUNTS = "mainstay.scoring.v1.AccountService"


@pytest.fixture(scope="module")
def server(channel):
    return reflected.Reflected(channel)


def test_the_server_tells_what_it_serves(server):
    assert {
        "google.longrunning.Operations",
        "grpc.health.v1.Health",
        "mainstay.events.v1.EventFeedService",
        ACCOUNTS,
        "mainstay.scoring.v1.DefinitionService",
        "mainstay.scoring.v1.HealthService",
        "mainstay.scoring.v1.ModelService",
        "mainstay.scoring.v1.AdoptionService",
        "mainstay.scoring.v1.LabelService",
        "mainstay.scoring.v1.CohortService",
        "mainstay.scoring.v1.ForecastService",
        "mainstay.scoring.v1.RenewalService",
        "mainstay.scoring.v1.RiskTriggerService",
        "mainstay.scoring.v1.SignalService",
    } <= set(server.services())


def test_methods_are_called_without_stubs(server):
    account = {
        "name": "accounts/reflected",
        "displayName": "Reflected",
        "segment": "SEGMENT_SMB",
        "arr": {"currencyCode": "EUR", "minorUnits": "4900"},
    }
    (answer,) = server.call(ACCOUNTS, "BatchUpsertAccounts", {"accounts": [account]})
    assert answer == {"createdCount": 1}
    (stored,) = server.call(ACCOUNTS, "GetAccount", {"name": "accounts/reflected"})
    assert account.items() <= stored.items()


def test_events_are_read_with_their_payloads(server):
    subscription = {"types": ["mainstay.scoring.v1.ModelActivated"], "untilNow": True}
    batches = list(server.call("mainstay.events.v1.EventFeedService", "Subscribe", subscription))
    (event,) = [event for batch in batches for event in batch.get("events", [])]
    assert event["payload"]["model"]["name"] == "models/default"
    assert batches[-1]["cursor"]


def test_a_refusal_can_be_told_by_its_code(server):
    with pytest.raises(grpc.RpcError) as refused:
        list(server.call("mainstay.scoring.v1.ModelService", "GetModel", {"name": "models/none"}))
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def test_the_command_line_lists_and_calls(address, capsys):
    reflected.main([address])
    assert ACCOUNTS in capsys.readouterr().out.splitlines()
    reflected.main([address, ACCOUNTS])
    assert "GetAccount(mainstay.scoring.v1.GetAccountRequest) returns (mainstay.scoring.v1.Account)" in capsys.readouterr().out
    reflected.main([address, "grpc.health.v1.Health/Check"])
    assert json.loads(capsys.readouterr().out) == {"status": "SERVING"}
