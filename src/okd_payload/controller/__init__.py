# SPDX-License-Identifier: Apache-2.0
"""Release streams: what makes releases by itself, judges them, publishes and keeps them.

The room knows neither pages nor engines. Its parts: ``model`` (the values), ``configuration``
(what a stream's owner writes), ``records`` (the database), and one package for each decision:
inputs, reconciling, creation, verification, publishing, retention, graph, schedules.
"""
