-- SPDX-License-Identifier: Apache-2.0
--
-- What `convsmith list` says of registers and occupancy.
local occupancy = require_module("gen/occupancy.lua")

local compiled = { name = "compiled", target = "sm80", threads = 128, registers = 128, shared_bytes = 0 }
local planned = { name = "planned", target = "sm80", threads = 128, registers = 128, shared_bytes = 0 }
local hopper = { name = "hopper", target = "sm90a", threads = 512, registers = 128, shared_bytes = 227 * 1024 }
local record = {
    compiled = { on = { sm_89 = { registers = 168, shared = 512 }, sm_90a = { registers = 255, shared = 512 } } },
    planned = { on = {}, refused = "so" },
}
local rows = occupancy({ compiled, planned, hopper }, record)

local function expect(what, value, wanted)
    assert(value == wanted, ("%s is %s, and should be %s"):format(what, value, wanted))
end

expect("registers nvcc told of", rows.compiled.registers, 255)
expect("where they are from", rows.compiled.registers_from, "nvcc")
expect("static shared memory", rows.compiled.static_shared_bytes, 512)
expect("planned registers", rows.planned.registers, 128)
expect("where planned ones are from", rows.planned.registers_from, "plan")

-- Each GPU runs its own code: 65536 registers are for 3 blocks of 128 threads with 168, for 2 with 255.
expect("registers on sm_89", rows.compiled.occupancy.rtx4090.registers, 168)
expect("blocks on sm_89", rows.compiled.occupancy.rtx4090.blocks, 3)
expect("registers on sm_90a", rows.compiled.occupancy.h200.registers, 255)
expect("blocks on sm_90a", rows.compiled.occupancy.h200.blocks, 2)
expect("warps on sm_90a", rows.compiled.occupancy.h200.fraction, 8 / 64)
expect("what limits", rows.compiled.occupancy.h200.limit, "registers")

-- For sm_80 nothing was compiled: the worst that is known. For sm_120 there is what sm_89 runs.
expect("registers on sm_80", rows.compiled.occupancy.a100.registers, 255)
expect("registers on sm_120", rows.compiled.occupancy.rtx5090.registers, 168)

expect("code of sm_90a on sm_89", rows.hopper.occupancy.rtx4090, nil)
expect("a block of all shared memory", rows.hopper.occupancy.h100.blocks, 1)
return true
