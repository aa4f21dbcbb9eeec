#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# report.sh <scratch>: the installed program writes its page from what is installed, wherever the prefix is moved to.
set -euo pipefail

rm -rf "$1"
cp -r "$PREFIX" "$1"
"$1"/bin/convsmith report --out "$1"/atlas 2>"$1"/said
cat "$1"/said
test ! -s "$1"/said
grep -q '"file":"h200-sweep.json"' "$1"/atlas/index.html
echo 'these are the installed scripts' >>"$1"/share/convsmith/report/main.js
"$1"/bin/convsmith report --out "$1"/atlas
grep 'these are the installed scripts' "$1"/atlas/index.html
