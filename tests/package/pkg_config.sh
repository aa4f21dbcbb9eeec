#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# pkg_config.sh <C program> <scratch folder> [--static]: compiles the program with what pkg-config says, and runs it.
set -euo pipefail
program=$1
scratch=$2
static=${3:-}

rm -rf "$scratch"
mkdir -p "$scratch"
export PKG_CONFIG_PATH=$LIBDIR/pkgconfig
# pkg-config quotes its words for a shell.
eval "flags=($(pkg-config $static --cflags --libs convsmith))"
if [ -n "$static" ]; then
    flags=("${flags[@]/#-lconvsmith/-l:libconvsmith.a}")
fi
"$CC" -std=c17 "$program" "${flags[@]}" -o "$scratch/main"
LD_LIBRARY_PATH=$LIBDIR "$scratch/main"
