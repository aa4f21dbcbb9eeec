#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# completion.sh <scratch folder>: what the installed scripts complete in bash.
set -euo pipefail
scratch=$1

rm -rf "$scratch"
mkdir -p "$scratch/folder"
touch "$scratch/two words.npy"
PATH=$PREFIX/bin:$PATH
compopt() { :; } # bash has it only while it completes
for program in convsmith convsmith-gen; do
    source "$PREFIX/share/bash-completion/completions/$program"
    complete -p "$program"
done
cd "$scratch"

# completes <words of the line, the last of which is completed> gives <expected>...
completes() {
    local line=() complete
    while [ "$1" != gives ]; do
        line+=("$1")
        shift
    done
    shift
    COMP_WORDS=("${line[@]}")
    COMP_CWORD=$((${#line[@]} - 1))
    complete=$(complete -p "${line[0]}" | grep -oE -e '-F [^ ]+' | cut -c4-)
    COMPREPLY=()
    "$complete"
    if ! diff <(printf '%s\n' "$@" | sort) <(printf '%s\n' "${COMPREPLY[@]}" | sort); then
        echo "FAILED: ${line[*]}: the left side was expected"
        return 1
    fi
}

completes convsmith l gives list
completes convsmith --v gives --version
completes convsmith nothing --x gives ''
completes convsmith find --d gives --dtype --dilation --device
completes convsmith find --dtype '' gives f32 f16 bf16
completes convsmith find --dtype = gives f32 f16 bf16
completes convsmith find --dtype = b gives bf16
completes convsmith find 5x3x gives 5x3x5x24
completes convsmith find --stride '' gives ''
completes convsmith check --family ex gives exact
completes convsmith run --device a gives auto
completes convsmith run --x 'two' gives 'two words.npy'
completes convsmith run --tensor 'two' gives 'two words.npy'
completes convsmith check --filter conv_f32_c5_k3x5_o24_bamsg_host_b gives conv_f32_c5_k3x5_o24_bamsg_host_base
completes convsmith advise --home fo gives folder
completes convsmith advise fo gives folder
completes convsmith report --out fo gives folder
completes convsmith-gen --ex gives --explain
completes convsmith-gen --manifest tw gives 'two words.npy'
completes convsmith-gen --out '' gives folder

# Every option of every help, and the commands that the help lists.
section() { sed -n "/^$1:/,/^\$/s/^    \([a-z-]\+\).*/\1/p"; }
mapfile -t commands < <(convsmith --help | section commands)
[ "${#commands[@]}" -gt 0 ]
completes convsmith '' gives "${commands[@]}" --help --version
for command in "${commands[@]}"; do
    mapfile -t options < <(convsmith "$command" --help | section options)
    completes convsmith "$command" - gives "${options[@]}"
done
mapfile -t options < <(convsmith-gen --help | section options)
completes convsmith-gen - gives "${options[@]}"
echo 'all completed'
