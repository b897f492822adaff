# SPDX-License-Identifier: Apache-2.0
"""What starts builds without anybody asking: the clock, and events of the forges.

An event is let in by three checks, from cheap to exact: the forge's signature, a filter that
knows the repositories and branches of the stream, and the shape of every value that is taken out
of it. What is pushed is built for the stream; what is proposed is built beside it, by pods that
hold nothing worth having.
"""
