# SPDX-License-Identifier: Apache-2.0
#
# bash shell.sh <block> <allowed exit statuses> <file>: runs a block of shell commands in the folder that the file names
# and writes to it where they end. The first command with a status that is not allowed ends it with status 1.
set -E -o pipefail
shopt -s expand_aliases
block=$1 allowed=$2 place=$3
set --
cd "$(cat "$place")" || exit 1
trap 'status=$?
    case " $allowed " in
    *" $status "*) ;;
    *) echo "exit status $status: $BASH_COMMAND" >&2 && exit 1 ;;
    esac' ERR
. "$block"
pwd >"$place"
