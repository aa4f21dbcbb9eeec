#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# replan.sh <source folder> <build folder>: builds kernels that spill as they are planned at first, and lets what ptxas
# says of them plan them anew. In the end none may spill, and the kernels, the record and --explain must say what was
# changed and why.
set -euo pipefail
source=$1
build=$2
feedback=$PREFIX/share/convsmith/cmake/convsmith-feedback.cmake

rm -rf "$build"
cmake -G Ninja -S "$source" -B "$build" -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_C_COMPILER="$CC"
cmake -DBUILD="$build" -DTARGET=spilling -P "$feedback" 2>&1 | tee "$build/log"
grep -q 'round 1: .*since ptxas has .* of spill stores' "$build/log"
grep -q 'round [2-9]: 0 kernel(s) re-planned' "$build/log"

grep -E '[1-9][0-9]* bytes spill' "$build/spilling.ptxas" && exit 1
generated=$build/spilling.convsmith/generated
for strategy in depthwise mma3; do
    grep -q '^// Re-planned  .*, since ptxas has ' "$generated"/kernels/*_${strategy}_sm80.cuh
done
grep -q 'sm_89 = { registers = ' "$generated/resources.lua"
"$PREFIX/bin/convsmith-gen" --manifest "$source/shapes.lua" --out "$generated" --prefix spilling --explain |
    grep 're-planned .*, since ptxas has ' >"$build/explained" # grep -q would not read all that is written

# Another build keeps all that.
cmake --build "$build" --target spilling_ptxas | grep 'no work to do'
