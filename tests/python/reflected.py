"""Calls a server's methods by their names, without code made from its protos.

    python reflected.py 127.0.0.1:7461                                   the services
    python reflected.py 127.0.0.1:7461 mainstay.scoring.v1.HealthService   the methods of one
    python reflected.py 127.0.0.1:7461 mainstay.scoring.v1.HealthService/GetHealth '{"account": "accounts/acme"}'

Needs grpcio and grpcio-reflection.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Reflected:
    """A server that is asked for its own description. Requests and answers are as JSON has them."""

    def __init__(self, channel, timeout_seconds=30):
        self._channel = channel
        self._timeout_seconds = timeout_seconds
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = descriptor_pool.DescriptorPool(self._database)

    def services(self):
        """Full names of the services."""
        return sorted(self._database.get_services())

    def methods(self, service):
        """Names of a service's methods with the types of request and answer."""
        described = self._pool.FindServiceByName(service)
        stream = {True: "stream ", False: ""}
        return [
            f"{method.name}({stream[method.client_streaming]}{method.input_type.full_name})"
            f" returns ({stream[method.server_streaming]}{method.output_type.full_name})"
            for method in described.methods
        ]

    def call(self, service, method, request):
        """The answers to a request: one, or those of a stream, as they come."""
        described = self._pool.FindServiceByName(service).methods_by_name[method]
        if described.client_streaming:
            raise ValueError(f"{method} takes a stream of requests")
        request_class = message_factory.GetMessageClass(described.input_type)
        answer_class = message_factory.GetMessageClass(described.output_type)
        kind = self._channel.unary_stream if described.server_streaming else self._channel.unary_unary
        call = kind(
            f"/{service}/{method}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=answer_class.FromString,
        )
        answer = call(json_format.ParseDict(request, request_class()), timeout=self._timeout_seconds)
        for message in answer if described.server_streaming else [answer]:
            yield json_format.MessageToDict(message, descriptor_pool=self._pool)


def main(arguments):
    """The command line."""
    address, what, request = [*arguments, *["", "", "{}"][len(arguments) :]]
    with grpc.insecure_channel(address) as channel:
        server = Reflected(channel)
        if not what:
            lines = server.services()
        elif "/" not in what:
            lines = server.methods(what)
        else:
            lines = (json.dumps(answer, indent=2) for answer in server.call(*what.split("/"), json.loads(request)))
        for line in lines:
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
