#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The shared library exports every function of the public headers, and nothing else.
set -euo pipefail

declared=$(cat "$PREFIX"/include/convsmith/*.h | grep -v '^#' | tr '\n' ' ' |
    grep -oE 'CONVSMITH_API [^;]*;' | grep -oE 'convsmith_[a-z_0-9]+\(' | tr -d '(' | sort)
exported=$(nm --dynamic --defined-only --format=posix "$LIBDIR"/libconvsmith.so | cut -d' ' -f1 | sort)
diff <(echo "$declared") <(echo "$exported") && echo "$(wc -l <<<"$exported") functions"
