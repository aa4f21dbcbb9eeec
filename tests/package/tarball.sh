#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tarball.sh <build folder of convsmith> <scratch folder>: the tarball has what is installed, and works where it is
# unpacked.
set -euo pipefail
build=$1
scratch=$2

rm -rf "$scratch"
mkdir -p "$scratch"
cpack --config "$build/CPackConfig.cmake" -G TGZ -B "$scratch/packages"
tar --extract --gzip --directory "$scratch" --file "$scratch"/packages/convsmith-*.tar.gz
root=$(echo "$scratch"/convsmith-*)
diff <(cd "$PREFIX" && find . ! -type d | sort) <(cd "$root" && find . ! -type d | sort)
"$root"/bin/convsmith --version
