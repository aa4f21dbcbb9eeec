-- SPDX-License-Identifier: Apache-2.0
--
-- How outputs lie over inputs, as CUDA templates write it: conv_window of src/device/tile.cuh.
local window = {}

-- The template argument for a row whose staged lines begin `lead` columns before the first output's column; nil where
-- it is the default.
function window.of(row, lead)
    if row.stride_h * row.stride_w == 1 and row.pad_h + row.pad_w == 0 then
        return nil
    end
    return ("conv_window<%d, %d, %d, %d, %d>"):format(row.stride_h, row.stride_w, row.pad_h, row.pad_w, lead)
end

-- What padding costs, in words; nil without any. `wasted`: columns that lines are staged early.
function window.border(row, wasted)
    if row.pad_h + row.pad_w == 0 then
        return nil
    end
    local early = (wasted or 0) > 0 and ("; lines are staged %d column(s) early, to keep 16-byte copies"):format(wasted)
    return "zeros are written by the copies themselves, one comparison a line and one a column in tiles of the border "
        .. "and inside alike; nothing in the products" .. (early or "")
end

return window
