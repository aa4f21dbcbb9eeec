# SPDX-License-Identifier: Apache-2.0
#
# What CMake puts into a Python wheel (pyproject.toml): the shared library, beside the package, where
# python/convsmith/locate.py looks for it. A wheel has no symbolic links.
install(PROGRAMS $<TARGET_FILE:convsmith> DESTINATION convsmith/lib RENAME libconvsmith.so)
