"""The compose file: its form, that it stays on this machine, and that the services take its settings."""

import pytest
import yaml
from compose_spec import PyCompose

from manifests import DEPLOY, SERVICES
from reading import config_check

FILE = DEPLOY / "compose.yaml"
# With merge keys resolved, as compose does.
COMPOSE = yaml.safe_load(FILE.read_text())


def variables(name):
    """What a container of the file gets as environment: its files, and the values above them."""
    service = COMPOSE["services"][name]
    given = {}
    for file in service.get("env_file", []):
        lines = (DEPLOY / file).read_text().splitlines()
        given |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return given | service.get("environment", {})


def test_the_file_is_one_of_the_compose_specification():
    PyCompose.from_yaml(yaml.safe_dump(COMPOSE)).validate()


def test_a_field_that_the_specification_does_not_know_is_noticed():
    broken = yaml.safe_load(yaml.safe_dump(COMPOSE))
    broken["services"]["postgres"]["helthcheck"] = {}
    with pytest.raises(ValueError):
        PyCompose.from_yaml(yaml.safe_dump(broken)).validate()


def test_ports_are_open_on_this_machine_only():
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_images_have_fixed_tags():
    for name, service in COMPOSE["services"].items():
        _, _, tag = service["image"].rpartition(":")
        assert tag and tag != "latest" and "/" not in tag, name


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", ["", "-migrate"])
def test_the_service_takes_its_settings(service, part, tmp_path):
    code, said = config_check(service, variables(f"mainstay-{service}{part}"), tmp_path)
    assert code == 0, said[said.find("the configuration has") :]


@pytest.mark.parametrize("service", SERVICES)
def test_a_server_waits_for_its_migration_and_is_asked_for_its_health(service):
    server = COMPOSE["services"][f"mainstay-{service}"]
    assert server["depends_on"][f"mainstay-{service}-migrate"]["condition"] == "service_completed_successfully"
    assert server["healthcheck"]["test"] == ["CMD", "/usr/local/bin/mainstay-service", "healthcheck"]
    assert server["read_only"] and server["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("service", SERVICES)
def test_peers_are_named_as_they_are_in_the_file(service):
    addresses = [value for key, value in variables(f"mainstay-{service}").items() if key.endswith("__ADDRESS")]
    for address in addresses:
        host, port = address.removeprefix("http://").split(":")
        assert f"127.0.0.1:{port}:{port}" in COMPOSE["services"][host]["ports"]
