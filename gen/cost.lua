-- SPDX-License-Identifier: Apache-2.0
--
-- What a CUDA kernel asks of a GPU, tile by tile, as its row of the table has it: a cs_cost (src/cost.h), from which
-- src/predict.c makes times. gen/cost/ counts it. A cost is { unit, registers, start, statistics = { products, special,
-- ... }, apply = { ... }, ... }, whole numbers but for the unit.
local cost = {}

-- The units that form products, in the order of cs_product_unit.
cost.units = { "ffma", "mma_tf32", "mma_f16", "wgmma_tf32", "wgmma_f16" }

-- The fields of a cs_tile_cost.
cost.tile_fields = { "products", "special", "shared", "issue", "wait", "l2" }

-- Those of a cs_cost that are such: of the passes, and of what comes on top of them.
cost.tiles = { "statistics", "apply", "unaligned_x", "unaligned_y" }

local function tile_initialiser(tile)
    local parts = {}
    for _, field in ipairs(cost.tile_fields) do
        if tile[field] > 0 then
            parts[#parts + 1] = (".%s = %d"):format(field, tile[field])
        end
    end
    return "{" .. table.concat(parts, ", ") .. "}"
end

-- A cost as the fields of a C initialiser; a tile that asks for nothing is left out.
function cost.initialiser(counted)
    local parts = {}
    for _, tile in ipairs(cost.tiles) do
        local text = tile_initialiser(counted[tile])
        if text ~= "{}" then
            parts[#parts + 1] = (".%s = %s"):format(tile, text)
        end
    end
    return (".unit = CS_UNIT_%s, .registers = %d, .start = %d, %s"):format(string.upper(counted.unit),
        counted.registers, counted.start, table.concat(parts, ", "))
end

return cost
