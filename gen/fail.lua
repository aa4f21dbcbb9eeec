-- SPDX-License-Identifier: Apache-2.0
--
-- fail(where, format, ...): ends the run with "file:line: error: words". `where` is { file =, line = }, or nil when the
-- mistake is in no line of a file.
local function fail(where, format, ...)
    local words = string.format(format, ...)
    if where then
        words = string.format("%s:%d: error: %s", where.file, where.line, words)
    end
    error(words, 0)
end

return fail
