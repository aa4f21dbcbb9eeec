#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Each public header can be included alone, from C and from C++, without a warning.
set -euo pipefail

for header in "$PREFIX"/include/convsmith/*.h; do
    name=convsmith/$(basename "$header")
    for compiler in "$CC -x c -std=c17" "$CXX -x c++ -std=c++17"; do
        $compiler -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$PREFIX/include" - <<<"#include <$name>"
        echo "$name: $compiler"
    done
done
