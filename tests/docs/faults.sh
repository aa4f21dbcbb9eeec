#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# faults.sh <scratch folder>: documents with one fault each, which run.sh must find at its line and in these words; and
# one without a fault, so that it is the faults that are found.
set -euo pipefail
scratch=$1
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$scratch"
mkdir -p "$scratch"

# run <document, with ''' for ```>
run() {
    printf '%s\n' "$1" | sed "s/'''/\`\`\`/" >"$scratch/document.md"
    "$here/run.sh" "$scratch/document.md" "$scratch/run" >"$scratch/log" 2>&1
}

# finds <what> <line> <words> <document>
finds() {
    echo "$1"
    if run "$4"; then
        echo 'it passes' && exit 1
    fi
    grep -q "document.md:$2: $3" "$scratch/log" || { cat "$scratch/log" && exit 1; }
}

echo 'a document without a fault'
run "<!-- docs-test: file greeting -->
'''text
hello
'''

'''sh
cd /
cd - >/dev/null
cat greeting; echo 0.25 s, 3 rows; printf 'a,\nb\nc\n'
'''

'''
hello
0... s, 3 rows
a, ...
c
'''

<!-- docs-test: may end with 3 -->
'''sh
(exit 3)
'''

<!-- docs-test: skip, it would fail -->
'''sh
false
'''" || { cat "$scratch/log" && exit 1; }

finds 'a command that fails before the last' 2 'the block ended with an error' "
'''sh
false
true
'''"
finds 'a command that fails in a pipe' 1 'the block ended with an error' "'''sh
false | cat
'''"
finds 'another exit status than may be' 2 'the block ended with an error' "<!-- docs-test: may end with 3 -->
'''sh
(exit 2)
'''"
finds 'a program that does not exist' 1 'the block ended with an error' "'''sh
convsmith-no-such-program
'''"
finds 'other output' 5 'the sh block before it printed something else' "'''sh
printf '1\n2\n'
'''

'''
1
3
'''"
finds 'output with lines between' 4 'the sh block before it printed something else' "'''sh
seq 3
'''
'''
1
3
'''"
finds 'output without commands' 1 'an output block without a sh block' "'''
hello
'''"
finds 'C that does not compile' 1 'it does not compile' "'''c
#include <convsmith/convsmith.h>
static const int i = nothing;
'''"
finds 'C that ends with an error' 1 'it ended with status 1' "'''c
int main(void) { return 1; }
'''"
finds 'a row that cannot be' 1 'it cannot be planned' "'''lua
conv { c_in = 0, kernel = \"3x3\", c_out = 8 }
'''"
finds 'a target that is not there' 1 'the project with it does not build' "'''cmake
target_link_libraries(other PRIVATE convsmith::convsmith)
'''"
if [ -n "${PYTHON:-}" ]; then
    finds 'Python that is none' 1 'the block ended with an error' "'''python
def
'''"
    finds 'Python that raises' 5 'the block ended with an error' "'''python
x = 0
'''

'''python
1 / x
'''"
    finds 'Python that imports what nothing installs' 1 'the block ended with an error' "'''python
import convsmith_no_such_module
'''"
fi
finds 'a language that nothing runs' 1 'nothing here runs blocks of "fortran"' "'''fortran
end
'''"
finds 'a marker without words' 1 'a marker is' "<!-- docs-test: -->
'''sh
'''"
finds 'a marker of no meaning' 2 'a sh block with the marker "slow"' "<!-- docs-test: slow -->
'''sh
'''"
finds 'nothing skipped without a reason' 2 'a sh block with the marker "skip"' "<!-- docs-test: skip -->
'''sh
'''"
finds 'a marker over text' 2 'text between a marker and its block' "<!-- docs-test: skip, slow -->
text
'''sh
'''"
finds 'a marker at the end' 1 'a marker without a block' "<!-- docs-test: skip, slow -->"
finds 'a block without an end' 2 'the block has no end' "
'''sh
true"
