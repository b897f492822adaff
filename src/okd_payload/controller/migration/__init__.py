# SPDX-License-Identifier: Apache-2.0
"""Taking over from OpenShift's release controller: its objects become records of ours."""
