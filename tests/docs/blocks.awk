# SPDX-License-Identifier: Apache-2.0
#
# awk -v out=<folder> -f blocks.awk <document.md>: writes each fenced code block to <out>/<line>, as many empty lines
# before it as it has in the document, so that compilers and interpreters name the document's lines; and prints
#
#     <line> TAB <language, or "output" where none is named> TAB <what its marker says, or nothing>
#
# A marker is an HTML comment alone on the line above the fence, empty lines aside: <!-- docs-test: WORDS -->
function fail(line, what) {
    printf "%s:%d: %s\n", FILENAME, line, what > "/dev/stderr"
    failed = 1
    exit 1
}

fence {
    if ($0 ~ "^ *" fence "`* *$") {
        close(out "/" opened)
        fence = ""
    } else {
        match($0, /^ */)
        print substr($0, 1 + (RLENGTH < indent ? RLENGTH : indent)) > (out "/" opened)
    }
    next
}

/^ *```/ {
    opened = FNR
    match($0, /^ */)
    indent = RLENGTH
    match($0, /```+/)
    fence = substr($0, RSTART, RLENGTH)
    language = substr($0, RSTART + RLENGTH)
    gsub(/[ \t]/, "", language)
    printf "%d\t%s\t%s\n", FNR, language == "" ? "output" : language, marker
    marker = ""
    for (i = 1; i <= FNR; i++)
        print "" > (out "/" opened)
    next
}

/^ *<!-- *docs-test:/ {
    if (marker != "")
        fail(FNR, "two markers for one block")
    if ($0 !~ /^ *<!-- *docs-test: *[^ ].* *--> *$/)
        fail(FNR, "a marker is <!-- docs-test: WORDS --> on a line of its own")
    marker = $0
    gsub(/^ *<!-- *docs-test: *| *--> *$/, "", marker)
    next
}

/[^ \t]/ && marker != "" { fail(FNR, "text between a marker and its block") }

END {
    if (failed)
        exit 1
    if (fence)
        fail(opened, "the block has no end")
    if (marker != "")
        fail(FNR, "a marker without a block")
}
