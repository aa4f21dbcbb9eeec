-- SPDX-License-Identifier: Apache-2.0
--
-- What ptxas says of compiled kernels (nvcc -Xptxas -v), and what is wrong with that.
local ptxas = {}

-- The functions of a kernel, by what stands behind its name.
local PARTS = { "", "_merge", "_prepack", "_copy", "_apply" }

-- What a block can have: sm_80 has more than sm_86 and sm_89, which run the same kernels.
local SHARED = { sm80 = 99 * 1024, sm90a = 227 * 1024 }

-- What digits say, if that is a number of bytes or registers.
local function whole(digits)
    return digits and math.tointeger(tonumber(digits))
end

-- A stack and spills: the function's, or those of one that it calls.
local function add_frame(figures, line)
    local stack, stores, loads =
        string.match(line, "(%d+) bytes stack frame, (%d+) bytes spill stores, (%d+) bytes spill loads")
    figures.stack = math.max(figures.stack, whole(stack) or 0)
    figures.spill_stores = math.max(figures.spill_stores, whole(stores) or 0)
    figures.spill_loads = math.max(figures.spill_loads, whole(loads) or 0)
end

local function add_use(figures, line)
    figures.registers = whole(string.match(line, "Used (%d+) registers")) or figures.registers
    figures.shared = whole(string.match(line, "(%d+) bytes smem")) or figures.shared
end

-- Function name -> { on = architecture -> figures, remark = the number of what ptxas remarks of it, or nil }.
function ptxas.parse(text)
    local functions, current = {}, nil
    for line in string.gmatch(text, "[^\n]+") do
        local name, arch = string.match(line, "Compiling entry function '([%w_]+)' for '(sm_%d+%l?)'")
        if name then
            current = { registers = 0, stack = 0, spill_stores = 0, spill_loads = 0, shared = 0 }
            functions[name] = functions[name] or { on = {} }
            functions[name].on[arch] = current
        elseif string.find(line, "Compiling entry function", 1, true) then
            current = nil -- of a name that is no kernel's
        elseif current then
            add_frame(current, line)
            add_use(current, line)
        end
        local number, remarked = string.match(line, "%((C%d+)%).* function '([%w_]+)'")
        if number and functions[remarked] then
            functions[remarked].remark = number
        end
    end
    return functions
end

-- Rules that a function keeps to on an architecture, each a test of its figures and of the shared memory that is asked
-- for at launch, beside what a block can have; with what is wrong otherwise, in words.
local rules = {
    {
        is_broken = function(figures)
            return figures.spill_stores + figures.spill_loads > 0
        end,
        words = function(figures, arch)
            local words = "ptxas has %d bytes of spill stores and %d of loads on %s"
            return words:format(figures.spill_stores, figures.spill_loads, arch)
        end,
    },
    {
        is_broken = function(figures)
            return figures.stack > 0
        end,
        words = function(figures, arch)
            return ("ptxas has %d bytes of stack on %s"):format(figures.stack, arch)
        end,
    },
    {
        is_short_of_shared = true,
        is_broken = function(figures, dynamic, limit)
            return figures.shared + dynamic > limit
        end,
        words = function(figures, arch, dynamic, limit)
            local words = "ptxas has %d bytes of shared memory on %s, more than %d"
            return words:format(figures.shared + dynamic, arch, limit)
        end,
    },
}

local function fault_of(figures, arch, dynamic, limit)
    for _, rule in ipairs(rules) do
        if rule.is_broken(figures, dynamic, limit) then
            return { because = rule.words(figures, arch, dynamic, limit), is_short_of_shared = rule.is_short_of_shared }
        end
    end
    return nil
end

local function sorted_archs(on)
    local list = {}
    for arch in pairs(on) do
        list[#list + 1] = arch
    end
    table.sort(list)
    return list
end

-- The architectures that ptxas told of, in order.
function ptxas.archs(functions)
    local all = {}
    for _, told in pairs(functions) do
        for arch in pairs(told.on) do
            all[arch] = true
        end
    end
    return sorted_archs(all)
end

-- Elsewhere a kernel of sm_90a is compiled to nothing.
local function is_run_on(arch, target)
    return target ~= "sm90a" or arch == "sm_90a"
end

-- The first fault of a kernel's functions, { because =, is_short_of_shared = }, or nil.
local function first_fault(functions, kernel)
    for _, part in ipairs(PARTS) do
        local of_part = functions[kernel.name .. part] or { on = {} }
        local dynamic = part == "" and kernel.info.shared_bytes or 0
        for _, arch in ipairs(sorted_archs(of_part.on)) do
            local fault = fault_of(of_part.on[arch], arch, dynamic, SHARED[kernel.key.target])
            if fault then
                return fault
            end
        end
        if of_part.remark then
            return { because = ("ptxas has a remark (%s) on its products"):format(of_part.remark) }
        end
    end
    return nil
end

-- The first of some architectures that runs a kernel and that its figures lack, nil: there is none.
function ptxas.lacking(figures, kernel, archs)
    for _, arch in ipairs(archs) do
        if is_run_on(arch, kernel.key.target) and not (figures and figures[arch]) then
            return arch
        end
    end
    return nil
end

-- The figures of a kernel's convolution by architecture, and the first fault of its functions, or nil; nothing where
-- ptxas said nothing of it, or the listing ends before it says of how many registers.
function ptxas.judge(functions, kernel)
    local figures = {}
    for arch, given in pairs(functions[kernel.name] and functions[kernel.name].on or {}) do
        if is_run_on(arch, kernel.key.target) and given.registers > 0 then
            figures[arch] = given
        end
    end
    if not next(figures) then
        return nil
    end
    return figures, first_fault(functions, kernel)
end

return ptxas
