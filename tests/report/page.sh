#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# page.sh <program> <source folder> <scratch folder>: the page of `convsmith report` in a browser. checks.js goes into a
# copy of it, and says what holds on the console, where nothing else is said. 77: there is no Chromium.
set -euo pipefail
program=$1 sources=$2 scratch=$3
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v chromium >/dev/null; then
    echo 'skipped: there is no chromium here'
    exit 77
fi
rm -rf "$scratch"
mkdir -p "$scratch"

# A kernel's source that would end the script element, were it put in as it is.
hostile='</script><script>console.error("a source was run")</script><!-- '
cp -r "$sources/generated" "$scratch/generated"
for file in "$scratch"/generated/kernels/conv_f32_c8_k3x3_o32_bamsg_{host_base.h,resident_sm90a.cuh}; do
    echo "// $hostile" >>"$file"
done
"$program" report --home "$sources" --generated "$scratch/generated" --out "$scratch"
size=$(stat -c %s "$scratch/index.html")
echo "$size bytes"
[ "$size" -lt 10000000 ]

# said <page>: what its console has.
said() {
    local log=$scratch/chromium.log
    if ! timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$scratch/profile" --window-size=1400,900 --enable-logging=stderr \
        --virtual-time-budget=20000 --dump-dom "file://$1" >/dev/null 2>"$log"; then
        echo 'FAILED: chromium ended so:'
        tail "$log"
    fi
    sed -n 's/^.*CONSOLE.*\] "\(.*\)", source: .*$/\1/p' "$log"
}

# shows <what> <page>: the checks of a page all hold.
shows() {
    local lines
    lines=$(said "$2")
    echo "$1:"
    echo "$lines"
    [ "$(tail -n 1 <<<"$lines")" = 'all checked' ] && ! grep -qv -e '^ok ' -e '^all checked$' <<<"$lines"
}

{
    sed '/^<\/body>$/,$d' "$scratch/index.html"
    printf '<script>\n'
    cat "$here/checks.js"
    printf '</script>\n</body>\n</html>\n'
} >"$scratch/checked.html"
shows 'on a wide screen' "$scratch/checked.html"

# A window has its least width, a frame has none.
echo '<iframe src="checked.html" width="360" height="800"></iframe>' >"$scratch/phone.html"
shows 'on a phone' "$scratch/phone.html"

# What a page says wrong is seen here.
sed 's/^begin();$/begin(undefinedName);/' "$scratch/checked.html" >"$scratch/wrong.html"
said "$scratch/wrong.html" | grep 'undefinedName is not defined'
