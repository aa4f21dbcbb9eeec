#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deb.sh <build folder of convsmith> <scratch folder>: makes the Debian packages, unpacks them, and builds the
# downstream example that they bring against what else is in them.
set -euo pipefail
build=$1
scratch=$2

rm -rf "$scratch"
mkdir -p "$scratch"
cpack --config "$build/CPackConfig.cmake" -G DEB -B "$scratch/packages"
cd "$scratch"

# field <package> <field>: of its control file.
field() { dpkg-deb --field packages/"$1"_*.deb "$2"; }

echo 'packages: the shared library, the programs, and what is needed to compile'
runtime=$(cd packages && ls libconvsmith[0-9]*.deb)
runtime=${runtime%%_*}
[ "$(find packages -maxdepth 1 -name '*.deb' | wc -l)" = 3 ]
version=$(field "$runtime" Version)
readelf --dynamic "$LIBDIR"/libconvsmith.so | grep -F "[libconvsmith.so.${runtime#libconvsmith}]"

echo 'depends: on what they link, and on one another'
field "$runtime" Depends | grep -E 'libc6 \(>= '
field convsmith Depends | grep -E 'liblua5\.4-0'
field libconvsmith-dev Depends | grep -F "$runtime (= $version), convsmith (= $version)"

echo 'descriptions: a line, then text'
for package in "$runtime" convsmith libconvsmith-dev; do
    description=$(field "$package" Description)
    grep '^Fused convolution kernels' <<<"$description"
    [ "$(wc -l <<<"$description")" -ge 3 ]
done

echo 'files: none is in two packages, and each has its copyright'
for package in packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --list | grep -v '/$'
done | sort >files
! uniq -d files | grep . || exit 1
[ "$(grep -c '/copyright$' files)" = 3 ]

for package in packages/*.deb; do
    dpkg-deb --extract "$package" root
done
root/usr/bin/convsmith list | tail -1
root/usr/bin/convsmith --version | grep -F " $version"
PREFIX=$scratch/root/usr "$(dirname "$0")"/downstream.sh \
    root/usr/share/doc/convsmith/examples/downstream "$scratch/downstream"
