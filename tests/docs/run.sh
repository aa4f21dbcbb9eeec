#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh <document.md> <scratch folder>: runs the document's code blocks in their order, in the scratch folder, with the
# installed programs and libraries of $PREFIX and $LIBDIR, the sources of $SOURCE, the compiler $CC and, if there is one,
# the interpreter $PYTHON. What a block's language makes of it:
#
#     sh        is run by bash, in the folder where the last one ended; every command in it must end with status 0
#     output    a block without a language: what the sh block before it prints has these lines; "..." in a line stands
#               for anything, at its end for any lines behind it, too
#     c         is compiled and linked with the library, without warnings, and run if it has a main
#     lua       is appended to the default manifest and planned
#     cmake     is part of a project that links the library (context/CMakeLists.txt), which is built, without CUDA
#     python    goes on where the document's last one ended; without what it imports (blocks.py) it is compiled alone
#
# Above it the document may say otherwise, in a comment that readers do not see:
#
#     <!-- docs-test: skip, REASON -->     is not run
#     <!-- docs-test: file NAME -->        is written into the scratch folder as NAME, and nothing else
#     <!-- docs-test: within NAME -->      c: is #included as BLOCK by context/NAME, which is compiled in its place
#     <!-- docs-test: may end with N -->   sh: its commands may have the exit status N, too
#
# Any other block is a failure. Where there is a file setup/<document>.sh here, it makes what a reader is told to have.
set -euo pipefail
document=$(realpath "$1")
scratch=$2
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$document")

fail() {
    echo "FAILED: $name:$line: $1" >&2
    exit 1
}

# What each language does with $block, the file of it, and $marker; `cwd` is where sh blocks are.

run_sh() {
    allowed='0'
    case $marker in
    '') ;;
    'may end with '[0-9]*) allowed+=" ${marker#may end with }" ;;
    *) fail "a sh block with the marker \"$marker\"" ;;
    esac
    bash "$here/shell.sh" "$block" "$allowed" "$work/cwd" </dev/null >"$work/printed" 2>&1 || {
        tail -n 40 "$work/printed"
        fail "the block ended with an error"
    }
}

run_output() {
    [ -z "$marker" ] || fail "an output block with the marker \"$marker\""
    [ -f "$work/printed" ] || fail "an output block without a sh block before it"
    awk -f "$here/output.awk" "$block" "$work/printed" || {
        tail -n 40 "$work/printed"
        fail "the sh block before it printed something else"
    }
}

run_c() {
    local source=$block flags=()
    case $marker in
    '') ;;
    'within '*) source=$here/context/${marker#within } flags=("-DBLOCK=\"$block\"") ;;
    *) fail "a c block with the marker \"$marker\"" ;;
    esac
    flags+=(-std=c17 -Wall -Wextra -Werror "-I$PREFIX/include")
    if grep -q '\<main(' "$source"; then
        "$CC" "${flags[@]}" -x c "$source" -L"$LIBDIR" -lconvsmith -lm -o "$block.program" || fail 'it does not compile'
        "$block.program" || fail "it ended with status $?"
    else
        "$CC" "${flags[@]}" -fsyntax-only -x c "$source" || fail 'it does not compile'
    fi
}

run_lua() {
    [ -z "$marker" ] || fail "a lua block with the marker \"$marker\""
    ln -sfn "$SOURCE/tuning" "$work/tuning" # the records that it names
    cat "$SOURCE/shapes.lua" "$block" >"$block.lua"
    convsmith-gen --manifest "$block.lua" --explain >"$work/explained" || fail 'it cannot be planned'
}

run_cmake() {
    [ -z "$marker" ] || fail "a cmake block with the marker \"$marker\""
    mkdir "$block.project"
    cp "$here/context/CMakeLists.txt" "$SOURCE/examples/first.c" "$SOURCE/examples/downstream/shapes.lua" \
        "$block.project"
    {
        cmake -G Ninja -S "$block.project" -B "$block.project/build" -DBLOCK="$block" \
            -DCMAKE_PREFIX_PATH="$PREFIX" -DCMAKE_C_COMPILER="$CC" -DCMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=ON
        cmake --build "$block.project/build"
    } >"$work/built" 2>&1 || {
        tail -n 40 "$work/built"
        fail 'the project with it does not build'
    }
}

# All of a document are one program, which goes on from block to block.
run_python() {
    [ -z "$marker" ] || fail "a python block with the marker \"$marker\""
    if [ -z "${PYTHON:-}" ]; then
        note=', not run: there is no Python'
        return
    fi
    if [ -z "${python_PID:-}" ]; then
        export CONVSMITH_LIBRARY=$LIBDIR/libconvsmith.so PYTHONPATH=$SOURCE/python${PYTHONPATH:+:$PYTHONPATH}
        coproc python { exec "$PYTHON" -B "$here/blocks.py"; }
    fi
    local answer
    printf '%s\t%s\t%s\n' "$block" "$cwd" "$name" >&"${python[1]}"
    read -r answer <&"${python[0]}" || answer=failed
    case $answer in
    done) ;;
    skipped*) note=", $answer" ;;
    *) fail 'the block ended with an error' ;;
    esac
}

# write_file <name>: the block without the lines that number it.
write_file() {
    mkdir -p "$(dirname "$scratch/$1")"
    tail -n "+$((line + 1))" "$block" >"$scratch/$1"
}

run_block() {
    note=
    case $marker in
    'skip, '?*) echo "$name:$line: $language, not run: ${marker#skip, }" && return ;;
    'file '?*) write_file "${marker#file }" ;;
    *)
        case $language in
        sh | output | c | lua | cmake | python) "run_$language" ;;
        *) fail "nothing here runs blocks of \"$language\"" ;;
        esac
        ;;
    esac
    echo "$name:$line: $language${marker:+, $marker}$note"
}

rm -rf "$scratch"
mkdir -p "$scratch"
scratch=$(realpath "$scratch")
work=$scratch.work
rm -rf "$work"
mkdir -p "$work"
export PATH=$PREFIX/bin:$PATH LD_LIBRARY_PATH=$LIBDIR SOURCE PREFIX
cd "$scratch"
setup=$here/setup/${name%.md}.sh
if [ -f "$setup" ]; then
    . "$setup"
fi
echo "$scratch" >"$work/cwd"
awk -v out="$work" -f "$here/blocks.awk" "$document" >"$work/index"
while IFS='|' read -r line language marker; do
    block=$work/$line
    cwd=$(cat "$work/cwd")
    run_block
done < <(tr '\t' '|' <"$work/index")
