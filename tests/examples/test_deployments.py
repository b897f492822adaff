# SPDX-License-Identifier: Apache-2.0
"""The files that deploy the release controller are valid, and ask for no more than needed."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from okd_payload.cli.serve import serve
from okd_payload.controller.configuration.folder import load_streams
from okd_payload.testing.kubernetes.validation import validate

ROOT = Path(__file__).resolve().parents[2]
CONTROLLER = ROOT / "deployments" / "controller"
MACHINE = ROOT / "deployments" / "single-machine"
MINE = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{base}]
components: [../site, ../signing]
"""


def build(folder: Path) -> list[dict[str, Any]]:
    """The objects that a folder describes."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here")
    ended = subprocess.run(
        ["kubectl", "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return list(yaml.safe_load_all(ended.stdout))


def only(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one object of ``kind``."""
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


@pytest.fixture(params=["kubernetes", "openshift"])
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """What each of the two ways deploys."""
    return build(CONTROLLER / request.param)


def test_every_object_is_valid(objects: list[dict[str, Any]]) -> None:
    """By the schemas and rules of a cluster; OpenShift's route by what it leads to."""
    for each in objects:
        if each["kind"] != "Route":
            assert validate(each) == [], each["kind"]
        else:
            assert each["spec"]["to"]["name"] == only(objects, "Service")["metadata"]["name"]


def test_the_pods_have_no_rights_on_their_node(objects: list[dict[str, Any]]) -> None:
    """Admitted where pods are restricted: not root, nothing written but in volumes."""
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert set(container["resources"]["limits"]) >= {"memory", "ephemeral-storage"}
    assert set(container["resources"]["requests"]) >= {"cpu", "memory"}
    assert {container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "startup")} == {
        "/healthz"
    }
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_no_secret_is_in_the_files(objects: list[dict[str, Any]]) -> None:
    """The database's URL and the registry's credentials are made by whoever deploys."""
    assert not [each for each in objects if each["kind"] == "Secret"]
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each for each in container["env"]}
    assert "secretKeyRef" in variables["OKD_PAYLOAD_DATABASE"]["valueFrom"]


def test_two_instances_share_the_work(objects: list[dict[str, Any]]) -> None:
    """Each under a name of its own, and never both away for an upgrade of nodes."""
    deployment = only(objects, "Deployment")["spec"]
    assert deployment["replicas"] == 2
    (container,) = deployment["template"]["spec"]["containers"]
    assert "--instance=$(POD_NAME)" in container["args"]
    budget = only(objects, "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= (
        deployment["template"]["metadata"]["labels"].items()
    )


def test_the_options_exist(objects: list[dict[str, Any]]) -> None:
    """What the pods are started with is what the command takes."""
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    command, *given = container["args"]
    assert command == "serve"
    assert {each.partition("=")[0] for each in given} <= known_options()


def policies(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The network policies, each of which has to be about the pods that there are."""
    labels = only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    found = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]
    assert all(each["podSelector"]["matchLabels"].items() <= labels.items() for each in found)
    return found


def test_what_a_cluster_lets_in_and_out(objects: list[dict[str, Any]]) -> None:
    """One port in; names, registries, the cluster and the database out, each to somewhere."""
    found = policies(objects)
    ingress = [rule for each in found for rule in each.get("ingress", ())]
    egress = [rule for each in found for rule in each["egress"]]
    assert found[0]["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in ingress for port in rule["ports"]] == [8080]
    assert all(rule["to"] for rule in egress)
    out = {port["port"] for rule in egress for port in rule["ports"]}
    internal = {5000} if any(each["kind"] == "Route" for each in objects) else set()
    assert out == {53, 443, 5353, 5432, 6443} | internal


def test_what_clouds_tell_their_machines_is_out_of_reach(objects: list[dict[str, Any]]) -> None:
    """No rule leads to where a machine of a cloud gets its credentials."""
    blocks = [
        each["ipBlock"]
        for policy in policies(objects)
        for rule in policy["egress"]
        for each in rule["to"]
        if "ipBlock" in each
    ]
    for text in ("169.254.169.254", "fd00:ec2::254"):
        secret = ipaddress.ip_address(text)
        assert not [block for block in blocks if lets_through(block, secret)]


def lets_through(
    block: dict[str, Any], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> bool:
    """Whether a rule for ``block`` is one for ``address``."""
    inside, *outside = [
        ipaddress.ip_network(each) for each in (block["cidr"], *block.get("except", ()))
    ]
    return address in inside and not any(address in each for each in outside)


@pytest.mark.parametrize("way", ["kubernetes", "openshift"])
def test_whoever_makes_jobs_and_runs_may(tmp_path: Path, way: str) -> None:
    """Both components together: the account has both Roles, and its token is in the pods."""
    for name in ("base", way, "payload-jobs", "verification-runs"):
        shutil.copytree(CONTROLLER / name, tmp_path / name)
    (tmp_path / "mine").mkdir()
    text = MINE.replace("../site, ../signing", "../payload-jobs, ../verification-runs")
    text += "namespace: okd-payload\n"
    (tmp_path / "mine" / "kustomization.yaml").write_text(text.format(base=f"../{way}"))
    objects = build(tmp_path / "mine")
    for each in objects:
        assert each["kind"] == "Route" or validate(each) == [], each["kind"]
    bound = {each["roleRef"]["name"] for each in objects if each["kind"] == "RoleBinding"}
    assert bound >= {"okd-payload-job-maker", "okd-payload-run-maker"}
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is True
    assert "--cluster" in pod["containers"][0]["args"]


@pytest.mark.parametrize("way", ["kubernetes", "openshift"])
def test_settings_and_keys_are_components(tmp_path: Path, way: str) -> None:
    """Each puts a Secret where the pod finds it, and says so by options that exist."""
    for name in ("base", way, "site", "signing"):
        shutil.copytree(CONTROLLER / name, tmp_path / name)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kustomization.yaml").write_text(MINE.format(base=f"../{way}"))
    deployment = only(build(tmp_path / "mine"), "Deployment")
    assert validate(deployment) == []
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {each.partition("=")[0] for each in container["args"][1:]} <= known_options()
    mounted = {each["name"]: each for each in container["volumeMounts"]}
    assert "--site=/etc/okd-payload/site/site.yaml" in container["args"]
    assert mounted["site"]["mountPath"] == "/etc/okd-payload/site"
    assert mounted["signing"]["readOnly"]
    secrets = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"][-2:]}
    assert secrets == {"site": "okd-payload-site", "signing": "okd-payload-signing"}


def test_the_example_stream_is_without_fault() -> None:
    """The file that is deployed with them is one that servers take."""
    loaded = load_streams(CONTROLLER / "base" / "streams")
    assert loaded.issues == ()
    assert list(loaded.streams) == ["4.20.0-0.okd-scos"]


def test_the_compose_file_is_closed() -> None:
    """Reached from this machine only, without rights, and with options that exist."""
    services = yaml.safe_load((MACHINE / "compose.yaml").read_text())["services"]
    controller = services["controller"]
    assert controller["ports"] == ["127.0.0.1:8080:8080"]
    assert controller["read_only"]
    assert controller["cap_drop"] == ["ALL"]
    command, *given = controller["command"]
    assert command == "serve"
    assert {each.partition("=")[0] for each in given} <= known_options()
    assert services["database"]["profiles"] == ["postgresql"]
    assert "ports" not in services["database"]


def test_the_unit_is_closed(tmp_path: Path) -> None:
    """Systemd reads it without a complaint, and finds little that it could reach."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    text = (MACHINE / "okd-payload-controller.service").read_text()
    unit = tmp_path / "okd-payload-controller.service"
    unit.write_text(text.replace("/usr/bin/okd-payload ", f"{shutil.which('true')} "))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert unit.name not in verified.stderr
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", unit]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout
    started = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    _, command_name, *given = started.split()
    assert command_name == "serve"
    assert {word for word in given if word.startswith("--")} <= known_options()


def test_the_unit_allows_what_sandboxes_are_made_of() -> None:
    """Namespaces, mounts in them, and a whole /proc, without which none can be mounted inside."""
    text = (MACHINE / "okd-payload-controller.service").read_text()
    lines = [line.partition("=") for line in text.splitlines() if not line.startswith("#")]
    settings = {name: set(value.split()) for name, _, value in lines}
    assert settings["RestrictNamespaces"] >= {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}
    assert settings["SystemCallFilter"] >= {"@system-service", "@mount"}
    assert not settings.keys() & {"ProtectKernelTunables", "ProtectKernelLogs", "ProcSubset"}


def known_options() -> set[str]:
    """The options of the command."""
    return {name for parameter in serve.params for name in parameter.opts}
