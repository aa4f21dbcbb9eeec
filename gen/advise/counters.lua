-- SPDX-License-Identifier: Apache-2.0
--
-- The counters that the rules read: key, unit where none is given, the section of ncu that takes them, and their names,
-- the best first: metrics, and at the end the label on ncu's details page, if it has one.
local counters = {}

local function elapsed_too(metric)
    return metric .. ".avg.pct_of_peak_sustained_active", metric .. ".avg.pct_of_peak_sustained_elapsed"
end

local rows = {
    { "time", "nsecond", "SpeedOfLight", "gpu__time_duration.sum", "gpu__time_duration.avg", "Duration" },
    { "sm", "%", "SpeedOfLight", "sm__throughput.avg.pct_of_peak_sustained_elapsed", "Compute (SM) Throughput" },
    { "dram", "%", "SpeedOfLight", "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed",
        "dram__throughput.avg.pct_of_peak_sustained_elapsed", "DRAM Throughput" },
    { "dram_rate", "byte/second", "MemoryWorkloadAnalysis", "dram__bytes.sum.per_second" },
    { "l2", "%", "SpeedOfLight", "lts__throughput.avg.pct_of_peak_sustained_elapsed", "L2 Cache Throughput" },
    { "l1", "%", "SpeedOfLight", "l1tex__throughput.avg.pct_of_peak_sustained_active",
        "l1tex__throughput.avg.pct_of_peak_sustained_elapsed", "L1/TEX Cache Throughput" },
    { "cycles", "cycle", "WorkloadDistribution", "sm__cycles_active.avg", "SM Active Cycles" },
    { "most_cycles", "cycle", "WorkloadDistribution", "sm__cycles_active.max" },
    { "l2_hits", "%", "MemoryWorkloadAnalysis", "lts__t_sector_hit_rate.pct", "L2 Hit Rate" },
    { "tensor", "%", "ComputeWorkloadAnalysis", elapsed_too("sm__pipe_tensor_cycles_active") },
    { "fma", "%", "ComputeWorkloadAnalysis", elapsed_too("sm__pipe_fma_cycles_active") },
    { "alu", "%", "ComputeWorkloadAnalysis", elapsed_too("sm__inst_executed_pipe_alu") },
    { "xu", "%", "ComputeWorkloadAnalysis", elapsed_too("sm__inst_executed_pipe_xu") },
    { "issue", "%", "SchedulerStats", "smsp__issue_active.avg.pct_of_peak_sustained_active",
        "sm__inst_issued.avg.pct_of_peak_sustained_active", "One or More Eligible" },
    { "warps", "%", "Occupancy", "sm__warps_active.avg.pct_of_peak_sustained_active", "Achieved Occupancy" },
    { "most_warps", "%", "Occupancy", "sm__maximum_warps_per_active_cycle_pct", "Theoretical Occupancy" },
    { "limit_registers", "block", "Occupancy", "launch__occupancy_limit_registers", "Block Limit Registers" },
    { "limit_shared", "block", "Occupancy", "launch__occupancy_limit_shared_mem", "Block Limit Shared Mem" },
    { "limit_warps", "block", "Occupancy", "launch__occupancy_limit_warps", "Block Limit Warps" },
    { "limit_blocks", "block", "Occupancy", "launch__occupancy_limit_blocks", "Block Limit SM" },
    { "grid", "", "LaunchStats", "launch__grid_size", "Grid Size" },
    { "threads", "", "LaunchStats", "launch__block_size", "Block Size" },
    { "registers", "register", "LaunchStats", "launch__registers_per_thread", "Registers Per Thread" },
    { "shared", "byte", "LaunchStats", "launch__shared_mem_per_block_allocated", "launch__shared_mem_per_block" },
    { "sms", "SM", "LaunchStats", "launch__sm_count", "device__attribute_multiprocessor_count", "# SMs" },
    { "waves", "", "LaunchStats", "launch__waves_per_multiprocessor", "Waves Per SM" },
    { "spills", "", "InstructionStats", "derived__local_spilling_requests", "Local Memory Spilling Requests" },
    { "spill_share", "%", "InstructionStats", "derived__local_spilling_requests_pct" },
    { "warp_latency", "cycle", "WarpStateStats", "smsp__average_warp_latency_per_inst_issued.ratio",
        "Warp Cycles Per Issued Instruction" },
}

-- Counters that are taken together, as one name.
local families = {}

-- What warps wait for, of the cycles of one that issues.
for _, reason in ipairs({ "barrier", "branch_resolving", "gmma", "lg_throttle", "long_scoreboard", "math_pipe_throttle",
    "membar", "mio_throttle", "no_instruction", "short_scoreboard", "sleeping", "wait" }) do
    rows[#rows + 1] = { "stall_" .. reason, "inst", "WarpStateStats",
        ("smsp__average_warps_issue_stalled_%s_per_issue_active.ratio"):format(reason) }
    families["stall_" .. reason] = "smsp__average_warps_issue_stalled_*_per_issue_active.ratio"
end

-- { key, unit, section, names, family } by key, the keys in order, and the keys by name.
counters.by_key, counters.in_order, counters.keys = {}, {}, {}
for i, row in ipairs(rows) do
    local counter = { key = row[1], unit = row[2], section = row[3], names = table.move(row, 4, #row, 1, {}),
        family = families[row[1]] }
    counters.by_key[counter.key], counters.in_order[i] = counter, counter.key
    for _, name in ipairs(counter.names) do
        counters.keys[name] = counter.key
    end
end

-- Whole numbers: the least and the most that there can be.
counters.whole = {
    grid = { 1, math.huge },
    threads = { 1, 1024 },
    registers = { 1, 255 },
    sms = { 1, math.huge },
}

-- A counter that cannot be greater than another one.
counters.ordered = { { "warps", "most_warps" }, { "cycles", "most_cycles" } }
for key in pairs(families) do
    counters.ordered[#counters.ordered + 1] = { key, "warp_latency" }
end

return counters
