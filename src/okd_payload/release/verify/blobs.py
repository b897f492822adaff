# SPDX-License-Identifier: Apache-2.0
"""Whether the layers and configurations of images are in the repositories of their images.

What another repository of the same registry holds does not help who pulls here. A blob is asked
for once in each repository, however many images share it, and one issue tells of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.errors import ContentError, NotFound, RegistryError
from okd_payload.issues import Issue, IssueCode
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.repository import Repository
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.verify import codes

_AT_ONCE = 64
_SHOWN_NAMES = 3
_LOST_HINT = (
    "push an image that has it again, whole (`okd-payload copy`); "
    "if that helps for a while only, the registry's clean-up takes it for garbage"
)


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One blob of one repository, and the components that need it there."""

    repository: Repository
    blob: Descriptor
    names: tuple[str, ...]
    """An empty name is the release image."""

    def __str__(self) -> str:
        shown = [name or "the release image" for name in self.names[:_SHOWN_NAMES]]
        more = len(self.names) - len(shown)
        users = ", ".join(shown) + (f" and {more} more" if more else "")
        return f"{self.repository.name}@{self.blob.digest} ({users})"


def gather_uses(needs: Iterable[tuple[Repository, str, Descriptor]]) -> list[Use]:
    """Each blob of each repository once, with the names of all that need it."""
    gathered: dict[tuple[str, str, int], tuple[Repository, Descriptor, dict[str, None]]] = {}
    for repository, name, blob in needs:
        key = (repository.name, blob.digest, blob.size)
        gathered.setdefault(key, (repository, blob, {}))[2][name] = None
    return [
        Use(repository=repository, blob=blob, names=tuple(names))
        for repository, blob, names in gathered.values()
    ]


async def check_blobs(uses: Sequence[Use], *, read: bool) -> list[Issue]:
    """An issue for each blob that is not there, or with ``read`` is not what it should be."""

    async def check(use: Use) -> Issue | None:
        try:
            return await (_read(use) if read else _look_up(use))
        except NotFound:
            return _issue(codes.ABSENT_BLOB, use, "is not there: pulling it fails", _LOST_HINT)
        except ContentError as error:
            return _issue(codes.DAMAGED_IMAGE, use, f"is damaged: {error.message}", error.hint)
        except RegistryError as error:
            problem = f"cannot be looked at: {error.message}"
            return _issue(codes.UNREACHABLE_IMAGE, use, problem, error.hint)

    return [issue for issue in await map_concurrently(check, uses, at_once=_AT_ONCE) if issue]


async def _look_up(use: Use) -> Issue | None:
    # Some registries tell no size: then only the content shows whether it is there.
    size = await use.repository.blobs.stat(use.blob.digest)
    if size is None:
        async with closing(use.repository.blobs.read(use.blob)) as chunks:
            await anext(chunks, b"")
            return None
    if size != use.blob.size:
        problem = f"has {size} bytes there, and {use.blob.size} in the manifest"
        return _issue(codes.DAMAGED_IMAGE, use, problem, _LOST_HINT)
    return None


async def _read(use: Use) -> None:
    """Let the repository hash the content. Raises NotFound, ContentError and RegistryError."""
    async for _ in use.repository.blobs.read(use.blob):
        pass


def _issue(code: IssueCode, use: Use, problem: str, hint: str) -> Issue:
    component = use.names[0] if len(use.names) == 1 else ""
    return code.issue(f"{use} {problem}", component=component, hint=hint)
