# SPDX-License-Identifier: Apache-2.0
"""``okd-payload render gitops``: objects by which Argo CD or Flux follow a repository."""

from __future__ import annotations

from pathlib import Path

import click

from okd_payload.catalog.load import load_stream
from okd_payload.cli.catalog.stream_file import find_stream_file
from okd_payload.cli.option_groups import option_group
from okd_payload.engines.manifests import TextFile, write_documents, write_folder
from okd_payload.engines.tekton.deploying.gitops import (
    ARGO_NAMESPACE,
    FLUX_NAMESPACE,
    Followed,
    make_application,
    make_flux_objects,
)
from okd_payload.engines.tekton.deploying.settings import default_namespace
from okd_payload.engines.tekton.triggers.settings import read_source

_gitops_options = option_group(
    click.argument("stream", required=False, type=click.Path(path_type=Path)),
    click.option(
        "--source",
        required=True,
        metavar="URL[@REF]",
        help="The git repository that has the objects of the deployment.",
    ),
    click.option(
        "--source-folder",
        required=True,
        metavar="DIR",
        help="Their folder in it, as `deploy tekton --to` wrote it.",
    ),
    click.option(
        "-n", "--namespace", default="", metavar="NAME", help="The namespace that they are for."
    ),
    click.option(
        "--argo-namespace",
        default=ARGO_NAMESPACE,
        show_default=True,
        metavar="NAME",
        help="Where Argo CD is.",
    ),
    click.option(
        "--flux-namespace",
        default=FLUX_NAMESPACE,
        show_default=True,
        metavar="NAME",
        help="Where Flux is.",
    ),
    click.option(
        "--to",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write the files into this folder.",
    ),
)


@click.command()
@_gitops_options
def gitops(
    stream: Path | None,
    *,
    source: str,
    source_folder: str,
    namespace: str,
    argo_namespace: str,
    flux_namespace: str,
    to: Path,
) -> None:
    """Write what lets Argo CD or Flux keep the deployment of STREAM as its repository has it.

    Apply one of the two files, once. STREAM is a stream file or its folder; without it,
    stream.yaml of the current folder.
    """
    name = load_stream(find_stream_file(stream)).name
    followed = Followed(
        name=default_namespace(name),
        namespace=namespace or default_namespace(name),
        source=read_source(source, folder=source_folder),
    )
    argo = make_application(followed, namespace=argo_namespace)
    flux = make_flux_objects(followed, namespace=flux_namespace)
    files = (
        TextFile("argo-cd.yaml", write_documents([argo])),
        TextFile("flux.yaml", write_documents(flux)),
    )
    for path in write_folder(files, to):
        click.echo(to / path)
