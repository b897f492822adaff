# SPDX-License-Identifier: Apache-2.0
"""What is in the repositories: Go programs, Dockerfiles and manifests, as OpenShift has them."""

from __future__ import annotations

import textwrap

PROFILE = 'include.release.openshift.io/self-managed-high-availability: "true"'
CI = "registry.ci.openshift.org/ocp"


def program(name: str, *, imports: dict[str, str] | None = None, body: str) -> dict[str, str]:
    """``cmd/NAME/main.go``; ``imports`` are import paths by the names they get."""
    lines = [f'\t{alias} "{path}"' for alias, path in sorted((imports or {}).items())]
    block = "\n".join(['\t"fmt"', *([""] if lines else []), *lines])
    text = f"package main\n\nimport (\n{block}\n)\n\nfunc main() {{\n"
    text += "".join(f"\t{line}\n" for line in body.splitlines()) + "}\n"
    return {f"cmd/{name}/main.go": text}


def dockerfile(
    version: str,
    repository: str,
    *,
    binary: str = "",
    base: str = "base-rhel9",
    extra: str = "",
    operator: bool = False,
    label: str = "",
) -> str:
    """A Dockerfile in two stages (one without ``binary``), naming images of OpenShift's CI."""
    label = label or repository
    text = ""
    if binary:
        text += (
            f"FROM {CI}/builder:rhel-9-golang-1.19-openshift-{version} AS builder\n"
            f"WORKDIR /go/src/github.com/openshift/{repository}\n"
            "COPY . .\n"
            f"RUN go build -mod=vendor -o /tmp/build/{binary} ./cmd/{binary}\n\n"
        )
    text += f"FROM {CI}/{version}:{base}\n"
    if binary:
        text += f"COPY --from=builder /tmp/build/{binary} /usr/bin/{binary}\n"
        text += f'ENTRYPOINT ["/usr/bin/{binary}"]\n'
    text += extra
    if operator:
        text += "COPY manifests /manifests\nLABEL io.openshift.release.operator=true\n"
    return text + f'LABEL io.k8s.display-name="{label}"\n'


_OPERATOR = {
    "01_namespace": """\
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  annotations: {{{profile}}}
""",
    "02_account": """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {namespace}
  annotations: {{{profile}}}
""",
    "03_deployment": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  annotations: {{{profile}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{name: {name}}}}}
  template:
    metadata: {{labels: {{name: {name}}}}}
    spec:
      serviceAccountName: {name}
      containers:
      - name: {name}
        image: quay.io/openshift/origin-{name}:latest
        resources: {{requests: {{cpu: 10m, memory: 50Mi}}}}
        env:
        - name: RELEASE_VERSION
          value: 0.0.1-snapshot
""",
    "04_clusteroperator": """\
apiVersion: config.openshift.io/v1
kind: ClusterOperator
metadata:
  name: {status}
  annotations: {{{profile}}}
spec: {{}}
status:
  versions:
  - name: operator
    version: "0.0.1-snapshot"
""",
}


def operator_manifests(
    name: str, *, operands: tuple[str, ...] = (), level: int = 50
) -> dict[str, str]:
    """The manifests of an operator: namespace, accounts, deployment and what it reports."""
    short = name.removeprefix("cluster-")
    words = {
        "name": name,
        "namespace": f"openshift-{short}",
        "status": short.removesuffix("-operator"),
        "profile": PROFILE,
    }
    texts = {part: text.format_map(words) for part, text in _OPERATOR.items()}
    texts["03_deployment"] += "".join(
        f"        - name: {operand.upper().replace('-', '_')}_IMAGE\n"
        f"          value: quay.io/openshift/origin-{operand}:latest\n"
        for operand in operands
    )
    files = {f"manifests/0000_{level}_{name}_{part}.yaml": text for part, text in texts.items()}
    return {**files, "manifests/image-references": image_references(name, *operands)}


def version_operator_manifests() -> dict[str, str]:
    """The manifests of the operator that applies all others, and names nothing but the release."""
    pod = (
        "containers:\n"
        "- name: cluster-version-operator\n"
        "  image: '{{.ReleaseImage}}'\n"
        "  args: [start, '--release-image={{.ReleaseImage}}']\n"
    )
    namespace = "openshift-cluster-version"
    return {
        "install/0000_00_cluster-version-operator_00_namespace.yaml": (
            "apiVersion: v1\nkind: Namespace\nmetadata:\n"
            f"  name: {namespace}\n  annotations: {{{PROFILE}}}\n"
        ),
        "install/0000_00_cluster-version-operator_01_deployment.yaml": (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"
            f"  name: cluster-version-operator\n  namespace: {namespace}\n"
            f"  annotations: {{{PROFILE}}}\nspec:\n  replicas: 1\n"
            "  selector: {matchLabels: {k8s-app: cluster-version-operator}}\n"
            "  template:\n    metadata: {labels: {k8s-app: cluster-version-operator}}\n"
            f"    spec:\n{textwrap.indent(pod, ' ' * 6)}"
        ),
        "bootstrap/bootstrap-pod.yaml": (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bootstrap-cluster-version-operator\n"
            f"  namespace: {namespace}\nspec:\n  hostNetwork: true\n{textwrap.indent(pod, '  ')}"
        ),
    }


def image_references(*names: str) -> str:
    """The images that an operator names."""
    tags = "".join(
        f"  - name: {name}\n"
        f"    from: {{kind: DockerImage, name: 'quay.io/openshift/origin-{name}:latest'}}\n"
        for name in names
    )
    return f"kind: ImageStream\napiVersion: image.openshift.io/v1\nspec:\n  tags:\n{tags}"


def custom_resource(fields: tuple[str, ...]) -> str:
    """The definition of Components of config.rig.example, with these fields."""
    properties = "".join(f"              {field}: {{type: string}}\n" for field in fields)
    head = f"""\
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: components.config.rig.example
          annotations: {{{PROFILE}}}
        spec:
          group: config.rig.example
          names:
            kind: Component
            listKind: ComponentList
            plural: components
            singular: component
          scope: Cluster
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    properties:
        """
    return textwrap.dedent(head) + properties.replace("              ", " " * 14)
