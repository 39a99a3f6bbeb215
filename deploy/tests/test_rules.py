"""The rules notice what they are there for: each breaks one thing and names the rule and what it says."""

import pytest

import rules
from manifests import containers, named, of_kind, pod_spec, rendered, servers


def scoring(manifests):
    return servers(manifests)["scoring"]


def container(manifests):
    return containers(scoring(manifests))[0]


def settings_of(manifests, service):
    name = containers(servers(manifests)[service])[0]["envFrom"][0]["configMapRef"]["name"]
    return named(manifests, "ConfigMap", name)["data"]


def drop(manifests, kind, name):
    manifests.remove(named(manifests, kind, name))


BREAKS = [
    (rules.schema, "replica", lambda m: scoring(m)["spec"].update(replica=3)),
    (rules.schema, "not of type", lambda m: scoring(m)["spec"].update(replicas="three")),
    (rules.schema, "containerPrt", lambda m: container(m)["ports"][0].update(containerPrt=1)),
    (rules.probes, "has no readinessProbe", lambda m: container(m).pop("readinessProbe")),
    (rules.probes, "has no startupProbe", lambda m: container(m).pop("startupProbe")),
    (rules.probes, "must ask the port admin", lambda m: container(m)["livenessProbe"]["httpGet"].update(port="rpc")),
    (rules.images, "no fixed tag", lambda m: container(m).update(image="mainstay-scoring")),
    (rules.images, "no fixed tag", lambda m: container(m).update(image="images.example.com:5000/mainstay-scoring")),
    (rules.images, "no fixed tag", lambda m: container(m).update(image="mainstay-scoring:latest")),
    (rules.confinement, "runAsNonRoot", lambda m: pod_spec(scoring(m))["securityContext"].pop("runAsNonRoot")),
    (rules.confinement, "may run as root", lambda m: pod_spec(scoring(m))["securityContext"].update(runAsUser=0)),
    (rules.confinement, "may run as root", lambda m: container(m)["securityContext"].update(runAsUser=0)),
    (rules.confinement, "may write to its image", lambda m: container(m)["securityContext"].pop("readOnlyRootFilesystem")),
    (rules.confinement, "keeps capabilities", lambda m: container(m)["securityContext"].pop("capabilities")),
    (rules.confinement, "may gain privileges", lambda m: container(m)["securityContext"].pop("allowPrivilegeEscalation")),
    (rules.confinement, "seccompProfile", lambda m: pod_spec(scoring(m))["securityContext"].pop("seccompProfile")),
    (rules.confinement, "service-account token", lambda m: pod_spec(scoring(m)).pop("automountServiceAccountToken")),
    (rules.confinement, "CPU and memory", lambda m: container(m)["resources"].pop("limits")),
    (rules.rollout, "maxUnavailable", lambda m: scoring(m)["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1)),
    (rules.rollout, "disruption budget", lambda m: drop(m, "PodDisruptionBudget", "mainstay-scoring")),
    (rules.rollout, "before it has drained", lambda m: pod_spec(scoring(m)).update(terminationGracePeriodSeconds=30)),
    (rules.rollout, "before it has drained", lambda m: settings_of(m, "scoring").update(MAINSTAY_SCORING__RPC__DRAIN__TIMEOUT="2m")),
    (rules.rollout, "no Job that migrates", lambda m: drop(m, "Job", "mainstay-migrate-scoring")),
    (rules.rollout, "another image", lambda m: container(m).update(image="images.example.com/mainstay/scoring:0.2.0")),
    (rules.database_connections, "more than 80 %", lambda m: scoring(m)["spec"].update(replicas=9)),
    (rules.database_connections, "more than 80 %", lambda m: settings_of(m, "surveys").update(MAINSTAY_SURVEYS__DATABASE__MAX_CONNECTIONS="20")),
    (rules.references, "no service account", lambda m: drop(m, "ServiceAccount", "mainstay-scoring")),
    (rules.references, "no volume tls", lambda m: pod_spec(scoring(m)).update(
        volumes=[volume for volume in pod_spec(scoring(m))["volumes"] if volume["name"] != "tls"])),
    (rules.references, "no ConfigMap", lambda m: container(m)["envFrom"][0]["configMapRef"].update(name="other")),
    (rules.services, "leads to none with that number", lambda m: container(m)["ports"][0].update(containerPort=7460)),
    (rules.services, "not one Service", lambda m: drop(m, "Service", "mainstay-headless-scoring")),
    (rules.network, "closes the namespace", lambda m: drop(m, "NetworkPolicy", "nothing-by-default")),
    (rules.network, "no policy lets it in", lambda m: drop(m, "NetworkPolicy", "mainstay-scoring")),
    (rules.network, "no policy lets it out", lambda m: drop(m, "NetworkPolicy", "mainstay-surveys")),
    (rules.network, "lets it ask for the database", lambda m: drop(m, "NetworkPolicy", "database")),
    (rules.network, "lets it ask for names", lambda m: drop(m, "NetworkPolicy", "names")),
    (rules.network, "lets everybody", lambda m: named(m, "NetworkPolicy", "metrics")["spec"]["ingress"][0].pop("from")),
    (rules.network, "is for no pod", lambda m: named(m, "NetworkPolicy", "page")["spec"].update(
        podSelector={"matchLabels": {"app.kubernetes.io/name": "survey"}})),
]


@pytest.mark.parametrize(("rule", "says", "breaks"), BREAKS, ids=[f"{rule.__name__}: {says}" for rule, says, _ in BREAKS])
def test_a_rule_notices_what_is_broken(rule, says, breaks):
    manifests = rendered("production")
    breaks(manifests)
    faults = list(rule(manifests))
    assert any(says in fault for fault in faults), faults


def test_every_rule_is_broken_once():
    assert {rule for rule, _, _ in BREAKS} == set(rules.RULES)


def test_manifests_are_rendered_anew_for_each_test():
    of_kind(rendered("production"), "Deployment")[0].clear()
    assert all(of_kind(rendered("production"), "Deployment"))
