#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# list.sh <scratch>: the installed program lists its table where its Lua is not to be found, too, and says what it lacks.
set -euo pipefail
moved=$1

rm -rf "$moved"
cp -r "$PREFIX" "$moved"
"$moved/bin/convsmith" list 2>"$moved/said" | grep '^[1-9][0-9]* kernels$'
test ! -s "$moved/said"
rm "$moved/share/convsmith/gen/list.lua"
"$moved/bin/convsmith" list 2>"$moved/said" | grep '^[1-9][0-9]* kernels$'
grep 'convsmith list: warning: registers and occupancy are left out: .*gen/list.lua' "$moved/said"
