#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# archs.sh <source folder> <build folder> <archs> <words>: configures a project whose kernels are for these compute
# capabilities. It must be refused, with these words.
set -euo pipefail
source=$1
build=$2
archs=$3
words=$4

rm -rf "$build"
if output=$(cmake -G Ninja -S "$source" -B "$build" -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_C_COMPILER="$CC" \
    -DARCHS="$archs" 2>&1); then
    echo "ARCHS $archs was taken:"
    echo "$output"
    exit 1
fi
# CMake breaks the lines of a message.
echo "$output"
tr -s ' \n' ' ' <<<"$output" | grep -qF "$words"
