#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# downstream.sh <source folder> <build folder> [<cmake argument>...]: builds a project that has kernels of its own, and
# runs it. It must build without warnings and run one of its kernels, and building again must find nothing to do.
set -euo pipefail
source=$1
build=$2
shift 2

rm -rf "$build"
cmake -G Ninja -S "$source" -B "$build" -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_C_COMPILER="$CC" "$@"
cmake --build "$build" 2>&1 | tee "$build/log"
! grep 'warning:' "$build/log" || exit 1
"$build/downstream" | tee "$build/log"
grep -q '^kernel: my_kernels_conv_f32_c6_k3x3_o10_' "$build/log"
cmake --build "$build" | grep 'no work to do'
