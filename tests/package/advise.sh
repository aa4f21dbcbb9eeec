#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# advise.sh <metrics> <scratch>: the installed program advises by the installed rules, wherever the prefix is moved to.
set -euo pipefail

rm -rf "$2"
cp -r "$PREFIX" "$2"
"$2"/bin/convsmith advise "$1" | grep "bound by  index arithmetic"
echo 'error("these are the installed rules", 0)' >"$2"/share/convsmith/gen/advise/init.lua
! "$2"/bin/convsmith advise "$1" 2>"$2"/said
grep "convsmith advise: error: these are the installed rules" "$2"/said
