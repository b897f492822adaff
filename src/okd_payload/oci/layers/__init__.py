# SPDX-License-Identifier: Apache-2.0
"""Layers: the archives that images are made of, read as a stream and written reproducibly.

``entry`` is the data model. Reading: ``compression`` inflates, ``tar_reader`` parses, ``scan``
drives both over a blob, ``merged_tree`` puts layers on top of each other, ``read`` and
``extract`` give their files to memory and to disk. Writing: ``tar_header`` lays out headers,
``writer`` makes layers from given files, ``normalise`` makes the layer of another tool
reproducible.
"""
