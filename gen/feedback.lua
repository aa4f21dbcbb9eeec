-- SPDX-License-Identifier: Apache-2.0
--
-- What is planned otherwise because of what ptxas says (--feedback). A kernel with a fault goes one step up its
-- strategy's ladder (gen/reliefs.lua); at the ladder's end its strategy does not plan it any more, and the next one
-- that serves the row has it. So rounds of compiling and of feedback end: ladders are short, and each round either
-- finds no fault or goes up one. The output folder's record (gen/resources.lua) remembers all that.
local fail = require_module("gen/fail.lua")
local ptxas = require_module("gen/ptxas.lua")
local reliefs = require_module("gen/reliefs.lua")
local resources = require_module("gen/resources.lua")

local feedback = {}

-- The record that the output folder has: `kernels` by name, and the names `asked` for.
function feedback.load()
    local out = host.options.out
    local text = out and host.read_output(resources.file)
    return { kernels = resources.read(text, (out or "") .. "/" .. resources.file), asked = {} }
end

local nothing_known = { on = {}, reliefs = {} }

-- What the record has of a kernel: `reliefs` and `refused`. What nobody asks for is not of this manifest.
function feedback.of(record, name)
    record.asked[name] = true
    return record.kernels[name] or nothing_known
end

-- The hash of what was compiled; nil where there is no such file.
local function compiled_text(kernel)
    local text = host.read_output(("kernels/%s.%s"):format(kernel.name, kernel.extension))
    return text and host.hash(text)
end

local function note_fault(entry, kernel, fault)
    local step = reliefs.next(kernel, fault.is_short_of_shared and reliefs.less_shared)
    if step then
        entry.reliefs[#entry.reliefs + 1] = { name = step.name, because = fault.because }
    else
        entry.refused = fault.because
    end
end

-- Puts a kernel's figures and its fault, or nil, into the record.
local function note(record, kernel, figures, fault)
    local entry = record.kernels[kernel.name] or { reliefs = {} }
    entry.text, entry.on = compiled_text(kernel), figures
    record.kernels[kernel.name] = entry
    if fault then
        note_fault(entry, kernel, fault)
    end
end

-- "FILE tells of 3 of 4 CUDA kernels, on sm_89, sm_90a"
local function extent(told, cuda, archs)
    return ("%s tells of %d of %d CUDA kernels, on %s"):format(host.options.feedback, told, cuda,
        table.concat(archs, ", "))
end

-- Puts what the file of --feedback says of the kernels into the record; a list of the names of those with a fault, and
-- words about how much the file tells. One that ends early is warned of: what it lacks may have faults.
function feedback.add(record, kernels)
    local functions = ptxas.parse(host.read_feedback())
    local archs, told, cuda, faulty, lacking = ptxas.archs(functions), 0, 0, {}, {}
    for _, kernel in ipairs(kernels) do
        local figures, fault = ptxas.judge(functions, kernel)
        local arch = kernel.device == "cuda" and ptxas.lacking(figures, kernel, archs)
        cuda = cuda + (kernel.device == "cuda" and 1 or 0)
        lacking[#lacking + 1] = arch and ("%s on %s"):format(kernel.name, arch) or nil
        if figures then
            told = told + 1
            note(record, kernel, figures, fault)
            faulty[#faulty + 1] = fault and kernel.name
        end
    end
    if told == 0 then
        fail(nil, "%s tells of no kernel of this manifest; it is what nvcc says of them with -Xptxas -v",
            host.options.feedback)
    elseif #lacking > 0 then
        host.warn(("%s, and not of %s%s; is it cut off?"):format(extent(told, cuda, archs), lacking[1],
            #lacking > 1 and (" (and %d more kernels)"):format(#lacking - 1) or ""))
    end
    return faulty, extent(told, cuda, archs)
end

-- The words of the last step that a kernel's record has: a smaller kernel's plan has more than its record's.
local function last_step(entry, kernel)
    local last, done = entry.reliefs[#entry.reliefs], {}
    for _, relief in ipairs(kernel.reliefs) do
        done[relief.name] = relief.done
    end
    return ("%s, since %s"):format(done[last.name], last.because)
end

-- What became of a kernel with a fault; `kernel` is its new plan, or nil.
local function outcome(entry, kernel)
    if entry.refused then
        return ("left to the next strategy, since %s, and nothing is left to be done"):format(entry.refused)
    elseif not kernel then -- the one that it stood beside as the smaller one is gone, or is the smallest itself
        return "planned no more, since its row's other kernels are planned otherwise"
    end
    return last_step(entry, kernel)
end

-- Says what became of the kernels with a fault: a line each, and how many they are; and how much was told.
function feedback.tell(faulty, record, kernels, told)
    local planned = {}
    for _, kernel in ipairs(kernels) do
        planned[kernel.name] = kernel
    end
    for _, name in ipairs(faulty) do
        host.print(("%s: %s"):format(name, outcome(record.kernels[name], planned[name])))
    end
    host.print(("%d kernel(s) re-planned; %s"):format(#faulty, told))
end

-- Emits the record of the manifest's kernels, those that were left to other strategies too; of a text other than the
-- compiled one nothing is known.
function feedback.emit(record, kernels, texts)
    local hashes = {}
    for i, kernel in ipairs(kernels) do
        hashes[kernel.name] = host.hash(texts[i])
    end
    local kept = {}
    for name in pairs(record.asked) do
        local entry = record.kernels[name]
        if entry then
            local is_compiled = entry.text ~= nil and entry.text == hashes[name]
            kept[name] = { text = entry.text, on = is_compiled and entry.on or {}, reliefs = entry.reliefs,
                refused = entry.refused }
        end
    end
    local text = resources.text(kept)
    if text then
        host.emit(resources.file, text)
    end
end

return feedback
