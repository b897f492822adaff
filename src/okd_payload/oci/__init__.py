# SPDX-License-Identifier: Apache-2.0
"""Images, and where they are kept: a small library that knows nothing of OKD.

The data model: ``reference``, ``location``, ``digest``, ``media_types``, ``manifest``,
``config``, ``platform``, ``referrers``. Values only, no input or output; bytes are kept as they
came, because a digest is of bytes.

The seam: ``repository``, a set of blobs and manifests with tags. ``registry`` (the distribution
API) and ``layout`` (an OCI image layout directory) implement it, as does the twin in memory that
tests use. ``blob_sources`` is where content to be written comes from.

What is done with them: ``image`` reads one image whole, ``layers`` reads and writes layer
archives, ``transfer`` copies images between any two repositories::

    layout = LayoutRepository(Path("images"))
    image = await read_image(layout, "etcd")
    await copy_image(
        ImageCopy(source=layout, reference="etcd", destination=other, tag="etcd")
    )
"""
