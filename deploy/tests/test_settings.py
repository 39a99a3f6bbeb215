"""Every setting in the manifests is one that the service knows and takes: the services themselves are asked."""

import re
import tomllib

import pytest

from manifests import OVERLAYS, SERVICES, containers, environment, labels, migrations, named, of_kind, pod_spec, rendered, servers
from reading import SECRETS, config_check, secret_paths, value_of


def access(manifests, server):
    """The configuration file that a server is given."""
    [volume] = [volume for volume in pod_spec(server)["volumes"] if volume["name"] == "access"]
    return named(manifests, "ConfigMap", volume["configMap"]["name"])["data"]["settings.toml"]


def parts(overlay, service, part):
    """Container, variables and configuration file of a service's server or migration."""
    manifests = rendered(overlay)
    workload = (servers if part == "server" else migrations)(manifests)[service]
    [container] = containers(workload)
    return workload, container, environment(manifests, container), access(manifests, workload) if part == "server" else None


everywhere = pytest.mark.parametrize("overlay", OVERLAYS)
each_service = pytest.mark.parametrize("service", SERVICES)
each_part = pytest.mark.parametrize("part", ["server", "migration"])


@everywhere
@each_service
@each_part
def test_the_service_takes_its_settings(overlay, service, part, tmp_path):
    _, _, variables, file = parts(overlay, service, part)
    code, said = config_check(service, variables, tmp_path, file)
    assert code == 0, said[said.find("the configuration has") :]


@everywhere
@each_service
@each_part
def test_all_variables_are_the_services_own(overlay, service, part):
    _, _, variables, _ = parts(overlay, service, part)
    assert [name for name in variables if not name.startswith(f"MAINSTAY_{service.upper()}__")] == []


@each_service
@pytest.mark.parametrize("name", ["RPC__LISTN", "DATABASE__MAX_CONNECTION", "WORKER__POLL_INTERVAL"])
def test_a_setting_that_the_service_does_not_know_is_noticed(service, name, tmp_path):
    _, _, variables, file = parts("production", service, "server")
    code, said = config_check(service, variables | {f"MAINSTAY_{service.upper()}__{name}": "5"}, tmp_path, file)
    assert (code, "is not a setting" in said) == (2, True), said


@everywhere
@each_service
@each_part
def test_each_secret_that_settings_name_is_mounted(overlay, service, part):
    workload, container, variables, file = parts(overlay, service, part)
    volumes = {volume["name"]: volume for volume in pod_spec(workload)["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    for path in secret_paths(variables, file):
        folder, _, name = f"{SECRETS}/{path}".rpartition("/")
        assert folder in mounts, f"{path} is mounted nowhere"
        projected = mounts[folder].get("projected", {}).get("sources")
        if projected is not None:
            tokens = [source["serviceAccountToken"]["path"] for source in projected if "serviceAccountToken" in source]
            items = [item["path"] for source in projected for item in source.get("configMap", {}).get("items", [])]
            assert name in [*tokens, *items]


@everywhere
@each_service
def test_ports_are_those_that_the_service_listens_on(overlay, service, tmp_path):
    _, container, variables, file = parts(overlay, service, "server")
    _, said = config_check(service, variables, tmp_path, file)
    keys = {"rpc": "rpc.listen", "admin": "rpc.admin_listen", "page": "page.listen"}
    for port in container["ports"]:
        assert value_of(said, keys[port["name"]]) == f"0.0.0.0:{port['containerPort']}"


@each_service
def test_production_authenticates_and_encrypts(service, tmp_path):
    _, _, variables, file = parts("production", service, "server")
    _, said = config_check(service, variables, tmp_path, file)
    assert value_of(said, "auth.jwt.issuer") and value_of(said, "auth.jwt.audience")
    assert value_of(said, "rpc.allow_unauthenticated_non_loopback") == "false"
    assert value_of(said, "rpc.tls.certificate_file") and value_of(said, "rpc.tls.key_file")


@each_service
def test_who_calls_a_service_may_read_its_feed(service):
    """The callers that the network lets in by name are those that are granted something, under their own account."""
    manifests = rendered("production")
    grants = tomllib.loads(access(manifests, servers(manifests)[service])).get("auth", {}).get("grants", {})
    [namespace] = of_kind(manifests, "Namespace")
    subject = re.compile(rf"system:serviceaccount:{namespace['metadata']['name']}:(.+)")
    granted = {subject.fullmatch(name)[1]: permissions for name, permissions in grants.items()}
    callers = {
        pod_spec(server)["serviceAccountName"]
        for caller, server in servers(manifests).items()
        if f"MAINSTAY_{caller.upper()}__PEERS__{service.upper()}__ADDRESS" in environment(manifests, containers(server)[0])
    }
    assert granted.keys() == callers
    assert all("events.read" in permissions for permissions in granted.values())


@everywhere
def test_the_serving_role_is_not_the_one_that_migrates(overlay):
    manifests = rendered(overlay)
    for service in SERVICES:
        of_server, of_job = servers(manifests)[service], migrations(manifests)[service]
        secrets = [
            next(v["secret"]["secretName"] for v in pod_spec(workload)["volumes"] if v["name"] == "database")
            for workload in (of_server, of_job)
        ]
        assert secrets[0] != secrets[1] and "-owner" in secrets[1], secrets
        variables = environment(manifests, containers(of_job)[0])
        assert variables[f"MAINSTAY_{service.upper()}__MIGRATION__SERVING_ROLE"] == f"mainstay_{labels(of_job)['app.kubernetes.io/name']}"
