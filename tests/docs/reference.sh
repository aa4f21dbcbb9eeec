#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# reference.sh <Doxyfile> <scratch folder>: everything in the public headers is documented, and doxygen finds no fault
# with it; and it would find one: the same headers with something that is not documented, each time another thing.
# 77: there is no doxygen.
set -euo pipefail
doxyfile=$1
scratch=$2
if ! command -v doxygen >/dev/null; then
    echo 'skipped: doxygen is not here'
    exit 77
fi
rm -rf "$scratch"
mkdir -p "$scratch"

# reference <setting>...: makes it in the scratch folder, some settings being others.
reference() {
    { cat "$doxyfile" && printf '%s\n' "OUTPUT_DIRECTORY=\"$scratch\"" "$@"; } >"$scratch/Doxyfile"
    doxygen "$scratch/Doxyfile" >"$scratch/log" 2>&1 </dev/null
}

echo 'the headers'
reference || { cat "$scratch/log" && exit 1; }
grep -q 'convsmith_plan_run' "$scratch/html/convsmith_8h.html"

# Doxygen 1.9 does not look at them.
echo 'the values of enumerations'
! grep -nE '^    CONVSMITH_[A-Z0-9_]+( = 0)?,( *$| */\*[^*])' "$SOURCE"/include/convsmith/*.h || exit 1

# finds <what> <what stands in convsmith.h> <what stands there instead>
finds() {
    echo "$1"
    sed "s|$2|$3|" "$SOURCE/include/convsmith/convsmith.h" >"$scratch/convsmith.h"
    ! cmp "$SOURCE/include/convsmith/convsmith.h" "$scratch/convsmith.h" >"$scratch/log" || exit 1
    if reference "INPUT=\"$scratch/convsmith.h\""; then
        echo 'it has no fault' && exit 1
    fi
    grep -q "$4" "$scratch/log" || { cat "$scratch/log" && exit 1; }
}

finds 'a function without a comment' '^/\*\* Frees a plan;' '/* Frees a plan;' 'convsmith_plan_destroy.* is not documented'
finds 'a field without a comment' ' /\*\*< channels of y \*/' '' 'Member c_out .* is not documented'
finds 'an enumeration without a comment' '/\*\* What became of a call\.' '/* What became of a call.' \
    'convsmith_status.* is not documented'
finds 'a link that leads nowhere' 'Frees a plan;' 'Frees a plan, @ref nowhere;' 'nowhere'
