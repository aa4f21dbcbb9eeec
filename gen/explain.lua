-- SPDX-License-Identifier: Apache-2.0
--
-- The plans in words and numbers, for --explain: what each kernel is, what it needs, and what that means on each
-- architecture profile, for the row's reference problem or another one.
local arch = require_module("gen/arch.lua")
local convolution = require_module("gen/convolution.lua")
local predictions = require_module("gen/predictions.lua")
local sizes = require_module("gen/sizes.lua")
local tunings = require_module("gen/tunings.lua")

local explain = {}

local function kib(bytes)
    return ("%.1f KiB"):format(bytes / 1024)
end

local function percent(fraction)
    return ("%.0f %%"):format(100 * fraction)
end

-- Multiply-adds and least bytes of the problem: every input read once, every output written once.
local function work_of(kernel, size)
    local row = kernel.row
    local h_out, w_out = convolution.output(row, size.h, size.w)
    local pixels = size.n * h_out * w_out
    local bytes = kernel.dtype.bytes * (size.n * row.c_in * size.h * size.w + pixels * row.c_out)
    return { pixels = pixels, multiply_adds = pixels * kernel.info.multiply_adds, bytes = bytes }
end

-- The resident schedule's tile is a band: its pixels are numbered along rows of x.
local function tile_line(g, schedule)
    if schedule == "resident" then
        local words = "    tile          %d channels x up to %d pixels, numbered along rows of x, a block"
        return words:format(g.tile_c, g.tile_w)
    end
    return ("    tile          %d channels x %d rows x %d columns a block"):format(g.tile_c, g.tile_h, g.tile_w)
end

local function fold_names(folds)
    local names = {}
    for i, fold in ipairs(folds) do
        names[i] = fold.text
    end
    return table.concat(names, ", ")
end

-- An operation in words: what is computed, and what of the chain is in it and costs nothing of its own.
local function op_words(op)
    if op.kind ~= "affine" then
        return op.text
    end
    if op.slot then
        return ("value * a + b, with %s folded at prepack"):format(fold_names(op.folds))
    end
    return ("value%s%s, with %s folded by the generator"):format(op.a and " * " .. op.a or "",
        op.b and " + " .. op.b or "", fold_names(op.folds))
end

-- The chain, and what is left of it to compute, a line an operation.
local function epilogue_lines(lowered)
    local lines = { "    epilogue      " .. (lowered.name == "" and "none" or lowered.name) }
    local function add_ops(ops)
        for _, op in ipairs(ops) do
            lines[#lines + 1] = "      computed    " .. op_words(op)
        end
    end
    add_ops(lowered.before.ops)
    local norm = lowered.norm
    if norm then
        local folds = #norm.folds > 0 and (", with %s folded at prepack"):format(fold_names(norm.folds)) or ""
        lines[#lines + 1] = "      computed    " .. norm.text .. folds
    end
    add_ops(lowered.behind.ops)
    return table.concat(lines, "\n")
end

-- The convolution in words, where it is not the plainest.
local function parameters_line(kernel)
    local border = kernel.geometry.border
    return ("    convolution   %s%s"):format(kernel.convolution, border and "; border: " .. border or "")
end

local function general_lines(kernel, work, size)
    local row, g, info = kernel.row, kernel.geometry, kernel.info
    return {
        ("%s:%d: %s"):format(row.where.file, row.where.line, kernel.name),
        ("    strategy      %s, math %s, schedule %s, candidate %d; %s"):format(
            kernel.strategy,
            kernel.key.math,
            info.schedule,
            kernel.candidate,
            g.why
        ),
        parameters_line(kernel),
        epilogue_lines(kernel.epilogue),
        tile_line(g, info.schedule),
        ("    unrolled      %s; C_in in %d chunk(s) of %d"):format(g.unrolled, g.k.chunks, g.k.channels),
        ("    multiply-adds %d an output pixel, %d with padding (%s useful)"):format(
            info.multiply_adds,
            g.padded_multiply_adds,
            percent(info.multiply_adds / g.padded_multiply_adds)
        ),
        ("    %-13s N=%d, %dx%dx%d -> %d%s: %.3f GFLOP, %.1f MB"):format(
            size.is_reference and "reference" or "problem",
            size.n,
            row.c_in,
            size.h,
            size.w,
            row.c_out,
            size.groups > 0 and (", %d groups"):format(size.groups) or "",
            2 * work.multiply_adds / 1e9,
            work.bytes / 1e6
        ),
        ("    packed        %d bytes of parameters"):format(info.packed_bytes),
    }
end

local function profile_line(kernel, work, profile, size)
    local g = kernel.geometry
    if not arch.runs(profile, kernel.key.target) then
        return ("    %-13s does not run code for %s"):format(profile.name, kernel.key.target)
    end
    local occupancy = arch.occupancy(profile, g.threads, g.registers, g.shared_bytes)
    local flops = 2 * work.multiply_adds
    local floor = arch.floor(profile, work.bytes, flops, kernel.dtype.name, g.tensor_products)
    local bound = floor.memory >= floor.arithmetic and "memory" or "arithmetic"
    return table.concat({
        ("    %-13s %d blocks an SM, %d of %d warps (%s), limited by %s"):format(
            profile.name,
            occupancy.blocks,
            occupancy.warps,
            profile.warps_per_sm,
            percent(occupancy.fraction),
            occupancy.limit
        ),
        ("    %-13s floor %.3f ms, %s (memory %.3f, arithmetic %.3f)"):format(
            "",
            math.max(floor.memory, floor.arithmetic),
            bound,
            floor.memory,
            floor.arithmetic
        ),
        ("    %-13s predicted %s"):format("", predictions.words(kernel, profile, size)),
    }, "\n")
end

-- What warps of their own numbers of registers do, in the order in which it is said.
local roles = { { "stager", "to stage" }, { "loader", "to load" }, { "computer", "to compute" }, { "service", "else" } }

local function registers_line(g)
    local of = g.registers_of
    if of then
        local parts = {}
        for _, role in ipairs(roles) do
            local name, words = table.unpack(role)
            if of[name] then
                parts[#parts + 1] = ("%d %s"):format(of[name], words)
            end
        end
        return ("    registers     %d a thread at launch; then %s"):format(of.launch, table.concat(parts, ", "))
    end
    return ("    registers     about %d a thread (predicted)"):format(g.registers)
end

local function cuda_lines(kernel, work, profiles, size)
    local g = kernel.geometry
    local lines = {
        ("    block         %d warps, %d stage(s) of inputs"):format(g.warps, g.k.stages),
        registers_line(g),
        ("    shared memory %s a block%s"):format(
            kib(g.shared_bytes),
            g.resident and (": %.1f KiB of parameters and statistics, then operands and buffers"):format(
                g.resident.fixed_bytes / 1024) or ""
        ),
    }
    for _, profile in ipairs(profiles) do
        lines[#lines + 1] = profile_line(kernel, work, profile, size)
    end
    return lines
end

-- In milliseconds, as what is predicted.
local function measured_line(time)
    local problem = time.problem
    return ("    measured      %.4f ms on %s at %d,%d,%d"):format(time.us / 1000, time.device, problem.n, problem.h,
        problem.w)
end

local function relief_line(relief)
    if relief.because then
        return ("    re-planned    %s, since %s"):format(relief.done, relief.because)
    end
    return ("    smaller       %s: beside the strategy's other kernel for the row"):format(relief.done)
end

local function refusal_line(refusal)
    return ("    not planned   %s: %s"):format(refusal.strategy, refusal.reason)
end

local function host_lines(kernel)
    return { ("    scratch       %s of stack a thread"):format(kib(kernel.info.shared_bytes)) }
end

-- Prints every plan; options.arch, if given, names the one profile to predict for, options.problem the size;
-- options.json: predicted times alone. `tuned`: the tuning records.
function explain.print(plans, tuned, options, print_line)
    local profiles = arch.chosen(options.arch)
    if options.json then
        return predictions.print_json(plans, profiles, options.problem, print_line)
    end
    for _, kernel in ipairs(plans) do
        host.step(nil)
        local size = sizes.of(kernel.row, options.problem)
        local work = work_of(kernel, size)
        print_line(table.concat(general_lines(kernel, work, size), "\n"))
        local lines = kernel.device == "cuda" and cuda_lines(kernel, work, profiles, size) or host_lines(kernel)
        print_line(table.concat(lines, "\n"))
        for _, time in ipairs(tunings.times(tuned, kernel, size)) do
            print_line(measured_line(time))
        end
        for _, relief in ipairs(kernel.reliefs) do
            print_line(relief_line(relief))
        end
        for _, refusal in ipairs(kernel.refusals) do
            print_line(refusal_line(refusal))
        end
    end
end

return explain
