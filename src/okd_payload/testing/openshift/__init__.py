# SPDX-License-Identifier: Apache-2.0
"""What OpenShift adds to a simulated cluster: Builds and image streams, as they behave.

``OpenShiftBuilds`` is the controller that instantiates and runs builds, by a function of the
test that makes (or does not make) the image. Nobody of us has seen it beside a real cluster:
its rules are those of the API's documentation and of OpenShift's sources, and it fits the
schemas of both groups.
"""

from okd_payload.testing.openshift.builds import Execution, OpenShiftBuilds
from okd_payload.testing.openshift.image_streams import ImageStreams
from okd_payload.testing.openshift.registry import StreamRegistry
from okd_payload.testing.openshift.schemas import serve_openshift

__all__ = ["Execution", "ImageStreams", "OpenShiftBuilds", "StreamRegistry", "serve_openshift"]
