"""The services without any code made beforehand: everything is asked of the server."""

import grpc
import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from calls import CALL_SECONDS_MAX


class Reflected:
    """Calls methods by their names, with requests and answers as JSON has them."""

    def __init__(self, channel):
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = descriptor_pool.DescriptorPool(self._database)

    def services(self):
        return list(self._database.get_services())

    def call(self, service, method, request):
        described = self._pool.FindServiceByName(service).methods_by_name[method]
        request_class = message_factory.GetMessageClass(described.input_type)
        answer_class = message_factory.GetMessageClass(described.output_type)
        call = self._channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=answer_class.FromString,
        )
        answer = call(json_format.ParseDict(request, request_class()), timeout=CALL_SECONDS_MAX)
        return json_format.MessageToDict(answer, descriptor_pool=self._pool)


@pytest.fixture(scope="module")
def reflected(channel):
    return Reflected(channel)


def test_the_server_tells_what_it_serves(reflected):
    assert {
        "grpc.health.v1.Health",
        "mainstay.events.v1.EventFeedService",
        "mainstay.scoring.v1.AccountService",
        "mainstay.scoring.v1.HealthService",
        "mainstay.scoring.v1.ModelService",
        "mainstay.scoring.v1.SignalService",
    } <= set(reflected.services())


def test_methods_are_called_without_stubs(reflected):
    service = "mainstay.scoring.v1.AccountService"
    account = {
        "name": "accounts/reflected",
        "displayName": "Reflected",
        "segment": "SEGMENT_SMB",
        "arr": {"currencyCode": "EUR", "minorUnits": "4900"},
    }
    reflected.call(service, "BatchUpsertAccounts", {"accounts": [account]})
    stored = reflected.call(service, "GetAccount", {"name": "accounts/reflected"})
    assert account.items() <= stored.items()
    assert reflected.call("grpc.health.v1.Health", "Check", {}) == {"status": "SERVING"}


def test_a_refusal_can_be_told_by_its_code(reflected):
    with pytest.raises(grpc.RpcError) as refused:
        reflected.call("mainstay.scoring.v1.ModelService", "GetModel", {"name": "models/none"})
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
