# SPDX-License-Identifier: Apache-2.0
#
# awk -f output.awk <block> <printed>: whether the printed lines have the block's, one right behind the other. "..." in a
# line stands for anything, at its end for any lines behind it, too.

# Blanks at the end of a line, and how many there are in a row, are no part of what is compared: columns are as wide as
# what stands in them, and a line may end where "..." begins.
function plain(text) {
    gsub(/[ \t]+/, " ", text)
    sub(/ $/, "", text)
    sub(/ \.\.\.$/, "...", text)
    return text
}

# Whether the text is the pattern's parts between its "...", in order, the first and the last at the ends.
function matches(text, pattern,   parts, count, i, at) {
    count = split(pattern, parts, /\.\.\./)
    if (index(text, parts[1]) != 1)
        return 0
    if (count == 1)
        return text == pattern
    text = substr(text, length(parts[1]) + 1)
    for (i = 2; i < count; i++) {
        at = index(text, parts[i])
        if (!at)
            return 0
        text = substr(text, at + length(parts[i]))
    }
    return length(text) >= length(parts[count]) && substr(text, length(text) - length(parts[count]) + 1) == parts[count]
}

# Whether printed lines from `p` on have the block's from `b` on.
function follows(b, p) {
    for (; b <= wanted; b++) {
        if (block[b] ~ /\.\.\.$/) {
            if (block[b] != "..." && !(p <= had && matches(printed[p++], block[b])))
                return 0
            for (; p <= had + 1; p++)
                if (follows(b + 1, p))
                    return 1
            return 0
        }
        if (p > had || !matches(printed[p], block[b]))
            return 0
        p++
    }
    return 1
}

# The empty lines that number the block come first.
NR == FNR && wanted + length($0) > 0 { block[++wanted] = plain($0) }
NR != FNR { printed[++had] = plain($0) }

END {
    for (p = 1; p <= had; p++)
        if (follows(1, p))
            exit 0
    print "not printed:"
    for (b = 1; b <= wanted; b++)
        print "    " block[b]
    exit 1
}
