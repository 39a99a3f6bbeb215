"""What an overlay renders to, and how its parts hang together."""

import functools
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
OVERLAYS = sorted(folder.name for folder in (KUBERNETES / "overlays").iterdir())
SERVICES = ["scoring", "surveys", "interventions", "expansion"]

# Kinds whose pods live as long as the workload does, and those whose pods do one thing and end.
LASTING = ("Deployment", "StatefulSet", "DaemonSet")
WORKLOADS = (*LASTING, "Job")


@functools.cache
def rendered_text(overlay):
    """What `kubectl kustomize` makes of an overlay, as text."""
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rendered(overlay):
    """The objects of an overlay, anew at each call, so that a test may change them."""
    return list(yaml.safe_load_all(rendered_text(overlay)))


def title(manifest):
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(manifests, *kinds):
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests, kind, name):
    """The one object of that kind and name, or None."""
    return next((m for m in of_kind(manifests, kind) if m["metadata"]["name"] == name), None)


def labels(manifest):
    return manifest["metadata"].get("labels", {})


def pod_template(workload):
    return workload["spec"]["template"]


def pod_spec(workload):
    return pod_template(workload)["spec"]


def pod_labels(workload):
    return pod_template(workload)["metadata"].get("labels", {})


def containers(workload):
    spec = pod_spec(workload)
    return [*spec.get("initContainers", []), *spec["containers"]]


def servers(manifests):
    """The Deployments of our services, by service."""
    deployments = of_kind(manifests, "Deployment")
    ours = [d for d in deployments if labels(d).get("app.kubernetes.io/component") == "server"]
    return {labels(deployment)["app.kubernetes.io/name"]: deployment for deployment in ours}


def migrations(manifests):
    """The Jobs that migrate, by service."""
    return {labels(job)["app.kubernetes.io/name"]: job for job in of_kind(manifests, "Job")}


def selects(selector, candidate):
    """Whether a label selector, or a plain map of labels, takes these labels."""
    if not selector or not {"matchLabels", "matchExpressions"} & selector.keys():
        selector = {"matchLabels": selector or {}}
    for key, value in selector.get("matchLabels", {}).items():
        if candidate.get(key) != value:
            return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", f"not understood here: {expression}"
        if candidate.get(expression["key"]) not in expression["values"]:
            return False
    return True


def environment(manifests, container):
    """The variables of a container: those of its ConfigMaps, and its own above them."""
    variables = {}
    for source in container.get("envFrom", []):
        config_map = named(manifests, "ConfigMap", source["configMapRef"]["name"])
        variables |= config_map["data"] if config_map else {}
    return variables | {variable["name"]: variable["value"] for variable in container.get("env", []) if "value" in variable}


def settings(manifests, service):
    """What the overlay sets for a service by variables, by dotted key."""
    server = servers(manifests)[service]
    prefix = f"MAINSTAY_{service.upper()}__"
    variables = environment(manifests, containers(server)[0])
    return {
        name.removeprefix(prefix).lower().replace("__", "."): value
        for name, value in variables.items()
        if name.startswith(prefix)
    }


def seconds(duration):
    """A length of time as settings are written: 500ms, 30s, 5m, 2h, 90d."""
    for unit, factor in (("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)):
        number = duration.removesuffix(unit)
        if number.isdigit() and number != duration:
            return int(number) * factor
    raise ValueError(f"not a length of time: {duration}")
