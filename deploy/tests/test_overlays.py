"""What each overlay renders to keeps all rules."""

import re

import pytest

from manifests import DEPLOY, KUBERNETES, OVERLAYS, SERVICES, of_kind, pod_spec, rendered, servers, title
from rules import RULES, connections_max

WORKLOADS = ("Deployment", "StatefulSet", "Job")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_keeps_the_rule(overlay, rule):
    assert list(rule(rendered(overlay))) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_services_are_there(overlay):
    assert sorted(servers(rendered(overlay))) == sorted(SERVICES)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_sums_of_connections_in_the_comment_are_true(overlay):
    comment = (KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text()
    sums = connections_max(rendered(overlay))
    assert {name: int(re.search(rf"^#\s+{name} .* =\s+(\d+)$", comment, re.M)[1]) for name in SERVICES} == sums
    assert int(re.search(r"^#\s+all\s+(\d+)", comment, re.M)[1]) == sum(sums.values())


def test_production_has_no_secret_in_it():
    assert [title(secret) for secret in of_kind(rendered("production"), "Secret")] == []


def test_the_handbook_names_each_secret_of_production():
    handbook = (DEPLOY / "README.md").read_text()
    wanted = set()
    for workload in of_kind(rendered("production"), *WORKLOADS):
        wanted |= {volume["secret"]["secretName"] for volume in pod_spec(workload)["volumes"] if "secret" in volume}
    assert wanted
    shapes = {name: [name, *(name.replace(service, "<service>") for service in SERVICES)] for name in wanted}
    assert [name for name, written in shapes.items() if not any(f"`{shape}`" in handbook for shape in written)] == []


def test_dev_runs_one_replica_of_each():
    assert {server["spec"].get("replicas", 1) for server in servers(rendered("dev")).values()} == {1}


def test_production_runs_more_than_one_replica_of_each():
    assert min(server["spec"]["replicas"] for server in servers(rendered("production")).values()) >= 2
