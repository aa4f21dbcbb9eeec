#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The shared library needs libc, libm and OpenMP, and nothing else: no CUDA runtime, no libstdc++.
set -euo pipefail

needed=$(readelf --dynamic --wide "$LIBDIR"/libconvsmith.so | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
echo "$needed"
! grep -vE '^(libc|libm|libdl|librt|libpthread|libgomp|libomp|ld-linux.*)\.so' <<<"$needed"
