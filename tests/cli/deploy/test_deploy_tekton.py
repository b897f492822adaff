# SPDX-License-Identifier: Apache-2.0
"""``okd-payload deploy tekton``: what is shown, asked, done, and told when it cannot be done."""

from __future__ import annotations

import base64
import json
import shlex

import msgspec
import pytest
import yaml
from small_stream import COMPONENTS, write_stream

from okd_payload.cluster import kinds
from okd_payload.engines.pod.tool import WORK_FOLDER
from okd_payload.engines.tekton.deploying.survey import PRUNED_KINDS
from okd_payload.testing.kubernetes import Refusal

NAMESPACE = "okd-payload-small"
REPOSITORY = "quay.test/small/content"
RELEASES = "quay.test/small/release"


@pytest.fixture
def deploy(run_cli, tmp_path, kubeconfig):
    """Runs the command for the small stream."""
    stream = write_stream(tmp_path)

    def run(*options):
        targets = ("--repository", REPOSITORY, "--releases", RELEASES)
        return run_cli("deploy", "tekton", stream, *targets, *options)

    return run


def made(cluster) -> set[str]:
    """What is in the cluster besides what every cluster has."""
    return {
        f"{stored.key.resource} {stored.key.name}"
        for stored in cluster.state.store.everything()
        if stored.key.name not in ("default", "kube-system", "kube-public")
    }


def add_credentials(cluster, hosts=("quay.test",), *, type_="kubernetes.io/dockerconfigjson"):
    """A Secret as ``kubectl create secret docker-registry`` makes it."""
    entry = {"auth": base64.b64encode(b"me:my-password").decode()}
    content = json.dumps({"auths": dict.fromkeys(hosts, entry)}).encode()
    if cluster.find(kinds.NAMESPACE, NAMESPACE) is None:
        cluster.add_namespace(NAMESPACE)
    metadata = {"name": "registry-credentials", "namespace": NAMESPACE}
    data = {".dockerconfigjson": base64.b64encode(content).decode()}
    cluster.create(kinds.SECRET, {"metadata": metadata, "type": type_, "data": data})


def test_a_namespace_is_made_and_the_next_command_told(deploy, simulated):
    """The difference first, then the outcome, then how to build."""
    code, out, err = deploy("--yes")
    assert code == 0, err
    assert "+++ Namespace okd-payload-small" in out
    assert "+    pod-security.kubernetes.io/enforce: baseline" in out
    assert out.splitlines()[-1].startswith("namespace okd-payload-small: ")
    assert " created" in out
    command = err.splitlines()[-1].strip()
    words = shlex.split(command)
    assert words[:2] == ["okd-payload", "build"]
    assert words[words.index("--service-account") + 1] == "okd-payload-builder"
    assert words[words.index("--repository") + 1] == REPOSITORY
    assert simulated.find(kinds.SERVICE_ACCOUNT, "okd-payload-builder", namespace=NAMESPACE)


def test_the_printed_command_exists(deploy, simulated, run_cli):
    """Every option of it is one that `build` takes, and pods are told what the deployment was."""
    _, _, err = deploy("--yes", "--plain-http", "quay.test", "--trust", "roots")
    words = shlex.split(err.splitlines()[-1])
    assert words[words.index("--plain-http") + 1] == "quay.test"
    assert words[words.index("--trust") + 1] == "roots"
    _, told, _ = run_cli("build", "--help")
    assert all(word in told for word in words if word.startswith("--"))


def test_a_second_run_says_that_nothing_changed(deploy, simulated):
    """And writes nothing, so it needs no answer."""
    deploy("--yes")
    before = {each.key: each.revision for each in simulated.state.store.everything()}
    code, out, _ = deploy()
    assert (code, out) == (0, f"namespace {NAMESPACE}: nothing changed\n")
    assert {each.key: each.revision for each in simulated.state.store.everything()} == before


def test_nobody_to_ask(deploy, simulated):
    """Without a terminal nothing is changed unless somebody said so."""
    code, _, err = deploy()
    assert code == 2
    assert "--yes" in err
    assert made(simulated) == set()


def test_a_difference_only(deploy, simulated):
    """What would be done, and nothing done."""
    code, out, _ = deploy("--diff-only")
    assert code == 0
    assert " create" in out.splitlines()[-1]
    assert made(simulated) == set()


def test_everything_is_taken_away(deploy, simulated):
    """As if it had never been there."""
    everything = (
        *("--source", "https://git.example.com/okd/streams@main", "--schedule", "0 3 * * *"),
        *("--follow", "*/10 * * * *", "--yes"),
    )
    assert deploy(*everything).code == 0
    assert "cronjobs.batch okd-payload-build" in made(simulated)
    code, out, _ = deploy("--remove", "--yes")
    assert code == 0
    assert "removed" in out
    assert made(simulated) == set()


def test_objects_are_printed_without_a_cluster(run_cli, tmp_path, monkeypatch):
    """For those who apply them in their own way."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    arguments = ("deploy", "tekton", write_stream(tmp_path), "--repository", REPOSITORY)
    code, out, err = run_cli(*arguments, "-o", "yaml")
    assert (code, err) == (0, "")
    documents = list(yaml.safe_load_all(out))
    assert documents[0]["kind"] == "Namespace"
    folder = tmp_path / "deployed"
    code, out, _ = run_cli(*arguments, "--to", folder)
    assert code == 0
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    names = kustomization["resources"]
    assert [yaml.safe_load((folder / name).read_text()) for name in names] == documents
    assert len(out.splitlines()) == len(names) + 1


def test_a_cluster_without_tekton(deploy, bare):
    """One message, and nothing is left behind."""
    code, _, err = deploy("--yes")
    assert code == 2
    assert err.count("[deploy-") == 1
    assert "the cluster has no Tekton Pipelines [deploy-no-tekton]" in err
    assert made(bare) == set()


def test_a_cluster_with_an_old_tekton(deploy, bare):
    """It has Tasks, but of a version that is not what it was."""
    for kind in (kinds.TASK, kinds.PIPELINE):
        bare.serve(msgspec.structs.replace(kind, api_version="tekton.dev/v1beta1"))
    code, _, err = deploy("--yes")
    assert code == 2
    assert err.count("[deploy-") == 1
    assert "too old: it serves v1beta1 and not v1" in err
    assert made(bare) == set()


@pytest.mark.parametrize(
    ("secret", "code", "says"),
    [
        ({}, 0, "deploy-credentials-missing"),
        ({"type_": "Opaque"}, 2, "deploy-credentials-wrong"),
        ({"hosts": ("other.test",)}, 0, "deploy-credentials-incomplete"),
        ({"hosts": ("quay.test/small",)}, 0, ""),
    ],
)
def test_credentials_are_looked_at_and_never_shown(deploy, simulated, secret, code, says):
    """Whether they are of use is told before the first build."""
    if secret:
        add_credentials(simulated, **secret)
    ended = deploy("--yes")
    assert ended.code == code, ended.err
    assert ("[deploy-credentials-" in ended.err) == bool(says)
    assert says in ended.err
    assert "my-password" not in ended.out + ended.err
    assert base64.b64encode(b"me:my-password").decode() not in ended.out + ended.err
    assert deploy("--yes", "--anonymous").code == 0


LISTEN = ("--listen", "github", "--source", "https://git.example.com/okd/streams", "--yes")


def test_a_listener_that_would_hear_nothing(deploy, simulated):
    """All components come from folders, so there is nothing to listen to."""
    code, _, err = deploy(*LISTEN)
    assert code == 2
    assert "no component is built from a branch" in err


@pytest.fixture
def listen(run_cli, tmp_path, kubeconfig, simulated):
    """Deploys a stream with a component from GitHub, and a listener."""
    etcd = "source: {git: https://github.com/openshift/etcd, ref: release-4.20}\n"
    stream = write_stream(tmp_path, components={**COMPONENTS, "etcd": etcd})

    def run(*options):
        words = ("deploy", "tekton", stream, "--repository", REPOSITORY, "--declared-edges")
        return run_cli(*words, *LISTEN, *options)

    return run


def test_every_repository_that_is_pushed_to_is_looked_for(deploy, simulated):
    """Credentials for images alone are not enough where releases are made too."""
    add_credentials(simulated, hosts=("quay.test/small/content",))
    _, _, err = deploy("--yes")
    assert err.count("[deploy-credentials-incomplete]") == 1
    assert f"has nothing for {RELEASES}" in err


def test_the_secret_of_the_forge_is_looked_for(listen, simulated):
    """Without it the listener refuses every event, and nobody would know why."""
    code, _, err = listen()
    assert code == 0, err
    assert err.count("[deploy-webhook-secret]") == 1
    assert "create secret generic webhook-secret --from-literal=token=" in err
    metadata = {"name": "webhook-secret", "namespace": NAMESPACE}
    simulated.create(kinds.SECRET, {"metadata": metadata, "data": {"other": "eA=="}})
    assert "[deploy-webhook-secret]" in listen().err
    simulated.patch(
        kinds.SECRET, "webhook-secret", {"data": {"token": "eA=="}}, namespace=NAMESPACE
    )
    assert "[deploy-webhook-secret]" not in listen().err


def test_a_listener_knows_the_components_of_the_stream(listen, simulated):
    """And pull requests are listened to only with a release to try them on."""
    assert listen().code == 0
    found = simulated.find(kinds.EVENT_LISTENER, "okd-payload", namespace=NAMESPACE)
    triggers = found["spec"]["triggers"]
    assert [each["name"] for each in triggers] == ["github-push"]
    assert "openshift/etcd@refs/heads/release-4.20" in json.dumps(triggers)
    assert (
        simulated.find(kinds.SERVICE_ACCOUNT, "okd-payload-pull-request", namespace=NAMESPACE)
        is None
    )
    assert listen("--pull-requests-on", "quay.test/small/release:4.20").code == 0
    found = simulated.find(kinds.EVENT_LISTENER, "okd-payload", namespace=NAMESPACE)
    names = [each["name"] for each in found["spec"]["triggers"]]
    assert names == ["github-push", "github-pull-request"]


def test_who_may_not_read_secrets_is_told_that_nothing_is_known(
    deploy, simulated, server, tmp_path
):
    """It is no fault: few should have that right."""
    everything = ["*"]
    simulated.access.grant("deployer", everything, ["namespaces"])
    for kind in (
        kinds.SERVICE_ACCOUNT,
        kinds.ROLE,
        kinds.ROLE_BINDING,
        kinds.NETWORK_POLICY,
        kinds.TASK,
        kinds.PIPELINE,
        *PRUNED_KINDS,
    ):
        simulated.access.grant("deployer", everything, [kind.resource])
    kubeconfig = server.write_kubeconfig(tmp_path / "deployer", user="deployer")
    code, _, err = deploy("--yes", "--kubeconfig", kubeconfig)
    assert code == 0, err
    assert "[deploy-credentials-unseen]" in err


def test_missing_rights_are_named_all_at_once(deploy, simulated, server, tmp_path):
    """Whoever may only look is told everything that is missing, and nothing is made."""
    simulated.access.grant("reader", ["get", "list"], ["*"])
    kubeconfig = server.write_kubeconfig(tmp_path / "reader", user="reader")
    code, _, err = deploy("--yes", "--kubeconfig", kubeconfig)
    assert code == 2
    assert "create, patch namespaces is missing" in err
    assert "create, patch, delete roles.rbac.authorization.k8s.io" in err
    assert err.count("[deploy-right-missing]") >= 4
    assert made(simulated) == set()


def test_the_owner_of_a_namespace_needs_no_right_outside_of_it(deploy, simulated, server, tmp_path):
    """Somebody made the namespace; whoever administers it deploys into it."""
    simulated.add_namespace(NAMESPACE)
    simulated.access.grant("owner", ["*"], ["*"], namespace=NAMESPACE)
    kubeconfig = server.write_kubeconfig(tmp_path / "owner", user="owner")
    code, _, err = deploy("--yes", "--namespaced-only", "--kubeconfig", kubeconfig)
    assert code == 0, err
    assert simulated.find(kinds.ROLE, "okd-payload-coordinator", namespace=NAMESPACE)
    assert deploy("--kubeconfig", kubeconfig).out == f"namespace {NAMESPACE}: nothing changed\n"


def test_a_strict_namespace_is_told(deploy, simulated):
    """Builds would be refused, one after the other."""
    simulated.add_namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"})
    code, _, err = deploy("--yes")
    assert code == 2
    assert "[deploy-pod-security]" in err
    assert f"kubectl label --overwrite namespace {NAMESPACE}" in err


def test_a_policy_that_refuses_an_object(deploy, simulated):
    """Its own words, and nothing is left, the new namespace included."""

    def refuse(document, request):
        if request.resource.kind == "NetworkPolicy":
            raise Refusal(400, "BadRequest", 'admission webhook "policy" denied the request: no')

    simulated.validating.append(refuse)
    code, _, err = deploy("--yes")
    assert code == 2
    assert "[deploy-object-refused]" in err
    assert "policy" in err
    assert made(simulated) == set()


def test_openshift_is_recognised(deploy, simulated):
    """Where security context constraints are served, the builder may use some."""
    simulated.serve(kinds.SECURITY_CONTEXT_CONSTRAINTS)
    for options, constraints in (
        ((), "nested-container"),
        (("--pod-security", "capabilities"), "privileged"),
    ):
        assert deploy("--yes", *options).code == 0
        bindings = simulated.objects(kinds.ROLE_BINDING, namespace=NAMESPACE)
        (binding,) = (each for each in bindings if each["roleRef"]["kind"] == "ClusterRole")
        assert binding["roleRef"]["name"] == f"system:openshift:scc:{constraints}"
        assert [each["name"] for each in binding["subjects"]] == ["okd-payload-builder"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--schedule", "0 3 * * *"), "--source"),
        (("--schedule", "at night", "--source", "https://git.example.com/a/b"), "is no schedule"),
        (("--source", "git@example.com:a/b"), "no address that pods could fetch"),
        (("--source", "https://me:secret@example.com/a/b"), "password"),
        (("--source", "https://example.com/a/b@" + "1" * 40), "never changes"),
        (("--source", "https://example.com/a/b", "--source-folder", "../x"), "no folder"),
        (("--pull-requests-on", "quay.test/a/b:1"), "goes with --listen"),
        (("--repository", "oci:here"), "no repository that pods could reach"),
    ],
)
def test_what_cannot_work_is_refused_at_once(deploy, simulated, options, says):
    """Before the cluster is asked anything."""
    code, _, err = deploy("--yes", *options)
    assert code == 2
    assert says in err
    assert "secret@" not in err
    assert made(simulated) == set()


def test_the_job_that_follows_deploys_with_the_same_options(deploy, simulated, run_cli):
    """Run by hand it finds nothing to change, so it will not undo what was deployed."""
    options = (
        *("--source", "https://git.example.com/okd/streams@main", "--source-folder", "small"),
        *("--follow", "*/10 * * * *", "--schedule", "@daily", "--jobs", "7", "--anonymous"),
        *("--plain-http", "quay.test", "--trust", "roots", "--pod-security", "capabilities"),
        *("--time-zone", "Europe/Prague", "--declared-edges"),
    )
    assert deploy("--yes", *options).code == 0
    job = simulated.find(kinds.CRON_JOB, "okd-payload-follow", namespace=NAMESPACE)
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    words = pod["containers"][0]["args"]
    assert words[:3] == ["deploy", "tekton", f"{WORK_FOLDER}/stream/small"]
    code, out, err = deploy(*words[3:])
    assert code == 0, err
    assert out == f"namespace {NAMESPACE}: nothing changed\n"
    assert pod["serviceAccountName"] == "okd-payload-deployer"
    assert not any("secret" in volume for volume in pod["volumes"])
