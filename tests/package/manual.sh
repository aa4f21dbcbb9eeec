#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The installed man pages have no faults that groff or mandoc knows, and name every command and option of the help.
# 77: there is neither.
set -euo pipefail

if command -v mandoc >/dev/null; then
    lint() { mandoc -T lint -W warning "$1"; }
    show() { mandoc -T ascii "$1" | col -b; }
elif command -v groff >/dev/null; then
    lint() { groff -man -ww -T ascii -z "$1" 2>&1; }
    show() { GROFF_NO_SGR=1 groff -man -T ascii -P -cbou "$1"; }
else
    echo 'skipped: neither mandoc nor groff is here'
    exit 77
fi

# has_all <page> <words>...: exit status 1, said, where the page lacks one.
has_all() {
    local page=$1 text word
    shift
    text=$(show "$page")
    for word; do
        grep -qF -e "$word" <<<"$text" || { echo "$page lacks $word" && return 1; }
    done
}

man=$PREFIX/share/man/man1
commands=$("$PREFIX"/bin/convsmith --help | sed -n '/^commands:/,/^$/s/^    \([a-z]*\) .*/\1/p')
for page in "$man"/convsmith.1 "$man"/convsmith-gen.1; do
    faults=$(lint "$page")
    echo "$page: ${faults:-no faults}"
    [ -z "$faults" ]
done
[ -n "$commands" ]
for command in $commands; do
    mapfile -t options < <("$PREFIX"/bin/convsmith "$command" --help | grep -oE '^    --[a-z-]+' | grep -v -e --help)
    has_all "$man"/convsmith.1 "convsmith $command" "${options[@]}"
done
mapfile -t options < <("$PREFIX"/bin/convsmith-gen --help | grep -oE '^    --[a-z-]+' | grep -v -e --help)
has_all "$man"/convsmith-gen.1 "${options[@]}"
