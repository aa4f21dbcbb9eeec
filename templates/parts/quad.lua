% -- From a `quad` of the k axis (gen/k_axis.lua) of chunk `chunk`, and a lane, to the weight's place: c_in, ky, kx.
% -- Of a pair it is the first one's.
% local row, k = plan.row, plan.geometry.k
% if k.axis == "channel" then
const int tap = quad / ${k.channels // 4};
const int c_in = ${chunk} * ${k.channels} + quad % ${k.channels // 4} * 4 + lane % 4, ky = tap / ${row.kw}, kx = tap % ${row.kw};
% elseif k.axis == "pair" then
const int tap = quad / ${k.channels // 8};
const int c_in = ${chunk} * ${k.channels} + quad % ${k.channels // 8} * 8 + lane % 4 * 2, ky = tap / ${row.kw}, kx = tap % ${row.kw};
% elseif k.axis == "column_pair" then
%     local before = k.shift % 2
%     local row_quads = divide_up(row.kw + before, 8)
const int row = quad / ${row_quads};
const int c_in = ${chunk} * ${k.channels} + row / ${row.kh}, ky = row % ${row.kh}, kx = quad % ${row_quads} * 8 + lane % 4 * 2${before > 0 and " - " .. before or ""};
% elseif k.axis == "two_columns" then
%     local before = k.shift % 2
%     local row_quads = 2 * divide_up(row.kw + before, 8)
const int row = quad / ${row_quads};
const int c_in = ${chunk} * ${k.channels} + row / ${row.kh}, ky = row % ${row.kh}, kx = quad % ${row_quads} / 2 * 8 + lane % 4 * 2 + quad % 2${before > 0 and " - " .. before or ""};
% else
%     local row_quads = divide_up(row.kw, 4)
const int row = quad / ${row_quads};
const int c_in = ${chunk} * ${k.channels} + row / ${row.kh}, ky = row % ${row.kh}, kx = quad % ${row_quads} * 4 + lane % 4;
% end
