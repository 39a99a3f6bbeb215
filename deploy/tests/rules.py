"""What must hold of everything that an overlay renders to. Each rule gives a sentence for each fault."""

import re

import kubernetes_validate

from manifests import (
    LASTING, SERVICES, WORKLOADS, containers, labels, named, of_kind, pod_labels, pod_spec, seconds, selects, servers, settings,
    title,
)

# The oldest Kubernetes that has all that is used, and the newest whose schemas there are.
KUBERNETES_VERSIONS = ["1.31", "1.37"]
# What a process still does when the last call has been drained: messages under way, the telemetry's last flush.
SECONDS_AFTER_DRAIN = 13


def schema(manifests):
    """Every field is one that Kubernetes knows, of the right type."""
    for manifest in manifests:
        for version in KUBERNETES_VERSIONS:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                path = ".".join(str(step) for step in error.path)
                yield f"{title(manifest)}: {path or 'the whole'}: {error.message} (Kubernetes {version})"


def probes(manifests):
    """Whatever lasts is asked whether it lives and is ready; our services on their admin port, and given time to start."""
    for workload in of_kind(manifests, *LASTING):
        ours = workload in servers(manifests).values()
        wanted = {"livenessProbe", "readinessProbe"} | ({"startupProbe"} if ours else set())
        for container in containers(workload):
            for probe in sorted(wanted - container.keys()):
                yield f"{title(workload)}: the container {container['name']} has no {probe}"
            if not ours:
                continue
            for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
                asked = container.get(probe, {}).get("httpGet", {})
                if probe in container and (asked.get("port"), asked.get("path")) != ("admin", path):
                    yield f"{title(workload)}: {probe} must ask the port admin for {path}"


def images(manifests):
    """Images have a tag or a digest, and none that moves with the wind."""
    for workload in of_kind(manifests, *WORKLOADS):
        for container in containers(workload):
            image = container["image"]
            tag = re.search(r":([^:/@]+)$", image.split("@")[0])
            if "@sha256:" not in image and (tag is None or tag[1] == "latest"):
                yield f"{title(workload)}: the image {image} has no fixed tag"


def confinement(manifests):
    """No pod runs as root, gains privileges, writes to its image, keeps a capability, or gets a token it does not need."""
    for workload in of_kind(manifests, *WORKLOADS):
        spec, name = pod_spec(workload), title(workload)
        pod = spec.get("securityContext", {})
        if pod.get("runAsNonRoot") is not True:
            yield f"{name}: may run as root: runAsNonRoot is not true"
        if not pod.get("runAsUser"):
            yield f"{name}: may run as root: runAsUser is not set to a number above 0"
        if pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name}: seccompProfile is not RuntimeDefault"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name}: gets a service-account token"
        if spec.get("enableServiceLinks") is not False:
            yield f"{name}: gets variables for every Service of the namespace"
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(key):
                yield f"{name}: {key}"
        for volume in spec.get("volumes", []):
            if "hostPath" in volume:
                yield f"{name}: mounts a folder of the node"
        for container in containers(workload):
            own, place = container.get("securityContext", {}), f"{name}, container {container['name']}"
            if own.get("runAsNonRoot") is False or own.get("runAsUser") == 0:
                yield f"{place}: may run as root"
            if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
                yield f"{place}: may gain privileges"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{place}: may write to its image"
            capabilities = own.get("capabilities", {})
            if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
                yield f"{place}: keeps capabilities"
            resources = container.get("resources", {})
            if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
                yield f"{place}: says not what it needs of CPU and memory"


def rollout(manifests):
    """A service is never without a replica that serves: while rolled out, drained, or when a node or zone is lost."""
    for service in SERVICES:
        server = servers(manifests).get(service)
        if server is None:
            yield f"{service} has no Deployment"
            continue
        strategy = server["spec"].get("strategy", {}).get("rollingUpdate", {})
        if strategy.get("maxUnavailable") != 0:
            yield f"{title(server)}: maxUnavailable is not 0"
        budgets = of_kind(manifests, "PodDisruptionBudget")
        if sum(selects(budget["spec"]["selector"], pod_labels(server)) for budget in budgets) != 1:
            yield f"{title(server)}: there is not one disruption budget for it"
        spread = pod_spec(server).get("topologySpreadConstraints", [])
        if {constraint["topologyKey"] for constraint in spread} != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
            yield f"{title(server)}: is not spread over zones and nodes"
        given = settings(manifests, service)
        needed = seconds(given["rpc.drain.delay"]) + seconds(given["rpc.drain.timeout"]) + SECONDS_AFTER_DRAIN
        if pod_spec(server).get("terminationGracePeriodSeconds", 30) < needed:
            yield f"{title(server)}: is killed before it has drained, which may take {needed:g} s"
        job = named(manifests, "Job", f"mainstay-migrate-{service}")
        if job is None:
            yield f"{service} has no Job that migrates"
        elif containers(job)[0]["image"] != containers(server)[0]["image"]:
            yield f"{title(job)}: migrates with another image than the one that serves"


# Connections of a replica that are not for calls, from the services' sources: for readers of the feed 4, the sequencer 1,
# counting jobs and housekeeping 2, each feed that is consumed 3, sending messages 4, each worker of a queue 1.
def background_connections(service, given):
    always = 4 + 1 + 2
    return always + {
        # Beside rescoring: activations, marking all accounts, silences, other looks, due times, the use of plans, ends of
        # labels, recomputations, steps of backtests and trainings, operations.
        "scoring": lambda: int(given.get("scoring.rescore_workers", "2")) + 10 + 2 * 3,
        # Occasions 2, enrolments, follow-ups, resurveys.
        "surveys": lambda: 5 + 2 * 3 + 4,
        # Beside clocks: looking at saved accounts, digests of billing alerts.
        "interventions": lambda: int(given.get("interventions.clock_workers", "2")) + 2 + 2 * 3 + 4,
        # Clocks, pages of reviews, beginnings of reviews.
        "expansion": lambda: 3 + 2 * 3,
    }[service]()


def connections_max(manifests):
    """Most database connections at once, by service: all replicas, and those that come while rolling out."""
    most = {}
    for service, server in servers(manifests).items():
        given = settings(manifests, service)
        replicas = server["spec"].get("replicas", 1) + server["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        calls = int(given.get("database.max_connections", "10"))
        most[service] = replicas * (calls + background_connections(service, given))
    return most


def database_connections(manifests):
    """All pools of all replicas stay below 80 % of what the server takes."""
    [namespace] = of_kind(manifests, "Namespace")
    limit = int(namespace["metadata"].get("annotations", {}).get("mainstay/database-max-connections", "0"))
    most = connections_max(manifests)
    if sum(most.values()) > 0.8 * limit:
        yield f"{sum(most.values())} connections are more than 80 % of {limit}: {most}"


def references(manifests):
    """What a pod names is there: service account, ConfigMaps, volumes, ports."""
    for workload in of_kind(manifests, *WORKLOADS):
        spec, name = pod_spec(workload), title(workload)
        account = spec.get("serviceAccountName")
        if account and not named(manifests, "ServiceAccount", account):
            yield f"{name}: there is no service account {account}"
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        config_maps = [volume["configMap"]["name"] for volume in spec.get("volumes", []) if "configMap" in volume]
        for container in containers(workload):
            config_maps += [source["configMapRef"]["name"] for source in container.get("envFrom", [])]
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield f"{name}: there is no volume {mount['name']}"
        for config_map in config_maps:
            if not named(manifests, "ConfigMap", config_map):
                yield f"{name}: there is no ConfigMap {config_map}"


def services(manifests):
    """Each Service leads to pods that have its ports, and each server has one with an address and one without."""
    workloads = of_kind(manifests, *LASTING)
    for service in of_kind(manifests, "Service"):
        chosen = [w for w in workloads if selects(service["spec"]["selector"], pod_labels(w))]
        if len(chosen) != 1:
            yield f"{title(service)}: leads to {len(chosen)} workloads"
            continue
        ports = {port["name"]: port["containerPort"] for c in containers(chosen[0]) for port in c.get("ports", [])}
        for port in service["spec"]["ports"]:
            if ports.get(port["targetPort"]) != port["port"]:
                yield f"{title(service)}: the port {port['name']} leads to none with that number"
    for server in servers(manifests).values():
        kinds = [s["spec"].get("clusterIP") for s in of_kind(manifests, "Service") if selects(s["spec"]["selector"], pod_labels(server))]
        if len(kinds) != 2 or set(kinds) != {"None", None}:
            yield f"{title(server)}: has not one Service with an address and one without"


def _lets(policies, direction, pod, other, port):
    """Whether a policy lets traffic of these pods pass. `port` is (number, name)."""
    peers_key = "to" if direction == "egress" else "from"
    for policy in policies:
        if not selects(policy["spec"]["podSelector"], pod):
            continue
        for rule in policy["spec"].get(direction, []):
            peers = [peer["podSelector"] for peer in rule.get(peers_key, []) if peer.keys() == {"podSelector"}]
            if any(selects(peer, other) for peer in peers) and any(p["port"] in port for p in rule["ports"]):
                return True
    return False


def network(manifests):
    """Nothing passes by default; each call that the settings speak of may leave the caller and reach the other."""
    policies = of_kind(manifests, "NetworkPolicy")
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if closed not in [policy["spec"] for policy in policies]:
        yield "no policy closes the namespace by default"
    pods = [pod_labels(workload) for workload in of_kind(manifests, *WORKLOADS)]
    for policy in policies:
        if not any(selects(policy["spec"]["podSelector"], pod) for pod in pods):
            yield f"{title(policy)}: is for no pod"
        for rule in [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]:
            if not rule.get("ports") or not (rule.get("from") or rule.get("to")):
                yield f"{title(policy)}: lets everybody in or out, or on every port"
    for workload in [*servers(manifests).values(), *of_kind(manifests, "Job")]:
        mine = [policy["spec"] for policy in policies if selects(policy["spec"]["podSelector"], pod_labels(workload))]
        ports = [port["port"] for spec in mine for rule in spec.get("egress", []) for port in rule["ports"]]
        for port, what in ((5432, "the database"), (53, "names")):
            if port not in ports:
                yield f"{title(workload)}: no policy lets it ask for {what}"
    calls = {(service, peer) for service in servers(manifests) for peer in peers(manifests, service)}
    for caller, callee in sorted(calls):
        [rpc] = [p for p in containers(servers(manifests)[callee])[0]["ports"] if p["name"] == "rpc"]
        port = (rpc["containerPort"], "rpc")
        here, there = pod_labels(servers(manifests)[caller]), pod_labels(servers(manifests)[callee])
        if not _lets(policies, "egress", here, there, port):
            yield f"{caller} is to call {callee}, and no policy lets it out"
        if not _lets(policies, "ingress", there, here, port):
            yield f"{caller} is to call {callee}, and no policy lets it in"


def peers(manifests, service):
    """The services that a service is told to call, with the Service object that each address leads to."""
    found = {}
    for key, address in settings(manifests, service).items():
        match = re.fullmatch(r"peers\.(\w+)\.address", key)
        if match:
            host, port = re.fullmatch(r"https?://([^:/]+):(\d+)", address).groups()
            target = named(manifests, "Service", host)
            assert target, f"{service}: {key} leads to {host}, which there is not"
            assert int(port) in [p["port"] for p in target["spec"]["ports"]], f"{service}: {key}: no port {port}"
            assert labels(target)["app.kubernetes.io/name"] == match[1], f"{service}: {key} leads to another service"
            found[match[1]] = target
    return found


RULES = [
    schema, probes, images, confinement, rollout, database_connections, references, services, network,
]
